"""`python -m tests`: everything that must hold, what fails fastest first.

    python -m tests                    # everything; tests on several cores at once
    python -m tests --fast             # without browsers, trainings and programs started
    python -m tests --coverage         # everything, and which lines it runs; some slower
    python -m tests tests/audio -x     # what is passed to pytest, one after the other

`python -m tests.anywhere` runs the tests as on other machines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CORES = os.cpu_count() or 1
# More than there are cores take longer; each holds torch and a model.
PROCESSES = min(CORES, 4)

NOTEBOOKS = ["pytest", "--nbmake", "--nbmake-timeout=300", "-c", os.devnull, "-q"]
NOTEBOOKS += ["-n", "2"] if CORES > 1 else []
CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("import contracts", ["lint-imports"]),
)
SHARED = ["-n", str(PROCESSES), "--no-loadscope-reorder"] if PROCESSES > 1 else []
WAYS = {"": SHARED, "--fast": [*SHARED, "-m", "fast"], "--coverage": [*SHARED, "--cov"]}
TYPES = ("types", [sys.executable, "-m", "mypy"])
# What the tests leave of the machine, as those with a browser mostly wait, is for these.
BACKGROUND = ["nice", "-n", "5"] if shutil.which("nice") else []
BACKGROUND_CHECKS = (
    (TYPES[0], [*BACKGROUND, *TYPES[1]]),
    ("site", [*BACKGROUND, sys.executable, "-m", "tests.check_site"]),
    ("JavaScript", [*BACKGROUND, sys.executable, "-m", "tests.check_pages"]),
    ("Colab's versions", [*BACKGROUND, sys.executable, "-m", "tests.colab"]),
)


def main() -> int:
    """Runs every check; the exit code is that of the first that failed."""
    arguments = sys.argv[1:]
    way = " ".join(arguments)
    codes = [run(name, command) for name, command in CHECKS]
    tests = ["pytest", *WAYS.get(way, arguments)]
    # As many threads as there are cores, over all processes.
    threads = {"OMP_NUM_THREADS": str(max(1, CORES // PROCESSES))} if way in WAYS else {}
    environment = threads | os.environ
    if way not in ("", "--coverage"):  # somebody wants those tests
        codes.append(run(*TYPES))
        codes.append(run("tests and doctests", tests, environment))
    else:
        with ThreadPoolExecutor(1) as background:
            others = background.map(
                lambda check: run(*check, environment, quietly=True), BACKGROUND_CHECKS
            )
            codes.append(run("tests and doctests", tests, environment))
            codes.append(run("notebooks", NOTEBOOKS, environment))
            codes += others
    return next((code for code in codes if code), 0)


def run(
    name: str,
    command: list[str],
    environment: Mapping[str, str] = os.environ,
    *,
    quietly: bool = False,
) -> int:
    """Runs one check; quietly, what it prints is shown once it has ended."""
    began = time.monotonic()
    tool = shutil.which(command[0], path=str(BIN)) or command[0]
    with tempfile.TemporaryDirectory() as scratch:
        place = _notebooks_in(scratch) if command is NOTEBOOKS else ROOT
        kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(
            [tool, *command[1:]], cwd=place, env=environment, **(kept if quietly else {})
        )
    word = "passed" if done.returncode == 0 else f"FAILED ({done.returncode})"
    print(done.stdout or "", end="")
    print(f"--- {name}: {word} in {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode


def _notebooks_in(scratch: str) -> str:
    """A copy of the notebooks: what they write stays out of the checkout."""
    return shutil.copytree(ROOT / "notebooks", Path(scratch) / "notebooks")


if __name__ == "__main__":
    sys.exit(main())
