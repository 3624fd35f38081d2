"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

_T = TypeVar("_T")
_PATIENCE_S = 1.0
_SUFFIX = ".tmp"
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.tmp", re.DOTALL)
_LONGEST_PART = 40  # of the name, in the name of its temporary neighbour
_ABANDONED_S = 3600.0
_OPEN_FILES = Path("/proc/self/fd")
_UNNAMED = getattr(os, "O_TMPFILE", 0)
_NO_SUCH_WAY = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EISDIR, errno.EINVAL, errno.ENOENT}
_NO_LINKS = {*_NO_SUCH_WAY, errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK}
_NEW_MODE = 0o666  # less the umask
_SETTLED: set[Path] = set()  # folders already rid of what killed processes left
_MOST_SETTLED = 1000


@contextlib.contextmanager
def write_atomically(
    path: Path, *, durable: bool = True, move: Callable[[Path, Path], object] | None = None
) -> Iterator[IO[bytes]]:
    """Opens a file that will be moved to `path` at the end.

    On any error nothing of it stays, and what lay at `path` before is untouched. The file that it
    replaces hands on its permissions, and its owner where that is allowed. Where the system can
    (Linux), the file has no name until it is whole, so that a killed process leaves nothing.

    Args:
        path: the file to appear. A link there is replaced, never followed.
        durable: also survive a power cut: flush the file and its folder to the disk.
        move: puts the finished temporary file, its first argument, at its place; default a rename.

    Raises:
        OSError: the folder is missing or read-only, or the disk is full; `path` is a folder, a
            named pipe or a device, or a file that may only be read.
    """
    before = _replaceable(path)
    _remove_abandoned(path.parent)
    temporary = path.with_name(f".{path.name[:_LONGEST_PART]}.{uuid.uuid4().hex[:8]}{_SUFFIX}")
    file, unnamed = _new_file(temporary, before)
    try:
        with file:
            yield file
            file.flush()
            _hand_on(file.fileno(), before)
            if durable:
                os.fsync(file.fileno())
            if unnamed:
                _give_name(file.fileno(), temporary, durable=durable)
        patiently(lambda: (move or Path.replace)(temporary, path))
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def patiently(action: Callable[[], _T]) -> _T:
    """Does something with a file, again for a second where Windows says it is in use just now."""
    ends = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return action()
        except PermissionError:
            if os.name != "nt" or time.monotonic() > ends:
                raise
            time.sleep(0.01)


def remove_leftovers(folder: Path) -> None:
    """Deletes temporary files that killed processes left in a folder; for its only writer."""
    for path in _leftovers(folder):
        path.unlink(missing_ok=True)


def _replaceable(path: Path) -> os.stat_result | None:
    """What is to be replaced, None where there is nothing; refuses what no file may replace."""
    try:
        if b"\0" in os.fsencode(path):
            raise OSError(errno.EINVAL, "no name of a file: it holds NUL", str(path))
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) and path.is_file():
            found = path.stat()
    except UnicodeEncodeError as error:
        raise OSError(errno.EILSEQ, f"no name of a file: {error.reason}", str(path)) from error
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder is there; name a file", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EEXIST, "a pipe or device is there; name a file", str(path))
    if not found.st_mode & 0o222:
        raise PermissionError(
            errno.EACCES, "the file there may only be read; make it writable first", str(path)
        )
    return found


def _new_file(temporary: Path, before: os.stat_result | None) -> tuple[IO[bytes], bool]:
    """A file to write, and whether it has no name yet."""
    mode = _NEW_MODE if before is None else stat.S_IMODE(before.st_mode) & _NEW_MODE
    if _UNNAMED and _OPEN_FILES.is_dir():
        try:
            return os.fdopen(os.open(temporary.parent, _UNNAMED | os.O_WRONLY, mode), "wb"), True
        except OSError as error:  # not on every kind of disk
            if error.errno not in _NO_SUCH_WAY:
                raise
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(temporary, flags, mode), "wb"), False


def _give_name(descriptor: int, path: Path, *, durable: bool) -> None:
    try:
        _link(descriptor, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with path.open("xb") as file:  # a disk without hard links
            os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(descriptor).st_mode))
            with (_OPEN_FILES / str(descriptor)).open("rb") as source:
                shutil.copyfileobj(source, file)
            file.flush()
            if durable:
                os.fsync(file.fileno())


def _link(descriptor: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_PATH)
    try:  # only with a folder given does Python follow the link that /proc has for an open file
        os.link(
            _OPEN_FILES / str(descriptor),
            path.name,
            src_dir_fd=folder,
            dst_dir_fd=folder,
            follow_symlinks=True,
        )
    finally:
        os.close(folder)


def _hand_on(descriptor: int, before: os.stat_result | None) -> None:
    if before is None or os.name == "nt":
        return
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.fchown(descriptor, before.st_uid, before.st_gid)
    with contextlib.suppress(PermissionError):  # not on disks without permissions
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)


def _remove_abandoned(folder: Path) -> None:
    """Once a process: deletes temporary files of this person that nobody wrote to for an hour."""
    if folder in _SETTLED or os.name == "nt":
        return
    if len(_SETTLED) >= _MOST_SETTLED:
        _SETTLED.clear()
    _SETTLED.add(folder)
    with contextlib.suppress(OSError):
        for path in _leftovers(folder):
            found = path.lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _ABANDONED_S:
                path.unlink()


def _leftovers(folder: Path) -> list[Path]:
    """Regular files, no links, of exactly the names that are given here."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [
            folder / entry.name
            for entry in entries
            if _LEFTOVER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        ]


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders; its renames are journalled
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder one may write to, but not list
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EBADF, errno.ENOTSUP}:  # network disks
            raise
    finally:
        os.close(descriptor)
