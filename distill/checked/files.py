"""Regular files of a bounded size, whatever somebody put in their place."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from distill.checked.words import brief
from distill.errors import OutsideDataError

_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0)
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT")
)
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_PIECE_BYTES = 1 << 20


def open_regular(path: str | os.PathLike[str], *, follow: bool = True) -> BinaryIO:
    """Opens a regular file for reading; anything else is refused and never waited for.

    Args:
        path: the file.
        follow: whether a link at its place may lead to the file; links of the folders above are
            always followed.

    Raises:
        OutsideDataError: a folder, named pipe, socket, device or (unless followed) a link is there.
        OSError: the system refuses: missing, or not readable for this person.
    """
    _check_name(path)
    # A device is never opened: to open some is to start them.
    _check(path, Path(path).stat(follow_symlinks=follow).st_mode)
    descriptor = os.open(path, _FLAGS | (0 if follow else _NO_LINKS))
    try:
        _check(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: str | os.PathLike[str], limit: int, *, follow: bool = True) -> bytes:
    """The bytes of a regular file that has at most `limit` of them.

    Raises:
        OutsideDataError: it is larger, grows while it is read, or is no regular file.
        OSError: the system refuses: missing, not readable, or its disk fails.
    """
    with open_regular(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OutsideDataError(f"{_name(path)}: {size} bytes; expected at most {limit}")
        pieces, left = [], limit + 1
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
    if not left:
        raise OutsideDataError(f"{_name(path)}: grew beyond {limit} bytes while it was read")
    return b"".join(pieces)


def _check_name(path: str | os.PathLike[str]) -> None:
    try:
        nul = b"\0" in os.fsencode(path)
    except UnicodeEncodeError as error:
        raise OutsideDataError(f"{_name(path)}: no name of a file ({error.reason})") from error
    if nul:
        raise OutsideDataError(f"{_name(path)}: no name of a file (it holds NUL)")


def _check(path: str | os.PathLike[str], mode: int) -> None:
    if not stat.S_ISREG(mode):
        found = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise OutsideDataError(f"{_name(path)}: {found}; expected a file")


def _name(path: str | os.PathLike[str]) -> str:
    return brief(Path(path).name or path)
