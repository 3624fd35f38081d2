"""Publisher: the one thread behind a dashboard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

PERIOD_S = 1.0
IDLE_PERIODS = 4.0
"""Between two looks while nobody watches."""
_MOST_PERIODS = 3.0
_PERIODS_PER_SECOND = 0.03


def periods_to_rest(calm_s: float) -> float:
    """How long a page may be left alone while a training goes on: what is sent each second is drawn
    with the cores that train, and after a minute or two curves change little in a second.

    Args:
        calm_s: for how long it has gone on, watched by somebody who presses nothing.

    Example:
        >>> periods_to_rest(10), periods_to_rest(50), periods_to_rest(3600)
        (1.0, 1.5, 3.0)
    """
    return min(max(_PERIODS_PER_SECOND * calm_s, 1.0), _MOST_PERIODS)


class Publisher:
    """Calls `tick` until closed: again after as many periods as it says, or at once when woken."""

    def __init__(self, tick: Callable[[], float], *, period_s: float = PERIOD_S) -> None:
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
            periods = 1.0
            try:
                periods = self._tick()
            except Exception:  # a dashboard that fails once must not fall silent for good
                _log.exception("a dashboard could not be updated")
            self._awake.wait(self._period_s * periods)
