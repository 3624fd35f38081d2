"""RunWriter: a run folder as its one trainer sees it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distill.atomic import remove_leftovers, write_atomically
from distill.config import VQVAEConfig
from distill.errors import RunFolderError
from distill.training import states
from distill.training.control import change_control
from distill.training.metrics import CheckpointEvent, Event, event_to_line, events_from_lines
from distill.training.run_folder import (
    CHECKPOINTS,
    EVENTS,
    OWN_FILES,
    PREVIEWS,
    REQUEST,
    STATUS,
    RunFolder,
    RunStatus,
    acquire_lock,
    check_room,
    status_to_json,
)

_LONGEST_CHECKPOINT_LINE = 4096
_RESERVE, _RESERVE_BYTES = ".reserve", 1 << 16


def begin_run(path: Path, request: dict[str, Any], *, overwrite: bool = False) -> None:
    """Makes a run folder that a trainer can be started in: only the request is in it.

    Raises:
        RunFolderError: another trainer is at work there, it holds an earlier run, it holds
            something else, or it cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = acquire_lock(path)
        try:
            _refuse_if_starting(path)
            check_room(path, overwrite)
            for name in OWN_FILES:
                target = path / name
                if target.is_dir():
                    shutil.rmtree(target)
                else:
                    target.unlink(missing_ok=True)
            remove_leftovers(path)
            write_request(path, request)
            change_control(path, reset=True)
        finally:
            lock.release()
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error


def _refuse_if_starting(path: Path) -> None:
    if RunFolder(path).is_starting:
        raise RunFolderError(f"{path}: another training is starting there; attach to it")


def extend_run(path: Path, budget: Mapping[str, float | None]) -> None:
    """Makes a run that has ended ready to go on, with a new budget where one is given.

    Raises:
        RunFolderError: no run is there, a trainer is at work, it is finished and has no new budget,
            or it cannot be written.
    """
    folder = RunFolder(path)
    request = folder.read_request()
    budget = {name: limit for name, limit in budget.items() if limit is not None}
    _refuse_what_is_done(folder, budget)
    if not budget and folder.read_state() == states.FINISHED:
        raise RunFolderError(
            f"{path}: is finished; to go on give it a larger max_epochs, max_steps or max_seconds"
        )
    try:
        lock = acquire_lock(path)
        try:
            _refuse_if_starting(path)
            if budget:
                ends = {"max_epochs": None, "max_steps": None, "max_seconds": None, **budget}
                config = VQVAEConfig.from_dict({**request["config"], **ends})
                write_request(path, {**request, "config": config.to_dict()})
            change_control(path, reset=True)
        finally:
            lock.release()
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error


def _refuse_what_is_done(folder: RunFolder, budget: Mapping[str, float | None]) -> None:
    status = folder.read_status()
    if status is not None:
        for name, done in (("max_epochs", status.epoch), ("max_steps", status.step)):
            limit = budget.get(name)
            if limit is not None and limit <= done:
                raise RunFolderError(f"{folder.path}: {name}={limit}, but {done} are done already")


def announce_trainer(path: Path, pid: int) -> None:
    """Says that a trainer was started, in the seconds before it can say so itself."""
    before = RunFolder(path).read_status()
    status = RunStatus.now(
        states.STARTING,
        pid=pid,
        epoch=before.epoch if before else 0,
        step=before.step if before else 0,
        session=before.session if before else 0,
    )
    with write_atomically(path / STATUS, durable=False) as file:
        file.write(status_to_json(status))


def write_request(path: Path, request: dict[str, Any]) -> None:
    """Writes down what is asked of a run."""
    with write_atomically(path / REQUEST) as file:
        file.write(json.dumps(request, indent=1, ensure_ascii=False).encode())


@contextlib.contextmanager
def hold_run(path: Path) -> Iterator[RunWriter]:
    """Holds a run folder's lock: one trainer to a run, whatever happens.

    Raises:
        RunFolderError: no run was begun there, another trainer is at work, or it cannot be written.
    """
    folder = RunFolder(path)
    folder.read_request()
    try:
        lock = acquire_lock(path)
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        for part in (path, path / CHECKPOINTS):
            remove_leftovers(part)
        if not folder.is_starting:  # started by hand: a stop of long ago is not meant for it
            change_control(path, reset=True)
        writer = RunWriter(path)
        try:
            yield writer
        finally:
            writer.close()
    finally:
        lock.release()


class RunWriter(RunFolder):
    """Appends events and says where the run is."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        before = self.read_status()
        self.session = before.session + 1 if before else 1
        self._events = (path / EVENTS).open("ab", buffering=0)
        self._events_size = self._events.tell()
        self._pending: deque[bytes] = deque()
        self._reserve = path / _RESERVE
        with contextlib.suppress(OSError):
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))

    def append(self, event: Event) -> None:
        """Adds an event.

        Raises:
            OSError: the disk is full; the event is kept and written with the next one.
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
                if self._reserve.exists():  # so that there is room to say that there is no room
                    self._reserve.unlink()
                    continue
                raise
            self._events_size += len(line)
            self._pending.popleft()

    def rewind_events(self, size: int) -> None:
        """Forgets what happened after a checkpoint.

        Args:
            size: of the log when the checkpoint was taken; the note of the checkpoint itself
                comes right after it and is kept.
        """
        lines, _ = self.read_lines(size, _LONGEST_CHECKPOINT_LINE)
        note = next(events_from_lines(lines[:1]), None)
        if isinstance(note, CheckpointEvent):
            size += len(lines[0]) + 1
        self._events.truncate(size)
        self._events_size = size

    def forget_previews(self, kept: set[str]) -> None:
        """Removes preview folders that no remaining event names."""
        if self.previews.is_dir():
            for folder in self.previews.iterdir():
                if f"{PREVIEWS}/{folder.name}" not in kept:
                    shutil.rmtree(folder)

    def write_status(self, status: RunStatus) -> None:
        """Says where the run is."""
        with write_atomically(self.path / STATUS, durable=False) as file:
            file.write(status_to_json(status))

    def close(self) -> None:
        """Closes the event log."""
        with contextlib.suppress(OSError):
            self._flush()
        self._reserve.unlink(missing_ok=True)
        self._events.close()
