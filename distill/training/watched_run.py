"""WatchedRun: one run as one runner watches it, and what trains it where that was started here."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from distill.errors import IncompleteRunError, TrainingError
from distill.training.outcome import error_of, result_of
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.status import RunStatus
from distill.training.session.result import TrainingResult
from distill.training.trainers import Trainer
from distill.training.watch.event_lines import MetricsCallback
from distill.training.watch.follower import Follower
from distill.training.watch.front_ends import while_waiting
from distill.training.watch.history import MetricsHistory
from distill.training.watch.progress import ProgressBar

_POLL_S = 0.2


@dataclass(frozen=True)
class RunSnapshot:
    """A run at one moment, as `TrainingRunner.poll` finds it."""

    state: str
    """See `TrainingRunner.state`."""
    history: MetricsHistory
    """What the run has reported so far. It grows while the run does, and is another object once the
    run is resumed."""
    status: RunStatus | None = None
    """What its trainer last reported; None where there is no run yet, or nothing was reported."""
    is_caught_up: bool = True
    """Whether the history has all of a run that has ended: a state is read sooner than events."""


class WatchedRun:
    """A run folder, who follows it, and its trainer where that was started here.

    Args:
        folder: of the run.
        callback: gets every event once; see `Follower`.
        seen: what it was given before; see `Follower`.
    """

    def __init__(
        self,
        folder: RunFolder,
        callback: MetricsCallback | None,
        seen: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        self.folder, self.callback = folder, callback
        self.trainer: Trainer | None = None
        """What trains it, where that was started here."""
        self._lock = threading.Lock()
        self._follower = self._make_follower({} if seen is None else seen)

    def follow(self) -> Follower:
        """Begins to follow; what was reported before is read first."""
        self._follower.start()
        return self._follower

    @property
    def seen(self) -> dict[str, tuple[int, int]]:
        """What the callback was given; see `Follower`."""
        return self._follower.seen

    @property
    def history(self) -> MetricsHistory:
        """What the run has reported so far."""
        return self._follower.history

    @property
    def trouble(self) -> Exception | None:
        """Why the history is not everything, or does not grow any more."""
        if self._follower.error is not None:
            return self._follower.error
        gaps = self.history.gaps
        return IncompleteRunError(f"{self.folder.path}: {gaps}") if gaps else None

    @property
    def result(self) -> TrainingResult | None:
        """What the run left behind; None until it has ended well."""
        return result_of(self.folder, self.history)

    @property
    def error(self) -> BaseException | None:
        """What ended the run, if it has ended, and not well."""
        if self.folder.read_state() in states.ACTIVE:
            return None
        return error_of(self.folder, self.history, self.trainer)

    def poll(self) -> RunSnapshot:
        """The run as it is now; follows it again where somebody has resumed it."""
        state, status = self.folder.read_state_and_status()
        with self._lock:
            follower = self._follower
            if state in states.ACTIVE and follower.has_ended:
                self.trainer = None
                self._follower = follower = self._make_follower(follower.seen)
                follower.start()
        is_caught_up = follower.is_whole or not follower.is_following
        return RunSnapshot(state, follower.history, status, is_caught_up)

    def wait(self, timeout_s: float | None, *, progress: bool) -> bool:
        """Waits until the run has ended and all that it reported is in the history.

        Returns:
            Whether that happened in time.

        Raises:
            TrainingError: the run cannot be followed.
        """
        self.poll()
        follower = self._follower
        ends = None if timeout_s is None else time.monotonic() + timeout_s
        with ProgressBar(shown=progress) as bar:
            while not follower.wait(_POLL_S):
                bar.show(follower.history)
                while_waiting()
                if ends is not None and time.monotonic() >= ends:
                    return False
            bar.show(follower.history)
        if follower.error is not None:
            raise TrainingError(f"the run cannot be followed: {follower.error}") from follower.error
        return True

    def close(self, **options: Any) -> None:
        """Follows no more; see `Follower.close`."""
        self._follower.close(**options)

    def _make_follower(self, seen: dict[str, tuple[int, int]]) -> Follower:
        return Follower(self.folder, self.callback, trainer_ended=self._trainer_ended, seen=seen)

    def _trainer_ended(self) -> bool:
        if self.trainer is not None:
            return not self.trainer.is_alive
        return self.folder.read_state() in states.ENDED
