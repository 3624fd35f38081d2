"""Files that people name to be written: what lies there already is not written over unasked."""

from __future__ import annotations

import contextlib
import filecmp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from distill.atomic import write_atomically
from distill.errors import OutputExistsError
from distill.names import printable

_Stamp = tuple[int, int, int, int]
_made: dict[str, _Stamp] = {}  # by path: what this process wrote, as it was then


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Opens a file to be written, which appears whole or not at all, and never over another.

    What this process wrote itself, and nobody changed since, is replaced: a notebook's cell may run
    twice. What holds the very same bytes already is left as it is.

    Args:
        path: where it is to appear.
        overwrite: replace whatever file is there.

    Raises:
        OutputExistsError: something else is there; it is as it was.
        OSError: the folder is missing or read-only, or the disk is full.
    """
    refuse_no_file(path)

    def move(temporary: Path, target: Path) -> None:
        if overwrite or is_ours(target):
            temporary.replace(target)
        else:
            _move_to_free(temporary, target)

    with write_atomically(path, move=move) as file:
        yield file
    remember(path)


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Refuses a name early, before the work of what would be written there.

    Raises:
        OutputExistsError: see `new_file`.
    """
    refuse_no_file(path)
    if not overwrite and os.path.lexists(path) and not is_ours(path):
        raise _exists(path)


def refuse_input(path: str | os.PathLike[str], source: str | os.PathLike[str]) -> None:
    """Refuses to write to what is read, whatever link or spelling leads to it.

    Raises:
        OutputExistsError: both are the same file.
    """
    try:
        same = Path(path).samefile(source)
    except (OSError, ValueError, TypeError):  # one of them does not exist, or is no path
        return
    if same:
        raise OutputExistsError(
            f"{printable(path)}: is the file that is read, and is never written over; name another "
            "place"
        )


def refuse_no_file(path: Path) -> None:
    """Refuses what no file may ever replace: a folder, a pipe, a device.

    Raises:
        OutputExistsError: one of them is there.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) and path.exists():
            mode = path.stat().st_mode
    except (OSError, ValueError):  # nothing is there, or writing says what is the matter
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise OutputExistsError(f"{printable(path)}: {kind}; name a file to be written")


def is_ours(path: Path) -> bool:
    """Whether this process wrote the file, and nobody changed it since."""
    stamp = _stamp(path)
    return stamp is not None and _made.get(_key(path)) == stamp


def remember(path: Path) -> None:
    """Notes that this process wrote a file."""
    stamp = _stamp(path)
    if stamp is not None:
        _made[_key(path)] = stamp


def _move_to_free(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike renaming it refuses what appeared meanwhile
    except FileExistsError:
        _refuse_unless_equal(temporary, path)
    except OSError as error:  # no hard links on exFAT and many network folders
        if os.path.lexists(path):
            _refuse_unless_equal(temporary, path)
        elif isinstance(error, PermissionError) and os.name == "nt":
            raise
        else:
            temporary.replace(path)
            return
    temporary.unlink()


def _refuse_unless_equal(temporary: Path, path: Path) -> None:
    if path.is_symlink() or not filecmp.cmp(temporary, path, shallow=False):
        raise _exists(path)


def _exists(path: Path) -> OutputExistsError:
    return OutputExistsError(
        f"{printable(path)}: is there already; name another place, or allow it to be replaced "
        "(--overwrite, in Python overwrite=True)"
    )


def _key(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
