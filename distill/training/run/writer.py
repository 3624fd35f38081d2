"""RunWriter: a run folder as its one trainer sees it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from distill.entry_kinds import FOLDER
from distill.errors import ForeignEntryError, RunFolderError
from distill.own_folder import OwnFolder
from distill.training.run.control import change_control
from distill.training.run.folder import RunFolder, acquire_lock
from distill.training.run.layout import (
    CHECKPOINTS,
    EVENTS,
    PREVIEWS,
    RESERVE,
    STATUS,
    WEIGHTS,
    is_ours,
    refuse_foreign,
)
from distill.training.run.status import RunStatus, status_to_json
from distill.training.watch.event_lines import (
    CheckpointEvent,
    Event,
    Gaps,
    event_to_line,
    events_from_lines,
)

_LONGEST_CHECKPOINT_LINE = 4096
_RESERVE_BYTES = 1 << 16


@contextlib.contextmanager
def hold_run(path: Path) -> Iterator[RunWriter]:
    """Holds a run folder's lock: one trainer to a run, whatever happens.

    The folder is opened once: what is written goes there, also when it is moved meanwhile.

    Raises:
        RunFolderError: no run was begun there, another trainer is at work, it cannot be written,
            or something in it is not ours, as a link.
    """
    run = RunFolder(path)
    run.read_request()
    with contextlib.ExitStack() as held:
        try:
            folder = held.enter_context(OwnFolder(path))
            refuse_foreign(folder)
            lock = acquire_lock(folder)
        except ForeignEntryError:
            raise
        except OSError as error:
            raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
        held.callback(lock.release)
        _tidy(folder)
        if not run.is_starting:  # started by hand: a stop of long ago is not meant for it
            change_control(folder, reset=True)
        writer = RunWriter(folder)
        held.callback(writer.close)
        yield writer


def _tidy(folder: OwnFolder) -> None:
    """Removes what killed trainers were about to write."""
    previews = [f"{PREVIEWS}/{entry.name}" for entry in folder.entries(PREVIEWS)]
    inner = [name for name in previews if is_ours(name) and folder.kind(name) == FOLDER]
    for name in ("", CHECKPOINTS, *inner):
        folder.remove_leftovers(name, is_ours)
    folder.remove(WEIGHTS)  # of a moment that is over


class RunWriter(RunFolder):
    """Appends events and reports where the run is.

    Args:
        folder: stays open for as long as this is used; its path leads there.
    """

    def __init__(self, folder: OwnFolder) -> None:
        super().__init__(folder.path)
        self.files = folder
        """What every writing goes through: nothing outside is reached."""
        before = self.read_status()
        self.session = before.session + 1 if before else 1
        self.last_host = before.host if before else ""
        """Name of the machine that trained this run last."""
        self._events = folder.append(EVENTS)
        self._events_size = self._events.tell()
        self._pending: deque[bytes] = deque()
        with contextlib.suppress(OSError), folder.write(RESERVE, durable=False) as file:
            file.write(bytes(_RESERVE_BYTES))

    def follow_move(self) -> Path | None:
        """Notices that the folder was moved; `path` is its new place from then on.

        Returns:
            The new place; None where it was not moved.

        Raises:
            RunFolderError: it was deleted, or its disk is gone: there is nowhere to write to.
        """
        if self.files.is_in_place:
            return None
        place = self.files.whereabouts
        if place is None:
            raise RunFolderError(
                f"{self.path}: the run folder is not there any more: it was deleted, or its disk "
                "was taken away; where it comes back, resume goes on from its last checkpoint"
            )
        self.path = self.files.path = place
        return place

    def append(self, event: Event) -> None:
        """Adds an event.

        Raises:
            OSError: the disk is full; the event waits and is written with the next one.
        """
        self._pending.append(event_to_line(event))
        self._flush()

    def sync_events(self) -> int:
        """Brings the events to the disk; returns their size in bytes.

        Raises:
            OSError: the disk is full.
        """
        self._flush()
        os.fsync(self._events.fileno())
        return self._events_size

    def _flush(self) -> None:
        while self._pending:
            line = self._pending[0]
            try:
                if self._events.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                with contextlib.suppress(OSError):
                    self._events.truncate(self._events_size)
                if self._free_reserve():  # so that there is room to say that there is no room
                    continue
                raise
            self._events_size += len(line)
            self._pending.popleft()

    def _free_reserve(self) -> bool:
        try:
            return self.files.remove(RESERVE)
        except OSError:
            return False

    def rewind_events(self, size: int) -> str:
        """Forgets what happened after a checkpoint, whatever a power cut made of it.

        Args:
            size: of the log when the checkpoint was taken; the note of the checkpoint itself
                comes right after it and stays.

        Returns:
            What is missing of the log before that, as a sentence; empty where nothing is.
        """
        there = os.fstat(self._events.fileno()).st_size
        if there < size:
            self._cut(there)
            missing = "was deleted" if not there else f"has {there:,} bytes of {size:,}"
            return (
                f"{EVENTS} {missing} since the checkpoint: what it reported is not shown any more; "
                "nothing that was learned is lost"
            )
        lines, _ = self.read_lines(size, _LONGEST_CHECKPOINT_LINE)
        note = next(events_from_lines(lines[:1], Gaps()), None)
        if isinstance(note, CheckpointEvent):
            size += len(lines[0]) + 1
        self._cut(size)
        return ""

    def _cut(self, size: int) -> None:
        """Ends the log there, at the end of a line."""
        with self.files.read(EVENTS) as log:
            log.seek(max(0, size - 1))
            is_whole = size == 0 or log.read(1) == b"\n"
        self._events.truncate(size)
        self._events_size = size
        if not is_whole:  # the rest of that line is lost; the next one is to be read
            self._events_size += self._events.write(b"\n")

    def forget_previews(self, named: set[str]) -> None:
        """Removes preview folders that no remaining event names, as far as they are ours."""
        for entry in self.files.entries(PREVIEWS):
            name = f"{PREVIEWS}/{entry.name}"
            if entry.kind == FOLDER and name not in named and is_ours(name):
                self.files.remove_tree(name, is_ours)

    def write_status(self, status: RunStatus) -> None:
        """Reports where the run is."""
        try:
            with self.files.write(STATUS, durable=False) as file:
                file.write(status_to_json(status))
        except OSError:
            with contextlib.suppress(OSError):  # a sign of life needs no room
                self.files.touch(STATUS)
            raise

    def close(self) -> None:
        """Closes the event log."""
        with contextlib.suppress(OSError):
            self._flush()
        self._free_reserve()
        with contextlib.suppress(OSError):  # what is kept serves from now on
            self.files.remove(WEIGHTS)
        self._events.close()

    @property
    def events_bytes(self) -> int:
        """Size of the event log."""
        return os.fstat(self._events.fileno()).st_size

    def _open(self, name: str) -> BinaryIO:
        return self.files.read(name)
