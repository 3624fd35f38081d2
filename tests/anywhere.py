"""`python -m tests.anywhere`: the tests as on other machines, a table of how it went under each.

    python -m tests.anywhere                    # everything, under every condition: hours
    python -m tests.anywhere tests/models       # what is given to pytest, under every condition
    python -m tests.anywhere --only busy tests/models -x
    python -m tests.anywhere --only plain+4-threads+random --only avx2+busy -n 3    # at once

A condition changes what processors and machines differ in: the instructions that torch uses (its
sums round differently), the number of threads, the order of the tests, and who else is at work. The
tests alone are run; `python -m tests` has the other checks.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import operator
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_COUNTS = re.compile(r"(\d+) (passed|failed|error|skipped)")


@dataclass(frozen=True)
class Condition:
    """What is different from this machine as it is."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    busy_loops: int = 0
    times: int = 1

    def __add__(self, other: Condition) -> Condition:
        """Both at once."""
        return Condition(
            f"{self.name}+{other.name}",
            self.environment | other.environment,
            self.arguments + other.arguments,
            max(self.busy_loops, other.busy_loops),
            max(self.times, other.times),
        )


def _processor(torch: str, onednn: str, mkl: str) -> dict[str, str]:
    """The newest instructions that each library may use."""
    return {"ATEN_CPU_CAPABILITY": torch, "ONEDNN_MAX_CPU_ISA": onednn, "MKL_CBWR": mkl}


CONDITIONS = (
    Condition("as it is"),
    Condition("plain", _processor("default", "SSE41", "COMPATIBLE")),
    Condition("avx2", _processor("avx2", "AVX2", "AVX2")),
    Condition("1-thread", {"OMP_NUM_THREADS": "1"}),
    Condition("4-threads", {"OMP_NUM_THREADS": "4"}),
    Condition("random", arguments=("--shuffle=SEED",)),
    Condition("busy", busy_loops=os.cpu_count() or 1),
    Condition("twice", times=2),
)


def conditions_at_once(names: str) -> Condition:
    """The condition of that name, or all of those joined by `+`.

    Raises:
        ArgumentTypeError: There is none of that name.
    """
    known = {condition.name: condition for condition in CONDITIONS}
    try:
        return functools.reduce(operator.add, (known[name] for name in names.split("+")))
    except KeyError as error:
        message = f"expected some of {', '.join(known)}, joined by +, found {error.args[0]!r}"
        raise argparse.ArgumentTypeError(message) from None


def main() -> int:
    """Runs the tests under each condition; the exit code is 0 where all passed under all."""
    options = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    options.add_argument(
        "--only", action="append", type=conditions_at_once, metavar="CONDITION[+…]"
    )
    options.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    chosen, arguments = options.parse_known_args()
    rows, bad = [], []
    for condition in chosen.only or CONDITIONS:
        for _ in range(condition.times):
            row, failed = _run(condition, arguments, chosen.seed)
            rows.append(row)
            bad += failed
    print(f"\n{'condition':>28}  {'passed':>6}  {'failed':>6}  {'skipped':>7}  {'seconds':>7}")
    for row in rows:
        print("{:>28}  {:>6}  {:>6}  {:>7}  {:>7.0f}".format(*row))
    print("\n".join(bad))
    return int(bool(bad))


def _run(
    condition: Condition, arguments: list[str], seed: int
) -> tuple[tuple[str, int, int, int, float], list[str]]:
    fixed = [argument.replace("SEED", str(seed)) for argument in condition.arguments]
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=short", *fixed, *arguments]
    began = time.monotonic()
    with _beside(condition.busy_loops):
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **condition.environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    seconds = time.monotonic() - began
    lines = done.stdout.splitlines()
    counts = {word: int(count) for count, word in _COUNTS.findall(lines[-1] if lines else "")}
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    if done.returncode and not failed:
        failed = [f"ended with {done.returncode}: {' '.join(lines[-3:])}"]
    name = condition.name + (f" {seed}" if fixed else "")
    if failed:
        print(done.stdout, flush=True)
    row = (name, counts.get("passed", 0), len(failed), counts.get("skipped", 0), seconds)
    print("--- {}: {} passed, {} failed in {:.0f} s".format(*row[:3], seconds), flush=True)
    return row, [f"{name}: {line}" for line in failed]


@contextlib.contextmanager
def _beside(loops: int) -> Iterator[None]:
    """Somebody else who uses as many cores as there are loops."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
