"""Whether a heartbeat moves, by this machine's own clock."""

from __future__ import annotations

import time

STALE_S = 5.0
_POLL_S = 1.0


class Pulse:
    """What one watcher has seen of a heartbeat. Two machines' clocks need not agree: a heartbeat is
    one that changes between two polls.
    """

    def __init__(self) -> None:
        self._beat: object = None
        self._since, self._moved = 0.0, False

    def see(self, beat: object) -> None:
        """Takes what the heartbeat says now."""
        if beat != self._beat:
            self._moved = self._beat is not None
            self._beat, self._since = beat, time.monotonic()

    @property
    def is_beating(self) -> bool:
        """Whether it was seen to change a moment ago."""
        return self._moved and time.monotonic() - self._since < STALE_S

    @property
    def is_unsure(self) -> bool:
        """Whether it was not polled for long enough to know."""
        return not self._moved and time.monotonic() - self._since < _POLL_S

    def is_fresh(self, at: float) -> bool:
        """Whether it is new by the clock, or was seen to change a moment ago.

        Args:
            at: Unix time of the heartbeat, in the clock of who made it.
        """
        resting = time.monotonic() - self._since
        by_clock = abs(time.time() - at) < STALE_S and resting < STALE_S
        return by_clock or self.is_beating
