"""Three kills at any moment; see benchmarks/torture.py, which does five hundred."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.families import FAMILIES

TORTURE = Path(__file__).resolve().parents[2] / "benchmarks" / "torture.py"


@pytest.mark.torture
@pytest.mark.parametrize("name", FAMILIES)
def test_three_kills_change_nothing(name: str) -> None:
    answer = subprocess.run(
        [sys.executable, str(TORTURE), "--kills", "3", "--family", name],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"^3 kills \(\d at .+\) over \d runs", answer.stdout), answer.stdout
    assert "every run equal to the undisturbed one to the last bit" in answer.stdout
