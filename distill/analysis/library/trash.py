"""Deleted files, kept until somebody empties the folder: `.trash/<when>/<name>` beside them."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from distill.analysis.library.folder_walk import list_folder, walk_folders
from distill.errors import LibraryError
from distill.names import printable

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
    trash = path.parent / TRASH
    if trash.is_symlink():
        raise LibraryError(f"{printable(trash)}: a link; move it away, what is deleted stays here")
    try:
        when, folder = _new_folder(trash)
        place = folder / path.name
        path.rename(place)
    except OSError as error:
        raise LibraryError(
            f"{printable(path)}: cannot be put into the trash ({error.strerror})"
        ) from error
    return TrashedModel(place, path, when)


def find_trash(folder: Path) -> tuple[TrashedModel, ...]:
    """Everything in the trash folders below a folder, the latest first."""
    found = [
        trashed
        for seen in walk_folders(folder)
        if TRASH in seen.folders
        for trashed in _in_trash(seen.path / TRASH)
    ]
    return tuple(sorted(found, key=lambda trashed: trashed.deleted, reverse=True))


def put_back(trashed: TrashedModel) -> None:
    """Moves a file from the trash to where it was; also where that was killed midway.

    Raises:
        LibraryError: another file is there now, or it is gone.
    """
    try:
        _move_to_free_place(trashed.path, trashed.original)
    except FileExistsError as error:
        raise LibraryError(
            f"{printable(trashed.original)}: another file is there now; move it away first"
        ) from error
    except FileNotFoundError as error:
        if os.path.lexists(trashed.path):
            raise LibraryError(
                f"{printable(trashed.original.parent)}: no longer there; make that folder again"
            ) from error
        raise LibraryError(f"{printable(trashed.path)}: no longer in the trash") from error
    except OSError as error:
        raise LibraryError(
            f"{printable(trashed.path)}: cannot be restored ({error.strerror})"
        ) from error
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
    for name in list_folder(trash).folders:
        with contextlib.suppress(ValueError):  # nothing that was put there by us
            when = datetime.strptime(name, _WHEN).replace(tzinfo=timezone.utc)
            seen = list_folder(trash / name)
            found += [
                TrashedModel(seen.path / item, trash.parent / item, when) for item in seen.files
            ]
    return found


def _move_to_free_place(source: Path, target: Path) -> None:
    """Renames, but never onto a file, which a plain rename would replace."""
    try:
        if source.is_symlink():
            raise OSError(errno.EPERM, "some systems would link to where it leads")
        os.link(source, target)
    except FileNotFoundError:
        raise
    except FileExistsError:
        if not _is_one_file(source, target):
            raise
        source.unlink()  # killed between the two halves of this, it continues here
    except OSError as error:  # a disk without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from error
        source.rename(target)
    else:
        source.unlink()


def _is_one_file(one: Path, other: Path) -> bool:
    return os.path.samestat(one.lstat(), other.lstat())
