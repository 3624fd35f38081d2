"""Follower: reads a run folder as it grows, for one watcher."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from distill.errors import ModelTypeError, RunFolderError
from distill.family import VQVAE, family
from distill.opened_folder import OpenedFolder
from distill.training.run.folder import RunFolder
from distill.training.watch.event_lines import (
    EPOCHS,
    STEPS,
    CheckpointEvent,
    Event,
    Gaps,
    MetricsCallback,
    PreviewEvent,
    ResumeEvent,
    call_back,
    events_from_lines,
)
from distill.training.watch.history import MetricsHistory, history_of

_log = logging.getLogger(__name__)

_DONE_AGAIN = (*STEPS, *EPOCHS, PreviewEvent, CheckpointEvent)
_PERIOD_S = 0.25
_POLLS_FOR_A_SESSION = 10
_CHUNK_BYTES = 4 << 20


def places_of(events: Iterable[Event]) -> dict[str, tuple[int, int]]:
    """What was handed over once somebody got these events: see `Follower`."""
    return {type(event).__name__: _place_of(event) for event in events}


def _place_of(event: Event) -> tuple[int, int]:
    if isinstance(event, ResumeEvent):
        return event.session, 0
    return getattr(event, "epoch", 0), getattr(event, "step", 0)


class Follower:
    """Folds a run's events into a history, from its beginning, and hands each to a callback once.

    It never touches the run: a slow or broken callback slows nobody else. When a run is resumed
    after a crash, what the trainer does again is folded again but not handed over again.

    Args:
        folder: of the run.
        callback: gets every event, in order; detached when it raises.
        trainer_ended: whether the process that is to write has ended, however.
        seen: what was handed over before, by kind: (epoch, step) of the last.
    """

    def __init__(
        self,
        folder: RunFolder,
        callback: MetricsCallback | None,
        *,
        trainer_ended: Callable[[], bool],
        seen: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        self.history = _empty_history(folder)
        self.seen = {} if seen is None else seen
        self.error: Exception | None = None
        """What ended the following, if it could not go on."""
        self.is_whole = False
        """Whether the run has ended and all that it reported is in the history."""
        self._redone, self._new_to_us = dict(self.seen), False
        self._folder, self._callback, self._trainer_ended = folder, callback, trainer_ended
        self._offset, self._session = 0, 0
        self._polls_left = _POLLS_FOR_A_SESSION
        self._place: OpenedFolder | None = None
        self._closing = threading.Event()
        self._caught_up, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="distill-follower", daemon=True)

    def start(self) -> None:
        """Follows in the background until the run ends or `close` is called."""
        self._thread.start()

    @property
    def is_following(self) -> bool:
        """Whether there is more to come."""
        return not self._over.is_set()

    @property
    def has_ended(self) -> bool:
        """Whether it followed the run to its end; not where it was closed, or could not go on."""
        return self._over.is_set() and not self._closing.is_set() and self.error is None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until everything was handed over; whether that happened in time."""
        return self._over.wait(timeout_s)

    def wait_until_caught_up(self) -> None:
        """Waits until what the run had reported so far is in the history."""
        self._caught_up.wait()

    def close(self, *, wait: bool = True) -> None:
        """Stops following: no further event is handed over.

        Args:
            wait: until a callback that is at work has returned.
        """
        self._closing.set()
        if self._thread.ident is None:  # it was never started
            self._over.set()
        if wait and self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._place = OpenedFolder(self._folder.path)
        except OSError:  # read without it
            self._place = None
        try:
            while not self._closing.is_set():
                ended = self._trainer_ended()  # asked before reading: nothing is missed between
                while self._read(ended) and not self._closing.is_set():
                    pass
                self.is_whole = ended
                self._caught_up.set()
                if ended:
                    return
                self._closing.wait(_PERIOD_S)
        except (OSError, ValueError) as error:  # ValueError: a line that is no event
            _log.exception("following %s ended", self._folder.path)
            self.error = error
        finally:
            if self._place is not None:
                self._place.close()
            self._caught_up.set()
            self._over.set()

    def _read(self, ended: bool) -> bool:
        """Takes what is there now; whether there was anything."""
        if self._notice_new_session(waits=not ended and self._polls_left > 0):
            self._polls_left -= 1
            return False
        self._polls_left = _POLLS_FOR_A_SESSION
        if self._offset and self._folder.events_bytes == self._offset:
            return False
        lines, offset = self._folder.read_lines(self._offset, _CHUNK_BYTES)
        status = self._folder.read_status() if lines else None
        if status is not None and status.session != self._session:
            return True  # it began between the two polls: nothing is taken of what it may have cut
        self._offset = offset
        self.history.update_lines(lines)
        if self._callback is not None:
            for event in events_from_lines(lines, Gaps()):  # the history has counted them
                self._hand_over(event)
        return bool(lines)

    def _notice_move(self) -> None:
        """Somebody has renamed the folder, or put another in its place: reads on there."""
        place = self._place
        if place is None or place.is_in_place:
            return
        now = place.whereabouts
        if now is not None:
            _log.warning("%s was moved to %s", self._folder.path, now)
            self._folder.path = place.path = now
        elif self._folder.is_run:
            place.close()
            self._place = OpenedFolder(self._folder.path)

    def _notice_new_session(self, *, waits: bool) -> bool:
        """A trainer that resumes a run forgets what came after its checkpoint: so do we.

        Returns:
            Whether the log was cut a moment ago, and the session that follows is not reported yet:
            to read on before it is would be to read the same twice.
        """
        self._notice_move()
        status = self._folder.read_status()
        if status is None and not self._folder.is_run:  # deleted: what it reported stays here
            return False
        session = status.session if status else self._session
        # A log that is shorter than what was read of it is another one: the run was begun anew.
        shrunk = self._folder.events_bytes < self._offset
        if waits and shrunk and session == self._session:
            return True
        if (session != self._session or shrunk) and self._offset:
            self.history, self._offset = _empty_history(self._folder), 0
            self._redone, self._new_to_us = dict(self.seen), False
        self._session = session
        return False

    def _hand_over(self, event: Event) -> None:
        kind, place = type(event).__name__, _place_of(event)
        if isinstance(event, ResumeEvent):
            self._new_to_us = place > self._redone.get(kind, (0, 0))
        done_before = place <= self._redone.get(kind, (-1, -1))
        if isinstance(event, _DONE_AGAIN):  # the same steps, epochs and sounds, once more
            skip = done_before
        else:
            skip = bool(self._redone) and not self._new_to_us
        if skip or self._closing.is_set():
            return
        self.seen[kind] = place
        if call_back(self._callback, event):
            self._callback = None


def _empty_history(folder: RunFolder) -> MetricsHistory:
    try:
        return history_of(family(str(folder.read_request().get("model_type", VQVAE))))
    except (RunFolderError, ModelTypeError):  # what can be shown of it is shown all the same
        return MetricsHistory()
