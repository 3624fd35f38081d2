"""The files of a run: the only truth about it, for whoever trains, watches or resumes."""

from __future__ import annotations

import logging
import os
import platform
import time
from pathlib import Path
from typing import Any, BinaryIO

from distill.atomic import patiently
from distill.checked import parse_json
from distill.errors import ForeignEntryError, OutsideDataError, RunFolderError
from distill.names import as_path
from distill.opened_folder import open_to_read
from distill.own_folder import OwnFolder
from distill.training.run import states
from distill.training.run.heartbeat import Pulse
from distill.training.run.layout import (
    CHECKPOINTS,
    EVENTS,
    LOCK,
    MODEL,
    OWN_FILES,
    PREVIEWS,
    REQUEST,
)
from distill.training.run.lock import FolderLock, is_locked
from distill.training.run.log_lines import PIECE_BYTES, read_lines
from distill.training.run.marks import Mark, read_marks
from distill.training.run.status import (
    HEARTBEAT_PERIOD_S,
    RunStatus,
    process_exists,
    trainer_is_starting,
)
from distill.training.run.status_file import StatusFile
from distill.training.watch.event_lines import Event, Gaps, events_from_lines

_log = logging.getLogger(__name__)

_PROBE_PATIENCE_S = 0.3  # a watcher may hold the lock for a moment, to poll it
_LARGEST_REQUEST = 256 << 20


