"""`python -m tests`: everything that must hold, in the order that fails fastest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

NOTEBOOKS = ["pytest", "--nbmake", "--nbmake-timeout=300", "-c", os.devnull, "-q"]
CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports"]),
    ("tests and doctests", ["pytest", *sys.argv[1:]]),
)
MORE_CHECKS = (
    ("Colab's versions", [sys.executable, "-m", "tests.colab"]),
    ("notebooks", NOTEBOOKS),
)


def main() -> int:
    """Runs every check; the exit code is that of the first that failed."""
    first_failure = 0
    everything = not sys.argv[1:]  # with arguments somebody wants those tests
    for name, command in CHECKS + (MORE_CHECKS if everything else ()):
        began = time.monotonic()
        tool = shutil.which(command[0], path=str(BIN)) or command[0]
        with tempfile.TemporaryDirectory() as scratch:
            place = _notebooks_in(scratch) if command is NOTEBOOKS else ROOT
            code = subprocess.run([tool, *command[1:]], cwd=place).returncode
        word = "passed" if code == 0 else f"FAILED ({code})"
        print(f"--- {name}: {word} in {time.monotonic() - began:.0f} s", flush=True)
        first_failure = first_failure or code
    return first_failure


def _notebooks_in(scratch: str) -> str:
    """A copy of the notebooks: what they write stays out of the checkout."""
    return shutil.copytree(ROOT / "notebooks", Path(scratch) / "notebooks")


if __name__ == "__main__":
    sys.exit(main())
