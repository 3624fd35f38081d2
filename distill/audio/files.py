"""Opens the files that sounds are read from: regular ones only, and never one that would block."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO, cast

from distill.errors import AudioFileError
from distill.names import as_path, printable

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_PIECE_BYTES = 1 << 20
MOST_BYTES = 1 << 37
"""Of a file, whatever it says of itself: a hole on the disk may be larger, and take hours to be
looked through. As many samples as are read take no more in any format.
"""
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def file_name(path: str | os.PathLike[str]) -> str:
    """The last part of a path, as every message about a sound begins with it."""
    return printable(Path(path).name)


def open_sound_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a regular file that is not empty.

    Raises:
        AudioFileError: missing, unreadable, empty, larger than `MOST_BYTES`, or a pipe, a device, a
            socket or a folder.
    """
    path = as_path(path, AudioFileError)
    name = file_name(path)
    try:
        # A pipe that nobody writes to blocks whoever opens it, unless asked not to.
        descriptor = os.open(path, _FLAGS | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise AudioFileError(f"{name}: no such file; looked for {printable(path)}") from error
    except OSError as error:
        reason = _special(path) or (error.strerror or str(error))
        raise AudioFileError(f"{name}: cannot be opened: {reason}") from error
    try:
        _check(descriptor, name, path)
    except BaseException:
        os.close(descriptor)
        raise
    # Without a buffer: libsndfile shares the descriptor and its place.
    return cast(BinaryIO, os.fdopen(descriptor, "rb", buffering=0))


def file_digest(file: BinaryIO) -> str:
    """Digest of the bytes of an open file, from its beginning; SHA-256, hexadecimal."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _check(descriptor: int, name: str, path: str | os.PathLike[str]) -> None:
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise AudioFileError(f"{name}: no such file; looked for {printable(path)}, a folder")
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise AudioFileError(f"{name}: {kind}, not a file of sound")
    if found.st_size > MOST_BYTES:
        raise AudioFileError(
            f"{name}: {found.st_size / 1e9:.0f} GB; up to {MOST_BYTES / 1e9:.0f} are read: cut it "
            "into shorter files, or export it again where it holds nothing"
        )
    if not found.st_size:
        raise AudioFileError(f"{name}: an empty file (0 bytes); copy or export it again")


def _special(path: str | os.PathLike[str]) -> str:
    try:
        kind = _KINDS.get(stat.S_IFMT(Path(path).stat().st_mode))
    except OSError:
        return ""
    return f"{kind}, not a file of sound" if kind else ""
