"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

_T = TypeVar("_T")
_PATIENCE_S = 1.0
_SUFFIX = ".tmp"
_LONGEST = 56


@contextlib.contextmanager
def write_atomically(
    path: Path, *, durable: bool = True, move: Callable[[Path, Path], object] | None = None
) -> Iterator[IO[bytes]]:
    """Opens a temporary neighbour of `path` and moves it there at the end.

    On any error the temporary file is removed and what lay at `path` before is untouched.

    Args:
        path: the file to appear.
        durable: also survive a power cut: flush the file and its folder to the disk.
        move: puts the finished temporary file, its first argument, at its place; default a rename.

    Raises:
        OSError: the folder is missing or read-only, or the disk is full.
    """
    # A name may be as long as a name can be; the temporary one must not be longer.
    temporary = path.with_name(f".{path.name[:_LONGEST]}.{uuid.uuid4().hex[:8]}{_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        patiently(lambda: (move or Path.replace)(temporary, path))
    except BaseException:
        temporary.unlink(missing_ok=True)
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
    for path in folder.glob(f".*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders; its renames are journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
