"""StatusFile: status.json of a run, for who reads it several times a second."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from distill.atomic import patiently
from distill.opened_folder import open_to_read
from distill.training.run.layout import STATUS
from distill.training.run.status import LARGEST_STATUS, RunStatus, status_from_json

_log = logging.getLogger(__name__)

_SETTLED_S = 0.05  # within a tick of its clock, a file system tells two writings not apart
_Key = tuple[int, int, int, int]
StatusReading = tuple[RunStatus | None, float, str]
"""(the status, when its file was written, why it cannot be read)."""


class StatusFile:
    """What a trainer last reported. A file that is as it was is not opened again: hundreds may
    watch from one process, and each polls several times a second.
    """

    def __init__(self) -> None:
        self._before: tuple[_Key, RunStatus] | None = None
        self._reported = ""

    def read(self, folder: Path) -> StatusReading:
        """The status in a run folder; None where nothing was reported yet, or it cannot be read.

        Args:
            folder: the path of the run; it may have moved since the last time.
        """
        if (known := self._as_before(folder)) is not None:
            return *known, ""
        self._before = None
        try:
            with patiently(lambda: open_to_read(folder, STATUS)) as file:
                found = os.fstat(file.fileno())
                data = file.read(LARGEST_STATUS + 1)
            status = status_from_json(data)
            if time.time() - found.st_mtime > _SETTLED_S:
                self._before = _key_of(found), status
            return status, found.st_mtime, ""
        except (FileNotFoundError, NotADirectoryError):
            return None, 0.0, ""
        except (OSError, ValueError) as error:
            problem = f"{folder}: {getattr(error, 'strerror', None) or error}"
        if problem != self._reported:
            self._reported = problem
            _log.warning("the status cannot be read: %s", problem)
        return None, 0.0, problem

    def _as_before(self, folder: Path) -> tuple[RunStatus, float] | None:
        before = self._before
        if before is None:
            return None
        try:
            found = os.lstat(folder / STATUS)
        except OSError:
            return None
        return (before[1], found.st_mtime) if _key_of(found) == before[0] else None


def _key_of(found: os.stat_result) -> _Key:
    """What changes whenever another file takes its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
