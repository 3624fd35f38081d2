"""A trainer is what was meant, whatever lies in the folder it is started from."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill import AudioCorpus, RunFolder, TrainingRunner, VQVAEConfig
from distill.training.run.detach import start_detached

PATIENCE_S = 90


def test_no_file_of_the_working_folder_is_run(
    corpus: AudioCorpus,
    tiny_config: VQVAEConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("queue", "distill", "torch", "random", "runpy", "typing", "numpy", "os"):
        (tmp_path / f"{name}.py").write_text(
            "open(__file__ + '.ran', 'w')\nraise SystemExit('not what was meant')\n"
        )
    (tmp_path / "distill" / "training").mkdir(parents=True)
    (tmp_path / "distill" / "__init__.py").write_text("raise SystemExit('another distill')")
    monkeypatch.chdir(tmp_path)
    runner = TrainingRunner()
    runner.start_vqvae(tiny_config, corpus, "run", "cpu")
    result = runner.wait(PATIENCE_S)
    assert result is not None and result.steps == 10
    assert not list(tmp_path.glob("*.ran"))
    assert RunFolder(tmp_path / "run").read_state() == "finished"


def test_the_same_distill_runs_as_here_also_where_nobody_else_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a kernel that found it in its own working folder, and left that since."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    process = start_detached("distill.training.worker", [], log)
    assert process.wait(PATIENCE_S) == 2
    assert log.read_text() == "usage: python -m distill.training.worker RUN\n"


def test_what_it_is_started_with_arrives(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start_detached("distill.training.worker", [str(tmp_path / "no run é")], log)
    assert process.wait(PATIENCE_S) == 1
    assert "no run é: no run there" in log.read_text()
