"""`python -m tests`: everything that must hold, in the order that fails fastest."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports"]),
    ("tests and doctests", ["pytest", *sys.argv[1:]]),
)


def main() -> int:
    """Runs every check; the exit code is that of the first that failed."""
    first_failure = 0
    for name, command in CHECKS:
        began = time.monotonic()
        tool = shutil.which(command[0], path=str(BIN)) or command[0]
        code = subprocess.run([tool, *command[1:]], cwd=ROOT).returncode
        word = "passed" if code == 0 else f"FAILED ({code})"
        print(f"--- {name}: {word} in {time.monotonic() - began:.0f} s", flush=True)
        first_failure = first_failure or code
    return first_failure


if __name__ == "__main__":
    sys.exit(main())
