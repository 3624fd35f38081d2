"""`python -m tests`: everything that must hold, in the order that fails fastest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
    codes = [run(name, command) for name, command in CHECKS]
    if not sys.argv[1:]:  # with arguments somebody wants those tests
        with ThreadPoolExecutor(len(MORE_CHECKS)) as pool:  # each spends most of its time waiting
            codes += pool.map(lambda check: run(*check, quietly=True), MORE_CHECKS)
    return next((code for code in codes if code), 0)


def run(name: str, command: list[str], *, quietly: bool = False) -> int:
    """Runs one check; quietly, what it prints is shown once it has ended."""
    began = time.monotonic()
    tool = shutil.which(command[0], path=str(BIN)) or command[0]
    with tempfile.TemporaryDirectory() as scratch:
        place = _notebooks_in(scratch) if command is NOTEBOOKS else ROOT
        kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run([tool, *command[1:]], cwd=place, **(kept if quietly else {}))
    word = "passed" if done.returncode == 0 else f"FAILED ({done.returncode})"
    print(done.stdout or "", end="")
    print(f"--- {name}: {word} in {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode


def _notebooks_in(scratch: str) -> str:
    """A copy of the notebooks: what they write stays out of the checkout."""
    return shutil.copytree(ROOT / "notebooks", Path(scratch) / "notebooks")


if __name__ == "__main__":
    sys.exit(main())
