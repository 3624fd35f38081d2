"""Several sounds at a time, each in a thread of its own, that wait for nothing and nobody.

The threads of one operation meet at its end, a thousand times a second: on one sound, whose
operations are small, two gain little over one, and beside busy programs they mostly wait for the
one that has no core just now. Two sounds in a thread each share the cores as any two programs do
(benchmarks/shared_machine.py, encode).
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from types import TracebackType
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

MOST = 4
"""Sounds under way at once, and one more is ready; each has a share of torch's threads."""
LONG_S = 600.0
"""Longer sounds are worked on one by one: each may take gigabytes."""
_LOOK_S = 0.2  # on Windows no interrupt reaches a thread that waits without an end


def side_by_side(
    work: Callable[[_Item], _Made],
    items: Iterable[_Item],
    *,
    device: torch.device | str = "cpu",
    most: int = MOST,
) -> Generator[_Made, None, None]:
    """What is made of items, in their order, several at a time on the processor's cores.

    One item alone, or work on another device, is done in the calling thread. Closing the iterator,
    or an error that it raises, interrupts what is under way.

    Args:
        work: may run in several threads at once; an error it raises ends everything.
        items: taken by the calling thread, few more than are under way.
        device: where the work is done.
        most: items at a time.
    """
    threads = torch.get_num_threads()
    workers = min(threads, most)
    items = iter(items)
    first = list(islice(items, 2))
    is_alone = len(first) < 2
    everything = chain(_let_go_of(first), items)
    if workers < 2 or is_alone or torch.device(device).type != "cpu":
        yield from map(work, everything)
        return
    with _Workers(workers, threads) as under_way:
        waiting: deque[Future[_Made]] = deque()
        for item in everything:
            waiting.append(under_way.begin(work, item))
            if len(waiting) > workers:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _let_go_of(items: list[_Item]) -> Iterator[_Item]:
    while items:
        yield items.pop(0)


def _result(future: Future[_Made]) -> _Made:
    while not wait([future], timeout=_LOOK_S).done:
        pass
    return future.result()


class _Workers:
    """A context with some threads, among which those of torch's operations are shared out.

    Args:
        count: how many.
        threads: of torch's, of all together.
    """

    def __init__(self, count: int, threads: int) -> None:
        self._count, self._threads = count, threads
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(count, "distill-sound")

    def __enter__(self) -> _Workers:
        """Starts them; how many threads an operation of the calling thread has stays as it was."""
        all_there = threading.Barrier(self._count)

        def share_out() -> None:
            torch.get_num_threads()  # a thread takes over what all have when it is first asked
            torch.set_num_threads(max(1, self._threads // self._count))
            all_there.wait()

        try:
            for begun in [self._executor.submit(share_out) for _ in range(self._count)]:
                _result(begun)
        except BaseException:
            all_there.abort()
            self._executor.shutdown(cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(self._threads)  # also what later threads begin with
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._interrupt()
        self._executor.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[_Item], _Made], item: _Item) -> Future[_Made]:
        """Has a thread do it as soon as one is free."""
        return self._executor.submit(self._run, work, item)

    def _run(self, work: Callable[[_Item], _Made], item: _Item) -> _Made:
        thread = threading.get_ident()
        with self._lock:
            self._running.add(thread)
        try:
            return work(item)
        finally:
            with self._lock:
                self._running.discard(thread)

    def _interrupt(self) -> None:
        """As Ctrl-C interrupts the main thread: between two steps of Python's."""
        with self._lock:
            for thread in self._running:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
                )
