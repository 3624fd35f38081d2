"""Kills in the middle of a training; see benchmarks/torture.py, which does five hundred."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).resolve().parents[2] / "benchmarks" / "torture.py"


@pytest.mark.torture
def test_kills_change_nothing() -> None:
    """With this seed at a flush and amid a line."""
    few = ["--kills", "2", "--steps", "25", "--seed", "22"]
    answer = subprocess.run(
        [sys.executable, str(TORTURE), *few],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"^2 kills \(\d at .+\) over \d runs", answer.stdout), answer.stdout
    assert "every run equal to the undisturbed one to the last bit" in answer.stdout
