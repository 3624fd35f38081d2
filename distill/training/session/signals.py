"""Signals that ask a training to end: Ctrl-C, a scheduler's or docker's SIGTERM, a closed terminal.

A handler may run between any two instructions of the main thread, also within another handler: here
it sets attributes and writes to file descriptors, nothing that takes a lock or a buffer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

STOP_WITHIN_S = 5.0
"""So long after the first signal a validation may go on; half of what docker waits by default."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_OURS_TO_TAKE = (signal.SIG_DFL, signal.default_int_handler)  # others' handlers are left alone


class Cancel(Protocol):
    """What can ask a training to stop: a `threading.Event`, or `StopSignals`."""

    def is_set(self) -> bool:
        """Whether to stop."""


class StopSignals:
    """The signals that came so far. The first asks to stop; a second one, or `STOP_WITHIN_S` gone
    by, to do so without validating.

    Args:
        notice: written to stderr when the first one comes.
    """

    def __init__(self, notice: str = "") -> None:
        self.numbers: list[int] = []
        """In the order in which they came."""
        self._notice = notice.encode()
        self._since_s = 0.0
        self._terminals: list[int] = []

    def is_set(self) -> bool:
        """Whether one came."""
        return bool(self.numbers)

    @property
    def want_now(self) -> bool:
        """Whether there is no time left for anything but keeping the model."""
        return len(self.numbers) > 1 or (
            self.is_set() and time.monotonic() - self._since_s > STOP_WITHIN_S
        )

    @property
    def from_a_person(self) -> bool:
        """Whether all of them are Ctrl-C; others may be followed by a SIGKILL within seconds."""
        return all(number == signal.SIGINT for number in self.numbers)

    def receive(self, number: int, _frame: Any = None) -> None:
        """A signal came."""
        if not self.numbers:
            self._since_s = time.monotonic()
        self.numbers.append(number)
        if number == getattr(signal, "SIGHUP", None):
            self._leave_terminals()
        elif len(self.numbers) == 1 and self._notice:
            with contextlib.suppress(OSError):
                os.write(2, self._notice)

    def watch_terminals(self) -> None:
        """Notes which of the standard streams a terminal shows: once it is closed, writing to them
        is an error, and nobody is there to read.
        """
        for descriptor in (0, 1, 2):
            with contextlib.suppress(OSError):
                if os.isatty(descriptor):
                    self._terminals.append(descriptor)

    def _leave_terminals(self) -> None:
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_RDWR)
            for descriptor in self._terminals:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)


@contextlib.contextmanager
def stopped_by_signals(notice: str = "", *, repeat: bool = False) -> Iterator[StopSignals]:
    """Receives the signals that ask a program to end, for as long as it trains.

    Only those that nobody else handles or ignores, and only in the main thread, where Python
    delivers them; elsewhere nothing changes.

    Args:
        notice: see `StopSignals`.
        repeat: afterwards what the last of them does by default happens: KeyboardInterrupt, or the
            end of the program.
    """
    stop, before = StopSignals(notice), {}
    if threading.current_thread() is threading.main_thread():
        stop.watch_terminals()
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) in _OURS_TO_TAKE:
                before[number] = signal.signal(number, stop.receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if repeat and stop.numbers:
        signal.raise_signal(stop.numbers[-1])
