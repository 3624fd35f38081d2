"""The states of a run, and which may follow which.

starting ── running ──┬── stopping ── stopped
             │  │     │
           paused ────┴── finished
any of the above but the ended ones ── failed
any of the above but the ended ones ── gone      (seen from outside: the trainer is dead)
any of the above but the ended ones ── not answering, and back       (seen from outside, too)
stopped, finished, failed, gone ── starting      (somebody resumed the run)
"""

from __future__ import annotations

STARTING, RUNNING, PAUSED, STOPPING = "starting", "running", "paused", "stopping"
FINISHED, STOPPED, FAILED, GONE = "finished", "stopped", "failed", "gone"
NOT_ANSWERING = "not answering"
"""Seen from outside: the trainer holds the run, but has given no sign of life for seconds: it was
suspended, or its machine or disk is stuck. What it was doing before it does again afterwards."""
IDLE = "idle"
"""Of a runner that has no run yet."""

ACTIVE = frozenset({STARTING, RUNNING, PAUSED, STOPPING, NOT_ANSWERING})
ENDED = frozenset({FINISHED, STOPPED, FAILED, GONE})

TRANSITIONS: dict[str, frozenset[str]] = {
    STARTING: frozenset({RUNNING, STOPPING, FAILED, GONE}),
    RUNNING: frozenset({PAUSED, STOPPING, FINISHED, FAILED, GONE}),
    PAUSED: frozenset({RUNNING, STOPPING, FAILED, GONE}),
    STOPPING: frozenset({STOPPED, FINISHED, FAILED, GONE}),
    NOT_ANSWERING: frozenset({RUNNING, PAUSED, STOPPING, STOPPED, FINISHED, FAILED, GONE}),
    FINISHED: frozenset({STARTING}),
    STOPPED: frozenset({STARTING}),
    FAILED: frozenset({STARTING}),
    GONE: frozenset({STARTING}),
}


def may_follow(before: str, after: str) -> bool:
    """Whether a run may go from one state to another; staying is always allowed.

    Example:
        >>> may_follow("paused", "running"), may_follow("finished", "running")
        (True, False)
    """
    return before == after or after in TRANSITIONS[before]


def shown_epoch(done: int, state: str) -> int:
    """The number by which people call an epoch of a run.

    While one lasts that is its own, counted from 1; afterwards, how many there were.

    Args:
        done: epochs that are done.
        state: of the run.

    Example:
        >>> shown_epoch(3, "running"), shown_epoch(3, "finished")
        (4, 3)
    """
    return done + (state in ACTIVE)
