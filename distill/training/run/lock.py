"""Locks on files of a run folder: held by one process at most, and gone with it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from distill.own_folder import OwnFolder

if sys.platform == "win32":
    import filelock
else:
    import fcntl

_POLL_S = 0.02


class FolderLock:
    """A lock that the system lets go of when its owner dies. It is not handed on to children."""

    def __init__(self, folder: OwnFolder, name: str) -> None:
        self._folder, self._name = folder, name
        self._descriptor: int | None = None

    def acquire(self, patience_s: float) -> bool:
        """Takes the lock; False where another holds it for longer than the patience.

        Raises:
            OSError: the folder cannot be written, or its file system has no locks.
        """
        ends = time.monotonic() + patience_s
        while not self._try():
            if time.monotonic() >= ends:
                return False
            time.sleep(_POLL_S)
        return True

    def release(self) -> None:
        """Lets go; harmless where it is not held."""
        if sys.platform == "win32":
            self._windows.release()
            return
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    if sys.platform == "win32":

        @property
        def _windows(self) -> filelock.BaseFileLock:
            if not hasattr(self, "_held"):
                self._folder.check(self._name)
                place = self._folder.path / self._name
                self._held = filelock.FileLock(place, thread_local=False, is_singleton=False)
            return self._held

        def _try(self) -> bool:
            try:
                self._windows.acquire(timeout=0)
            except filelock.Timeout:
                return False
            return True
    else:

        def _try(self) -> bool:
            descriptor = self._folder.open_lock(self._name)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                now = self._folder.stat(self._name)
                if now is not None and os.path.samestat(now, os.fstat(descriptor)):
                    self._descriptor, descriptor = descriptor, -1
                    return True
                return False  # somebody took the file away meanwhile: this lock keeps nobody out
            except BlockingIOError:
                return False
            finally:
                if descriptor >= 0:
                    os.close(descriptor)


def is_locked(path: Path, name: str) -> bool | None:
    """Whether somebody holds a lock, seen by who need not be allowed to write.

    Args:
        path: the folder.
        name: of the lock.

    Returns:
        None where it cannot be known: the file may not be read, or is none.
    """
    try:
        with OwnFolder(path) as folder:
            if sys.platform == "win32":  # a file that is locked there cannot be asked about
                lock = FolderLock(folder, name)
                free = folder.check(name) and lock.acquire(0)
                lock.release()
                return not free
            with folder.read(name) as file:
                # Shared: any number may ask at once, and a trainer that starts meanwhile waits
                # for a moment.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
