"""Threads that work with torch, each with as many of torch's own as it is given."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_IDLY = 19  # how nice: as nice as can be
_LOOK_S = 0.2  # on Windows no interrupt reaches a thread that waits without an end


class Workers:
    """A context with some threads that do work, each with torch's threads of its own.

    What is under way is interrupted where the context is left with an error.

    Args:
        count: how many.
        each: how many threads share an operation in each of them.
        idly: whether they give way to other threads. Linux alone has threads that do, and some
            desktops there only to threads of the same terminal or session.
    """

    def __init__(self, count: int, each: int, *, idly: bool = False) -> None:
        self._count, self._each, self._idly = count, each, idly
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(count, "distill-work")

    def __enter__(self) -> Workers:
        """Starts them; how many threads an operation of the calling thread has stays as it was."""
        all_there, before = threading.Barrier(self._count), torch.get_num_threads()

        def share_out() -> None:
            torch.get_num_threads()  # a thread takes over what all have when it is first asked
            torch.set_num_threads(self._each)
            if self._idly and sys.platform == "linux":
                with contextlib.suppress(OSError):  # a sandbox forbids it: as nice as before
                    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _IDLY)
            all_there.wait()

        try:
            for begun in [self._executor.submit(share_out) for _ in range(self._count)]:
                result_of(begun)
        except BaseException:
            all_there.abort()
            self._executor.shutdown(cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(before)  # also what later threads begin with
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


def result_of(future: Future[_Made]) -> _Made:
    """Waits for it; an interrupt is heard meanwhile."""
    while not wait([future], timeout=_LOOK_S).done:
        pass
    return future.result()


def in_one_thread(work: Callable[[], _Made], *, idly: bool = False) -> _Made:
    """Has something done by one thread alone, and waits for it.

    Several meet at the end of each operation, and beside a training they mostly wait there for the
    one that has no core.

    Args:
        work: what is done.
        idly: see `Workers`.
    """
    with Workers(1, 1, idly=idly) as worker:
        return result_of(worker.begin(lambda _: work(), None))
