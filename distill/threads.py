"""How our processes wait for their own threads: asleep, so that a core goes to whoever needs it.

OpenMP's threads meet at the end of every parallel piece of work, thousands of times in a training
step. By default those that come first spin until the last is there. On a machine that does nothing
else that is harmless; beside a program that uses a core, the thread everybody waits for is often
the one that has no core, because those who wait keep it: a training on two cores beside one busy
program was 4 to 20 times slower, not the third that is fair.

No one time to spin is right for both machines (benchmarks/shared_machine.py). A kernel, which is
not ours, gets one that is fair enough beside others and costs some of an idle machine. A process of
ours, a trainer or the command line, spins at first and changes that while it runs
(`distill/training/engine/waiting.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

_CHOICES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")
_SHORT_SPIN = 10_000  # about a tenth of a millisecond
# The first is OpenMP's own; Intel's and LLVM's, on macOS and Windows, listen to the last. A moment
# of spinning, some microseconds, in GNU's: none at all costs a quarter of an idle machine, ten
# times as much half of the share beside one busy program (benchmarks/shared_machine.py).
_ASLEEP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}
# What GNU's does when nothing is set. Without the policy its short spin, for more threads than
# cores, is 100; with it none at all (libgomp's env.c).
_SPINNING_AT_FIRST = {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "0"}
_COUNTS_WAITING = Path("/proc/self/schedstat")


def wait_asleep(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Asks OpenMP to let waiting threads sleep; says whether they do.

    `import distill` calls this. OpenMP reads the environment once, when it is loaded: after
    `import torch` it is too late for this process, and nothing is changed. What the environment
    says already about waiting is left as it is.

    Args:
        environment: of this process, or of one to be started.

    Returns:
        Whether waiting threads of such a process sleep; False where somebody chose otherwise, or
        torch was imported first.
    """
    if any(name in environment for name in _CHOICES):
        return waits_asleep(environment)
    if environment is os.environ and "torch" in sys.modules:
        return False
    environment.update(_ASLEEP)
    return True


def spin_at_first(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Asks GNU's OpenMP to let waiting threads spin, for a process that watches what that costs.

    It is for a process of ours alone, within `FairWaiting`, before it loads torch. It changes only
    what `wait_asleep` chose, and only where the system counts how long threads wait for a core.

    Returns:
        Whether they do.
    """
    if any(environment.get(name) != value for name, value in _ASLEEP.items()):
        return spins_at_first(environment)
    if not _counts_waiting() or (environment is os.environ and "torch" in sys.modules):
        return False
    environment.update(_SPINNING_AT_FIRST)
    del environment["OMP_WAIT_POLICY"]
    return True


def own_environment() -> dict[str, str]:
    """The environment of this process, for one that watches how its threads wait: a trainer."""
    environment = dict(os.environ)
    wait_asleep(environment)
    spin_at_first(environment)
    return environment


def spins_at_first(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Whether `spin_at_first` was asked for, here or by the process that started this one."""
    return all(environment.get(name) == value for name, value in _SPINNING_AT_FIRST.items())


def _counts_waiting() -> bool:
    """Whether this is Linux, with a count that is more than zeros."""
    try:
        return int(_COUNTS_WAITING.read_text().split()[0]) > 0
    except (OSError, ValueError, IndexError):
        return False


def waits_asleep(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Whether waiting threads sleep, at once or soon, by what the environment says."""
    spins = environment.get("GOMP_SPINCOUNT", "").strip()
    if spins:  # counts for more than the policy
        return spins.isdigit() and int(spins) <= _SHORT_SPIN
    policy = environment.get("OMP_WAIT_POLICY", "").strip().upper()
    if policy:
        return policy == "PASSIVE"
    return environment.get("KMP_BLOCKTIME", "").strip().lower() in ("0", "0ms", "0us")
