"""Deleted files, kept until somebody empties the folder: `.trash/<when>/<name>` beside them."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from distill.errors import LibraryError

TRASH = ".trash"
_WHEN = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class TrashedModel:
    """A deleted file."""

    path: Path
    """Where it is kept."""
    original: Path
    """Where it was."""
    deleted: datetime
    """In UTC."""


def move_to_trash(path: Path) -> TrashedModel:
    """Puts a file away; its folder in the trash is new, so nothing is overwritten.

    Raises:
        LibraryError: it cannot be moved.
    """
    try:
        when, folder = _new_folder(path.parent / TRASH)
        kept = folder / path.name
        path.rename(kept)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be put into the trash ({error.strerror})") from error
    return TrashedModel(kept, path, when)


def find_trash(folder: Path) -> tuple[TrashedModel, ...]:
    """Everything in the trash folders below a folder, the latest first."""
    found = []
    for here, folders, _ in os.walk(folder):
        if TRASH in folders:
            found += _in_trash(Path(here, TRASH))
        folders[:] = [name for name in folders if not name.startswith(".")]
    return tuple(sorted(found, key=lambda trashed: trashed.deleted, reverse=True))


def put_back(trashed: TrashedModel) -> None:
    """Moves a file from the trash to where it was.

    Raises:
        LibraryError: another file is there now, or it is gone.
    """
    try:
        _move_to_free_place(trashed.path, trashed.original)
    except FileExistsError as error:
        raise LibraryError(
            f"{trashed.original}: another file is there now; move it away first"
        ) from error
    except FileNotFoundError as error:
        raise LibraryError(f"{trashed.path}: no longer in the trash") from error
    except OSError as error:
        raise LibraryError(f"{trashed.path}: cannot be restored ({error.strerror})") from error
    for folder in (trashed.path.parent, trashed.path.parent.parent):
        with contextlib.suppress(OSError):  # other things are in it
            folder.rmdir()


def _new_folder(trash: Path) -> tuple[datetime, Path]:
    while True:
        when = datetime.now(timezone.utc)
        folder = trash / when.strftime(_WHEN)
        with contextlib.suppress(FileExistsError):  # two in one microsecond
            folder.mkdir(parents=True)
            return when, folder


def _in_trash(trash: Path) -> list[TrashedModel]:
    found = []
    for path in trash.glob("*/*"):
        with contextlib.suppress(ValueError):  # nothing that was put there by us
            when = datetime.strptime(path.parent.name, _WHEN).replace(tzinfo=timezone.utc)
            found.append(TrashedModel(path, trash.parent / path.name, when))
    return found


def _move_to_free_place(source: Path, target: Path) -> None:
    """Renames, but never onto a file, which a plain rename would replace."""
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:  # a disk without hard links
        if target.exists():
            raise FileExistsError(target) from error
        source.rename(target)
    else:
        source.unlink()
