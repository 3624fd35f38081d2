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
@pytest.mark.parametrize(("name", "kills", "seed"), [("vqvae", 2, 22), ("vae", 1, 29)])
def test_kills_change_nothing(name: str, kills: int, seed: int) -> None:
    """Of the seeds: at a flush and amid a line, and at a rename."""
    few = ["--kills", str(kills), "--steps", "25", "--seed", str(seed)]
    answer = subprocess.run(
        [sys.executable, str(TORTURE), *few, "--family", name],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(rf"^{kills} kills \(\d at .+\) over \d runs", answer.stdout), answer.stdout
    assert "every run equal to the undisturbed one to the last bit" in answer.stdout
