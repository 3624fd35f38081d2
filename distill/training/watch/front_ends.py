"""What front ends do while this process waits for a run: a waiting cell holds up their pages."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)
_callbacks: list[Callable[[], None]] = []


def call_while_waiting(callback: Callable[[], None]) -> None:
    """Has a front end called every moment while somebody waits for a run.

    Args:
        callback: called in the thread that waits; once, however often it is given here. One that
            raises is logged and not called again.
    """
    if callback not in _callbacks:
        _callbacks.append(callback)


def while_waiting() -> None:
    """Lets every front end do what it has to."""
    for callback in tuple(_callbacks):
        try:
            callback()
        except Exception:  # whatever foreign code raises, the waiting goes on
            _log.exception("a front end could not work while a run was waited for")
            _callbacks.remove(callback)