class RunFolder:
    """A run folder, to read. Nothing here writes, and rights to read are enough."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(path, RunFolderError)
        self._pulse = Pulse()
        self._status = StatusFile()

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
        try:
            return (self.path / REQUEST).exists() or (self.path / REQUEST).is_symlink()
        except OSError:  # a folder that may not be entered
            return False

    def read_request(self) -> dict[str, Any]:
        """What was asked.

        Raises:
            RunFolderError: no run is there, its file is damaged, or it may not be read.
        """
        try:
            data = self._read(REQUEST, _LARGEST_REQUEST)
            return parse_json(data, dict[str, Any], name=REQUEST, limit=_LARGEST_REQUEST)
        except (FileNotFoundError, NotADirectoryError):
            raise RunFolderError(f"{self.path}: no run there (expected {REQUEST})") from None
        except ForeignEntryError:
            raise
        except OutsideDataError as error:
            raise RunFolderError(f"{self.path / REQUEST}: damaged ({error})") from error
        except OSError as error:
            raise RunFolderError(f"{self.path}: cannot be read ({error.strerror})") from error

    @property
    def marks(self) -> dict[str, Mark]:
        """What somebody called good or bad by ear, by the names of sounds."""
        return read_marks(self.path)

    def read_status(self) -> RunStatus | None:
        """Where the run is, as its trainer last reported; None where nothing was reported yet, or
        its file is damaged: it only ever repeats what other files know.
        """
        return self._status.read(self.path)[0]

    @property
    def status_problem(self) -> str:
        """Why the status cannot be read; empty where it can, or there is none yet."""
        return self._status.read(self.path)[2]

    @property
    def is_starting(self) -> bool:
        """Whether a trainer was started that may not have reached this folder yet."""
        status = self.read_status()
        return status is not None and trainer_is_starting(status)

    def read_state(self, *, may_wait: bool = True) -> str:
        """The state of the run; see `read_state_and_status`."""
        return self.read_state_and_status(may_wait=may_wait)[0]

    def read_state_and_status(self, *, may_wait: bool = True) -> tuple[str, RunStatus | None]:
        """The state of the run, also by whether its trainer lives and answers; and where it is, as
        its trainer last reported.

        Args:
            may_wait: where clocks disagree, as between machines, also waits for up to a second to
                see whether the heartbeat moves; else such a run reads "not answering" once.
        """
        status, written, _ = self._status.read(self.path)
        if status is None:
            return (states.STARTING if is_locked(self.path, LOCK) else states.GONE), None
        if status.state not in states.ACTIVE:
            return status.state, status
        seen = self._judge(status, written, may_wait)
        if seen == status.state:
            return seen, status
        again = self.read_status()  # it may have ended meanwhile
        if again is not None and again.state not in states.ACTIVE:
            return again.state, again
        return seen, status

    def _judge(self, status: RunStatus, written: float, may_wait: bool) -> str:
        """What an active state is really: that, not answering, or gone."""
        here = status.host == platform.node()
        if here and not process_exists(status.pid):
            return states.GONE
        if trainer_is_starting(status):
            return status.state
        self._pulse.see((status.heartbeat, written))
        if self._pulse.is_fresh(status.heartbeat):
            return status.state
        locked = is_locked(self.path, LOCK)
        if here and locked is False:  # another process has its number now
            return states.GONE
        if here and locked and self._pulse.is_fresh(written):  # a sign of life on a full disk
            return status.state
        # A clock that was set, another machine's clock, or a trainer that does not answer.
        while may_wait and self._pulse.is_unsure:
            time.sleep(HEARTBEAT_PERIOD_S / 5)
            now, written, _ = self._status.read(self.path)
            if now is None or now.state not in states.ACTIVE:
                break
            self._pulse.see((now.heartbeat, written))
        if self._pulse.is_beating:
            return status.state
        return states.NOT_ANSWERING if locked or self._pulse.is_unsure else states.GONE

    def read_events(self, offset: int = 0, *, gaps: Gaps | None = None) -> tuple[list[Event], int]:
        """Events from a byte offset on, and the offset to read on from.

        A last line without its end is left for the next time. What cannot be read is passed over.

        Args:
            offset: where the last reading ended.
            gaps: counts what was passed over; without it, it is logged.
        """
        counted = Gaps() if gaps is None else gaps
        events: list[Event] = []
        while True:
            lines, offset = self.read_lines(offset, 4 * PIECE_BYTES)
            if not lines:
                break
            events += events_from_lines(lines, counted)
        if gaps is None and counted:
            _log.warning("%s: %s", self.path / EVENTS, counted)
        return events, offset

    @property
    def events_bytes(self) -> int:
        """Size of the event log; 0 where there is none."""
        try:
            return (self.path / EVENTS).lstat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def read_lines(self, offset: int = 0, limit: int = -1) -> tuple[list[bytes], int]:
        """Whole lines of the event log from a byte offset on, and the offset to read on from.

        Args:
            offset: where the last reading ended.
            limit: bytes to read at most; -1 reads to the end. A line that is longer is passed
                over, in pieces, and `TOO_LONG` stands in its place.

        Raises:
            OSError: the log cannot be read, or is no file.
        """
        try:
            with self._open(EVENTS) as log:
                return read_lines(log, offset, limit)
        except (FileNotFoundError, NotADirectoryError):
            return [], offset

    def check_free(self, *, overwrite: bool = False) -> None:
        """Whether a new run may begin here, without touching anything.

        Raises:
            RunFolderError: another trainer is at work there, or it holds an earlier run or
                something else.
        """
        if self.path.is_dir():
            if is_locked(self.path, LOCK):
                raise _taken(self.path)
            check_room(self.path, overwrite)
        elif self.path.exists():
            raise RunFolderError(f"{self.path}: a file; a run needs a folder")

    def _open(self, name: str) -> BinaryIO:
        """A file of the folder, where its path leads now."""
        return open_to_read(self.path, name)

    def _read(self, name: str, limit: int) -> bytes:
        with patiently(lambda: self._open(name)) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise OutsideDataError(f"{name}: {size} bytes; expected at most {limit}")
            return file.read(limit + 1)


def acquire_lock(folder: Path | OwnFolder, *, patience_s: float = _PROBE_PATIENCE_S) -> FolderLock:
    """Takes a run folder's lock; the system lets go of it when its owner dies.

    Raises:
        RunFolderError: another trainer holds it.
        OSError: the folder cannot be written.
    """
    if not isinstance(folder, OwnFolder):
        with OwnFolder(folder) as opened:
            return acquire_lock(opened, patience_s=patience_s)
    lock = FolderLock(folder, LOCK)
    if not lock.acquire(patience_s):
        raise _taken(folder.path)
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


def _taken(path: Path) -> RunFolderError:
    status = RunFolder(path).read_status()
    who = f" (process {status.pid})" if status else ""
    return RunFolderError(
        f"{path}: another training is running there{who}; attach to it, or choose another folder"
    )
