"""Threads that wait for each other, gathered on the cores that they are due beside busy programs.

Beside as many busy programs as there are cores, threads of ours are due half of them. Where each
has a program beside it, it has a core half of the time, and seldom when the others have theirs: all
wait, and get less. Where all of ours share some cores and the programs the others, those who wait
for a thread leave it the core. The system keeps to either state once it is there, so a moment on
half of the cores leads to the better one; then threads may run where they like, as before
(benchmarks/shared_machine.py, its cores beside two loops).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_CROWDED = 0.45
"""Share of their time that threads wait for a core: about a third where two of them share one to
themselves, half and more where each has a busy program beside it."""
_MOMENT_S = 0.3
_MOST_POLLS = 64
_TASKS = Path("/proc/self/task")
_moment = threading.Lock()


class GatheringChoice:
    """Whether to gather, from how long threads waited: at once, and, as long as it does not help,
    ever more seldom.
    """

    def __init__(self) -> None:
        self._between, self._left = 1, 0

    def see(self, ran_ns: int, waited_ns: int) -> bool:
        """Takes what threads did since the last poll, in nanoseconds."""
        if waited_ns < _CROWDED * (ran_ns + waited_ns):
            self._between, self._left = 1, 0
            return False
        self._left -= 1
        if self._left > 0:
            return False
        self._left, self._between = self._between, min(2 * self._between, _MOST_POLLS)
        return True


def gather(turn: int, seconds: float = _MOMENT_S, tasks: Path = _TASKS) -> bool:
    """Keeps all threads of this process on half of its cores for a moment.

    Args:
        turn: which half; the others' threads may be gathered there too, so it should change.
        seconds: how long.
        tasks: where Linux keeps the process's threads.

    Returns:
        False where the system has no such thing, or the process one core alone.
    """
    if not hasattr(os, "sched_setaffinity"):
        return False
    cores = sorted(os.sched_getaffinity(0))
    middle = len(cores) // 2
    if not middle:
        return False
    with _moment, _kept_on(set(cores[:middle] if turn % 2 else cores[-middle:]), tasks):
        time.sleep(seconds)
    return True


@contextlib.contextmanager
def never_gathered() -> Iterator[None]:
    """Within, threads are where they always may be: what is started here inherits that for life."""
    with _moment:
        yield


@contextlib.contextmanager
def _kept_on(cores: set[int], tasks: Path) -> Iterator[None]:
    everywhere = os.sched_getaffinity(0)
    before: dict[int, set[int]] = {}
    try:
        for thread in _threads(tasks):
            with contextlib.suppress(OSError):  # it has just ended
                before[thread] = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, before[thread] & cores or before[thread])
        yield
    finally:
        for thread in _threads(tasks):  # one that began meanwhile is where its parent was
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, before.get(thread, everywhere))


def _threads(tasks: Path) -> list[int]:
    return [int(task.name) for task in tasks.iterdir()]
