"""Publisher: the one thread behind a dashboard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

PERIOD_S = 1.0
_IDLE_PERIODS = 4


class Publisher:
    """Calls `tick` until closed: once a second while it says that anybody watches, else seldom, and
    at once when woken.
    """

    def __init__(self, tick: Callable[[], bool], *, period_s: float = PERIOD_S) -> None:
        self._tick, self._period_s = tick, period_s
        self._awake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="distill-publisher", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """Has `tick` called now."""
        self._awake.set()

    def close(self) -> None:
        """Ends; returns when no call is under way any more."""
        self._closing.set()
        self._awake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._awake.clear()
            watched = True
            try:
                watched = self._tick()
            except Exception:  # a dashboard that fails once must not fall silent for good
                _log.exception("a dashboard could not be updated")
            self._awake.wait(self._period_s * (1 if watched else _IDLE_PERIODS))
