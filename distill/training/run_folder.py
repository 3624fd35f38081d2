"""The files of a run: the only truth about it, for whoever trains, watches or resumes."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from distill.atomic import patiently
from distill.errors import RunFolderError
from distill.training import states
from distill.training.control import CONTROL_FILE
from distill.training.detach import has_ended
from distill.training.metrics import Event, events_from_lines

REQUEST, EVENTS, STATUS = "run.json", "events.jsonl", "status.json"
CHECKPOINTS, PREVIEWS, MODEL, LOCK = "checkpoints", "previews", "model.distill", ".lock"
WORKER_LOG = "worker.log"
OWN_FILES = (REQUEST, EVENTS, STATUS, CONTROL_FILE, CHECKPOINTS, PREVIEWS, MODEL, WORKER_LOG)

_log = logging.getLogger(__name__)

HEARTBEAT_PERIOD_S = 0.25
_STALE_S = 5.0
_SLOW_START_S = 60.0  # a cold disk takes its time to read torch
_PROBE_PATIENCE_S = 0.3  # a watcher may hold the lock for a moment, to look


@dataclass(frozen=True)
class RunStatus:
    """Where a run is, as its trainer last said."""

    state: str
    """See `distill.training.states`."""
    pid: int
    host: str
    heartbeat: float
    """Unix time of the last sign of life."""
    epoch: int
    step: int
    session: int
    """Counts how often the run was started or resumed, from 1."""
    acknowledged: int
    """Serial number of the last command the trainer has seen."""

    @classmethod
    def now(
        cls, state: str, *, pid: int, epoch: int, step: int, session: int, acknowledged: int = 0
    ) -> RunStatus:
        """A sign of life, from this machine and moment."""
        return cls(state, pid, platform.node(), time.time(), epoch, step, session, acknowledged)


class RunFolder:
    """A run folder, to look at. Nothing here writes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def model_path(self) -> Path:
        """The trained model, there once the run has ended, was stopped or was asked to save."""
        return self.path / MODEL

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / CHECKPOINTS

    @property
    def previews(self) -> Path:
        """Folder of preview folders, one for each epoch."""
        return self.path / PREVIEWS

    @property
    def is_run(self) -> bool:
        """Whether a run was ever begun here."""
        return (self.path / REQUEST).is_file()

    def read_request(self) -> dict[str, Any]:
        """What was asked.

        Raises:
            RunFolderError: no run is there, or its file is damaged.
        """
        values = _read_json(self.path / REQUEST)
        if values is None:
            raise RunFolderError(f"{self.path}: no run there (expected {REQUEST})")
        return values

    def read_status(self) -> RunStatus | None:
        """Where the run is, as its trainer last said; None where nothing was said yet, or a power
        cut has damaged it: it only ever repeats what other files know.
        """
        try:
            values = _read_json(self.path / STATUS)
            return RunStatus(**values) if values else None
        except (RunFolderError, TypeError) as error:
            _log.warning("%s", error)
            return None

    @property
    def is_starting(self) -> bool:
        """Whether a trainer was started that may not have reached this folder yet."""
        status = self.read_status()
        return (
            status is not None
            and status.state == states.STARTING
            and status.host == platform.node()
            and _process_exists(status.pid)
            and time.time() - status.heartbeat < _SLOW_START_S
        )

    def read_state(self) -> str:
        """The state of the run, looking also at whether its trainer lives."""
        status = self.read_status()
        if status is None:
            return states.STARTING if self._held() else states.GONE
        if status.state in states.ACTIVE and not self._trainer_lives(status):
            again = self.read_status()  # it may have ended while we looked
            return states.GONE if again is None or again.state in states.ACTIVE else again.state
        return status.state

    def read_events(self, offset: int = 0) -> tuple[list[Event], int]:
        """Events from a byte offset on, and the offset to go on from.

        A last line without its end is left for the next time.
        """
        lines, offset = self.read_lines(offset)
        return list(events_from_lines(lines)), offset

    @property
    def events_bytes(self) -> int:
        """Size of the event log; 0 where there is none."""
        try:
            return (self.path / EVENTS).stat().st_size
        except FileNotFoundError:
            return 0

    def read_lines(self, offset: int = 0, limit: int = -1) -> tuple[list[bytes], int]:
        """Whole lines of the event log from a byte offset on, and the offset to go on from.

        Args:
            offset: where the last reading ended.
            limit: bytes to read at most; -1 reads to the end.
        """
        try:
            with (self.path / EVENTS).open("rb") as file:
                file.seek(offset)
                data = file.read(limit)
        except FileNotFoundError:
            return [], offset
        end = data.rfind(b"\n") + 1
        return data[:end].splitlines(), offset + end

    def check_free(self, *, overwrite: bool = False) -> None:
        """Whether a new run may begin here, without touching anything.

        Raises:
            RunFolderError: another trainer is at work there, or it holds an earlier run or
                something else.
        """
        if self.path.is_dir():
            if (self.path / LOCK).exists():
                acquire_lock(self.path, patience_s=0).release()
            check_room(self.path, overwrite)
        elif self.path.exists():
            raise RunFolderError(f"{self.path}: a file; a run needs a folder")

    def _trainer_lives(self, status: RunStatus) -> bool:
        if status.host == platform.node() and not _process_exists(status.pid):
            return False
        if status.state == states.STARTING and self.is_starting:
            return True
        # A process of that number lives: ours, unless it has been silent and lets go of the lock.
        return time.time() - status.heartbeat < _STALE_S or self._held()

    def _held(self) -> bool:
        if not (self.path / LOCK).exists():
            return False
        try:
            acquire_lock(self.path, patience_s=0).release()
        except RunFolderError:
            return True
        return False


def acquire_lock(folder: Path, *, patience_s: float = _PROBE_PATIENCE_S) -> filelock.BaseFileLock:
    """Takes a run folder's lock; the system lets go of it when its owner dies.

    Raises:
        RunFolderError: another trainer holds it.
        OSError: the folder cannot be written.
    """
    lock = filelock.FileLock(
        folder / LOCK, timeout=patience_s, thread_local=False, is_singleton=False
    )
    try:
        lock.acquire(poll_interval=0.02)
    except filelock.Timeout:
        status = RunFolder(folder).read_status()
        who = f" (process {status.pid})" if status else ""
        raise RunFolderError(
            f"{folder}: another training is running there{who}; attach to it, or choose another "
            "folder"
        ) from None
    return lock


def check_room(folder: Path, overwrite: bool) -> None:
    """Whether a folder may become a run folder.

    Raises:
        RunFolderError: it holds an earlier run, or something that is no run.
    """
    present = [item.name for item in folder.iterdir() if not item.name.startswith(".")]
    if REQUEST in present and not overwrite:
        raise RunFolderError(
            f"{folder}: holds an earlier run; attach to it, resume it, overwrite it, or choose "
            "another folder"
        )
    # A trainer killed before it wrote the request left own files only: nothing is lost with them.
    foreign = [name for name in present if name not in OWN_FILES]
    if foreign and REQUEST not in present:
        raise RunFolderError(
            f"{folder}: holds {foreign[0]!r} and is no run folder; choose a new or empty folder"
        )


def status_to_json(status: RunStatus) -> bytes:
    """What `read_status` reads."""
    return json.dumps(dataclasses.asdict(status), indent=1).encode()


def _process_exists(pid: int) -> bool:
    if os.name == "nt":
        return True  # sending a signal would end it there; heartbeat and lock decide
    if has_ended(pid):  # a child of ours would else be there until somebody asks for its end
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(patiently(path.read_bytes))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunFolderError(f"{path}: damaged ({error})") from error
    return values
