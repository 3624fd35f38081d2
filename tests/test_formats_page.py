"""The programs in docs/concepts/formats.md read the first version's files without distill."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "concepts" / "formats.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FIRST = ROOT / "tests" / "data" / "first_version"
SAYS = (
    ["distill_model vqvae 2", "stopped", "whole"],
    ["3 levels × 12 steps, 0.25 s, 422 bit/s"],
    ["2 epochs, best validation 1.733"],
    ["step-000006.ckpt 6 whole"],
)


def test_none_of_them_needs_distill() -> None:
    assert len(PROGRAMS) == len(SAYS)
    assert not any("distill" in re.findall(r"import (\w+)", program) for program in PROGRAMS)


@pytest.mark.parametrize(("program", "says"), list(zip(PROGRAMS, SAYS, strict=True)))
def test_a_program_reads_its_file(
    program: str,
    says: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = shutil.copytree(FIRST / "stopped", tmp_path / "run")
    shutil.copy(FIRST / "codes.npz", run)
    monkeypatch.chdir(run)
    exec(compile(program, "formats.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == says
