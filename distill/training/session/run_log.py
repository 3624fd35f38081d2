"""RunLog: where events go, and what is done where a disk is full or a callback breaks."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from distill.errors import AudioFileError, ModelFileError
from distill.training.run.writer import RunWriter
from distill.training.watch.event_lines import Event, MetricsCallback, WarningEvent, call_back
from distill.training.watch.history import MetricsHistory

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 16 << 20


class RunLog:
    """Sends events to a history, the run folder and a callback. A full disk or a broken callback
    costs messages, never the training.

    Args:
        history: of the run, without any events yet.
        folder: of the run, held by the caller.
        callback: gets every event; one that raises is detached.
    """

    def __init__(
        self, history: MetricsHistory, folder: RunWriter, callback: MetricsCallback | None
    ) -> None:
        self.history = history
        self._folder, self._callback = folder, callback
        self._full_disk: set[str] = set()  # what could not be written, and was warned of

    def emit(self, event: Event) -> None:
        """Sends an event to the history, the run folder and the callback, in this order."""
        self.history.update(event)
        with self.disk("the events of the run", event):
            self._folder.append(event)
        if error := call_back(self._callback, event):
            self._callback = None
            self._warn(
                "callback",
                f"a callback raised {type(error).__name__}: {error}; "
                "it is not called any more, training goes on",
                event,
            )

    def warn(self, kind: str, message: str) -> None:
        """Tells a person something, in plain words."""
        self._warn(kind, message, self.history.last_step)

    @contextlib.contextmanager
    def disk(self, what: str, event: Event | None = None) -> Iterator[None]:
        """Warns once where something cannot be written, until it can be again.

        Args:
            what: is written within, for people.
            event: at which that is.
        """
        try:
            yield
        except (OSError, AudioFileError, ModelFileError) as error:
            _log.warning("could not write %s: %s", what, error)
            if what not in self._full_disk:
                self._full_disk.add(what)
                message = (
                    f"could not write {what} in {self._folder.path} ({error}): training goes on, "
                    "make room"
                )
                self._warn("disk", message, event)
        else:
            self._full_disk.discard(what)

    def read_again(self) -> None:
        """Folds what earlier sessions have written into the history."""
        offset = 0
        while True:
            lines, offset = self._folder.read_lines(offset, _CHUNK_BYTES)
            if not lines:
                return
            self.history.update_lines(lines)

    def _warn(self, kind: str, message: str, about: Event | None) -> None:
        epoch, step = getattr(about, "epoch", 0), getattr(about, "step", 0)
        self.emit(WarningEvent(epoch, step, kind, message))
