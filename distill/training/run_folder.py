"""The files of a run: the only truth about it, for whoever trains, watches or resumes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from distill.atomic import write_atomically
from distill.errors import RunFolderError
from distill.training.metrics import Event, event_from_dict, event_to_json

REQUEST, EVENTS, STATUS, CONTROL = "run.json", "events.jsonl", "status.json", "control.json"
CHECKPOINTS, PREVIEWS, MODEL, LOCK = "checkpoints", "previews", "model.distill", ".lock"
_OWN_FILES = (REQUEST, EVENTS, STATUS, CONTROL, CHECKPOINTS, PREVIEWS, MODEL)
_STATUS_PERIOD_S = 0.5


@dataclass(frozen=True)
class RunStatus:
    """Where a run is, as its trainer last said."""

    state: str
    """starting, running, stopping, finished, stopped or failed."""
    pid: int
    heartbeat: float
    """Unix time of the last sign of life."""
    epoch: int
    step: int


class RunFolder:
    """A run folder to read; `trainer` opens it to write."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def request_path(self) -> Path:
        """What was asked: config, corpus manifest, versions, seed."""
        return self.path / REQUEST

    @property
    def model_path(self) -> Path:
        """The trained model, there once the run has ended or was stopped."""
        return self.path / MODEL

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / CHECKPOINTS

    @property
    def previews(self) -> Path:
        """Folder of preview folders, one for each epoch."""
        return self.path / PREVIEWS

    def read_request(self) -> dict[str, Any]:
        """What was asked.

        Raises:
            RunFolderError: no run is there.

        """
        values = _read_json(self.request_path)
        if values is None:
            raise RunFolderError(f"{self.path}: no run there (expected {REQUEST})")
        return values

    def read_status(self) -> RunStatus | None:
        """Where the run is; None where nothing was said yet."""
        values = _read_json(self.path / STATUS)
        return RunStatus(**values) if values else None

    def read_events(self, offset: int = 0) -> tuple[list[Event], int]:
        """Events from a byte offset on, and the offset to go on from.

        A last line without its end is left for the next time.
        """
        try:
            with (self.path / EVENTS).open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        events = [event_from_dict(json.loads(line)) for line in whole.splitlines()]
        return events, offset + len(whole)

    def check_free(self, *, overwrite: bool = False) -> None:
        """Whether a new run may begin here, without touching anything.

        Raises:
                RunFolderError: another trainer is at work there, or it holds an earlier run or
                something else.

        """
        if self.path.is_dir():
            if (self.path / LOCK).exists():
                _lock(self.path).release()
            _check_room(self.path, overwrite)
        elif self.path.exists():
            raise RunFolderError(f"{self.path}: a file; a run needs a folder")

    @classmethod
    @contextlib.contextmanager
    def trainer(
        cls, path: str | os.PathLike[str], *, overwrite: bool = False
    ) -> Iterator[RunWriter]:
        """Makes the folder and holds its lock: one trainer to a run folder.

        Yields:
            RunWriter.

        Raises:
            RunFolderError: another trainer is at work there, it holds an earlier run, it holds
                something else, or it cannot be written.

        """
        folder = Path(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _lock(folder)
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder"
            ) from error
        try:
            _make_room(folder, overwrite)
            writer = RunWriter(folder)
            try:
                yield writer
            finally:
                writer.close()
        finally:
            lock.release()


class RunWriter(RunFolder):
    """The trainer's side of a run folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._events = (path / EVENTS).open("ab", buffering=0)
        self._events_size = self._events.tell()
        self._pending: deque[bytes] = deque()
        self._status_due = 0.0

    def write_request(self, values: dict[str, Any]) -> None:
        """Writes down what was asked."""
        _write_json(self.request_path, values)

    def append(self, event: Event) -> None:
        """Adds an event.

        Raises:
            OSError: the disk is full; the event is kept and written with the next one.

        """
        self._pending.append(event_to_json(event).encode() + b"\n")
        while self._pending:
            line = self._pending[0]
            try:
                written = self._events.write(line)
                if written != len(line):
                    raise OSError(28, os.strerror(28))
            except OSError:
                with contextlib.suppress(OSError):
                    self._events.truncate(self._events_size)
                raise
            self._events_size += len(line)
            self._pending.popleft()

    def sync_events(self) -> int:
        """Brings the events to the disk; returns their size in bytes."""
        os.fsync(self._events.fileno())
        return self._events_size

    def write_status(self, state: str, epoch: int, step: int, *, now: bool = True) -> None:
        """Says where the run is; without `now`, at most twice a second."""
        if now or time.monotonic() >= self._status_due:
            self._status_due = time.monotonic() + _STATUS_PERIOD_S
            status = RunStatus(state, os.getpid(), time.time(), epoch, step)
            _write_json(self.path / STATUS, dataclasses.asdict(status))

    def close(self) -> None:
        """Closes the event log."""
        self._events.close()


def _lock(folder: Path) -> filelock.BaseFileLock:
    """Takes a run folder's lock; the system lets go of it when its owner dies."""
    lock = filelock.FileLock(folder / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        status = RunFolder(folder).read_status()
        who = f" (process {status.pid})" if status else ""
        raise RunFolderError(
            f"{folder}: another training is running there{who}; choose another folder"
        ) from None
    return lock


def _check_room(folder: Path, overwrite: bool) -> None:
    present = [item.name for item in folder.iterdir() if not item.name.startswith(".")]
    if REQUEST in present and not overwrite:
        raise RunFolderError(
            f"{folder}: holds an earlier run; choose another folder, or overwrite it"
        )
    # A trainer killed before it wrote the request left own files only: nothing is lost with them.
    foreign = [name for name in present if name not in _OWN_FILES]
    if foreign and REQUEST not in present:
        raise RunFolderError(
            f"{folder}: holds {foreign[0]!r} and is no run folder; choose a new or empty folder"
        )


def _make_room(folder: Path, overwrite: bool) -> None:
    _check_room(folder, overwrite)
    for name in _OWN_FILES:
        target = folder / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunFolderError(f"{path}: damaged ({error})") from error
    return values


def _write_json(path: Path, values: dict[str, Any]) -> None:
    with write_atomically(path) as file:
        file.write(json.dumps(values, indent=1, ensure_ascii=False).encode())
