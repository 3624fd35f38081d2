"""RunWriter: a run folder as its one trainer sees it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from distill.audio.corpus import AudioCorpus, Source
from distill.entry_kinds import FOLDER
from distill.errors import ForeignEntryError, RunFolderError
from distill.models.device import check_devices
from distill.names import path_from_text
from distill.own_folder import OwnFolder
from distill.training.run import states
from distill.training.run.control import change_control
from distill.training.run.folder import (
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
from distill.training.run.layout import CHECKPOINTS, RESERVE, is_ours, refuse_foreign
from distill.training.run.request import RunRequest, config_of
from distill.training.run.sounds_inside import refuse_sounds_inside
from distill.training.watch.event_lines import (
    CheckpointEvent,
    Event,
    Gaps,
    event_to_line,
    events_from_lines,
)

_LONGEST_CHECKPOINT_LINE = 4096
_RESERVE_BYTES = 1 << 16


def begin_run(path: Path, request: dict[str, Any], *, overwrite: bool = False) -> None:
    """Makes a run folder that a trainer can be started in: only the request is in it.

    What an earlier run left is removed; files that no run can have made stay.

    Raises:
        RunFolderError: another trainer is at work there, it holds an earlier run, it holds
            something else, as a link, or the sounds that it is to learn from; or it cannot be
            written.
    """
    refuse_sounds_inside(path, map(path_from_text, request.get("sources", ())))
    try:
        path.mkdir(parents=True, exist_ok=True)
        with OwnFolder(path) as folder:
            refuse_foreign(folder)
            lock = acquire_lock(folder)
            try:
                _refuse_if_starting(path)
                check_room(path, overwrite)
                _clear(folder)
                write_request(folder, request)
                change_control(folder, reset=True)
            finally:
                lock.release()
    except ForeignEntryError:
        raise
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error


def _clear(folder: OwnFolder) -> None:
    for name in OWN_FILES:
        if folder.kind(name) == FOLDER:
            folder.remove_tree(name, is_ours)
        else:
            folder.remove(name)
    folder.remove_leftovers("", is_ours)


def _refuse_if_starting(path: Path) -> None:
    if RunFolder(path).is_starting:
        raise RunFolderError(f"{path}: another training is starting there; attach to it")


def extend_run(
    path: Path,
    budget: Mapping[str, float | None],
    *,
    sounds: Source | None = None,
    new_sounds: bool = False,
    devices: int | None = None,
) -> AudioCorpus | None:
    """Makes a run that has ended ready to be resumed, with a new budget where one is given.

    Args:
        path: of the run.
        budget: new limits by name; None leaves the old ones.
        sounds: where the run's sounds are now, if not where they were; they are read, and
            recognised by their content.
        new_sounds: also learns from sounds that have come to its folders since it began.
        devices: another number of processes to train in.

    Returns:
        What was read of `sounds`, so that it need not be decoded again; None where nothing was.

    Raises:
        RunFolderError: no run is there, a trainer is at work, it is finished and has no new budget,
            or it cannot be written.
        CorpusError: the run comes from elsewhere and `sounds` are not given, or some are missing.
        ConfigError: this machine does not have so many devices.
    """
    folder = RunFolder(path)
    request = folder.read_request()
    limits = {name: limit for name, limit in budget.items() if limit is not None}
    _refuse_what_is_done(folder, limits)
    if not limits and folder.read_state() == states.FINISHED:
        raise RunFolderError(
            f"{path}: is finished; to go on give it a larger max_epochs, max_steps or max_seconds"
        )
    _refuse_if_starting(path)  # before sounds are read; once more where nobody can come between
    changed = _with_budget(request, limits)
    if devices is not None:
        check_devices(RunRequest.from_dict(request).device, devices)
        changed = {**changed, "devices": devices}
    found: AudioCorpus | None = None
    if "sources" in changed:
        status = folder.read_status()
        asked = RunRequest.from_dict(changed)
        found = None if sounds is None else _scanned(asked, sounds)
        ready = _ready(asked, status.host if status else "", found)
        ready = ready.with_new_sounds() if new_sounds else ready
        if ready.devices > 1:
            check_devices(ready.device, ready.devices)
        changed = ready.to_dict()
    try:
        with OwnFolder(path) as opened:
            refuse_foreign(opened)
            lock = acquire_lock(opened)
            try:
                _refuse_if_starting(path)
                if changed != request:
                    write_request(opened, changed)
                change_control(opened, reset=True)
            finally:
                lock.release()
    except ForeignEntryError:
        raise
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
    return found


def _with_budget(request: dict[str, Any], budget: Mapping[str, float]) -> dict[str, Any]:
    """A request with other limits; the old ones end with it."""
    if not budget:
        return request
    config, model_type = request.get("config"), request.get("model_type")
    if not isinstance(config, dict) or not isinstance(model_type, str):
        raise RunFolderError("run.json cannot be used: it has no config")
    ends = {"max_epochs": None, "max_steps": None, "max_seconds": None, **budget}
    return {**request, "config": config_of({**request, "config": {**config, **ends}}).to_dict()}


def _scanned(request: RunRequest, sounds: Source) -> AudioCorpus:
    return AudioCorpus.scan(sounds, sample_rate=request.sample_rate, progress=False)


def _ready(request: RunRequest, last_host: str, found: AudioCorpus | None) -> RunRequest:
    """A request whose sounds this person has named."""
    if found is not None:
        return request.with_sounds(found, found.places)
    request.check_ours(last_host)
    return request.sealed()


def _refuse_what_is_done(folder: RunFolder, budget: Mapping[str, float]) -> None:
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
    if before:
        status = replace(status, seen_before=before.seen_before or before.heartbeat)
    with OwnFolder(path) as folder, folder.write(STATUS, durable=False) as file:
        file.write(status_to_json(status))


def write_request(folder: Path | OwnFolder, request: dict[str, Any]) -> None:
    """Writes down what is asked of a run."""
    if not isinstance(folder, OwnFolder):
        with OwnFolder(folder) as opened:
            write_request(opened, request)
        return
    with folder.write(REQUEST) as file:
        file.write(json.dumps(request, indent=1, ensure_ascii=False).encode())


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
                comes right after it and is kept.

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

    def forget_previews(self, kept: set[str]) -> None:
        """Removes preview folders that no remaining event names, as far as they are ours."""
        for entry in self.files.entries(PREVIEWS):
            name = f"{PREVIEWS}/{entry.name}"
            if entry.kind == FOLDER and name not in kept and is_ours(name):
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
        self._events.close()

    @property
    def events_bytes(self) -> int:
        """Size of the event log."""
        return os.fstat(self._events.fileno()).st_size

    def _open(self, name: str) -> BinaryIO:
        return self.files.read(name)
