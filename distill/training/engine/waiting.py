"""How long threads of a process of ours spin at a barrier: long while it has the machine nearly for
itself, hardly at all while others want its cores.

GNU's OpenMP reads its spin count once, when it is loaded. But it uses a second, short one whenever
it manages more threads than there are cores (`gomp_throttled_spin_count_var` in libgomp's `env.c`,
chosen in `do_spin` of `config/linux/wait.h`). The count grows with every thread of ours that has
run something in parallel, by its helpers, and shrinks when that thread ends (`team.c`). So a thread
that ran one small operation, and then only sleeps, makes all others spin briefly for as long as it
lives. How many threads share an operation, and so its result, stays what it was.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from distill.gathering import GatheringChoice, gather
from distill.threads import spins_at_first
from distill.training.engine.contention import Contention

_POLL_S = 1.0
_LEAST_NS = 100_000_000
"""Of processor time between two polls; less says nothing about cores, as in a pause."""

_BUSY_CORES = 0.4
"""Cores that others had while threads of ours wanted them, from which on spinning loses more than
sleeping does: less than a program takes that is busy all the time, more than one that is busy for
half of it, or a page that draws (benchmarks/shared_machine.py, with `--beside tenth,half`)."""

_BUSY_POLLS, _CALM_POLLS, _MOST_CALM_POLLS = 2, 3, 48
_COMPANY_S = 2.0
"""Of a core are needed to have weights make some seconds of sound, and to measure it."""
_NUMBERS_PER_THREAD = 1 << 16
"""torch shares an operation out in pieces of half as many."""


class SpinChoice:
    """Whether to spin briefly, from how long threads waited for a core.

    It becomes brief after two busy polls: one alone may be a page that was drawn anew. It becomes
    long again after some calm polls in a row, twice as many each time that this was too early, so
    that it does not swing beside a neighbour who comes and goes.
    """

    def __init__(self) -> None:
        self.brief = False
        self._busy, self._calm = 0, 0
        self._needed, self._long_for = _CALM_POLLS, _MOST_CALM_POLLS

    def see(self, cores: float) -> bool:
        """Takes the cores that threads waited for since the last poll; returns `brief`.

        Args:
            cores: seconds that all threads together waited, a second.
        """
        busy = cores > _BUSY_CORES
        self._busy = self._busy + 1 if busy else 0
        self._calm = 0 if busy else self._calm + 1
        if self.brief:
            if self._calm >= self._needed:
                self.brief, self._long_for = False, 0
            return self.brief
        self._long_for += 1
        if self._busy >= _BUSY_POLLS:
            too_early = self._long_for <= _CALM_POLLS + _BUSY_POLLS
            self._needed = min(2 * self._needed, _MOST_CALM_POLLS) if too_early else _CALM_POLLS
            self.brief = True
        return self.brief


class FairWaiting:
    """A context in which waiting threads take turns with other programs.

    It does nothing where OpenMP's threads do not spin at first (`spin_at_first`).

    Args:
        poll_s: seconds between two polls of how long threads waited.
        measure: begins to count that.
    """

    def __init__(
        self, poll_s: float = _POLL_S, measure: Callable[[], Contention] = Contention
    ) -> None:
        self._poll_s, self._measure = poll_s, measure
        self._choice, self._ballast = SpinChoice(), _Ballast()
        self._gathering = GatheringChoice()
        self._closed, self._company_until = False, float("-inf")
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="distill-waiting", daemon=True)

    def __enter__(self) -> FairWaiting:
        if spins_at_first():
            self._thread.start()
            _active.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._woken.set()
        if self._thread.ident is not None:
            _active.remove(self)
            self._thread.join()

    def expect_company(self, seconds: float) -> None:
        """See `expect_company`."""
        self._company_until = time.monotonic() + seconds
        self._woken.set()

    def _watch(self) -> None:
        since_last, began, turn = self._measure(), time.monotonic(), 0
        while not self._closed:
            self._woken.wait(self._poll_s)
            self._woken.clear()
            if self._closed:
                break
            if time.monotonic() < self._company_until:
                self._ballast.hold()  # and what company costs meanwhile says nothing of later
                since_last, began = self._measure(), time.monotonic()
                continue
            ran, waited = since_last.times_ns()
            if ran + waited < _LEAST_NS:
                continue
            if not self._choice.see(waited / 1e9 / (time.monotonic() - began)):
                self._ballast.release()
            elif self._ballast.held:
                turn += self._gathering.see(ran, waited) and gather(turn)
            else:
                self._ballast.hold()
            since_last, began = self._measure(), time.monotonic()
        self._ballast.release()


_active: list[FairWaiting] = []


def expect_company(seconds: float = _COMPANY_S) -> None:
    """Has waiting threads take turns at once, for somebody who is about to need a core.

    That others want one is seen after two polls: what is over by then, as a sound that is tried,
    would have cost this process most of its time meanwhile.

    Args:
        seconds: for how long.
    """
    for waiting in _active:
        waiting.expect_company(seconds)


class _Ballast:
    """Idle threads with so many helpers that OpenMP has more threads than cores."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    @property
    def held(self) -> bool:
        """Whether they are there."""
        return bool(self._threads)

    def hold(self) -> None:
        """Starts them, where torch is there to run what makes them count."""
        if self._threads or "torch" not in sys.modules:
            return
        import torch

        self._over = over = threading.Event()
        for _ in range(_ballast_size(torch.get_num_threads(), _cores())):
            thread = threading.Thread(
                target=_count_and_sleep, args=(over,), name="distill-ballast", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def release(self) -> None:
        """Ends them, and their helpers with them."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._threads = []


def _count_and_sleep(over: threading.Event) -> None:
    import torch

    torch.zeros(torch.get_num_threads() * _NUMBERS_PER_THREAD, device="cpu")
    over.wait()


def _ballast_size(threads: int, cores: int) -> int:
    """How many threads, each with its helpers, it takes to have more than there are cores."""
    helpers = threads - 1
    return 0 if helpers < 1 else max(0, cores - threads) // helpers + 1


def _cores() -> int:
    """Those that this process may use, as OpenMP counts them."""
    if sys.platform.startswith("linux"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
