"""Folders of any kind, listed: deep ones, closed ones, and ones with links in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FolderListing:
    """A folder, as it was when it was listed."""

    path: Path
    folders: tuple[str, ...]
    """Names of the folders in it, no links, sorted."""
    files: tuple[str, ...]
    """Names of all else in it, sorted."""
    trouble: str = ""
    """Why it could not be listed."""


def walk_folders(folder: Path) -> Iterator[FolderListing]:
    """A folder and every one below it that is not hidden; no link to a folder is followed."""
    waiting = [folder]
    while waiting:
        seen = list_folder(waiting.pop())
        yield seen
        below = [name for name in seen.folders if not name.startswith(".")]
        waiting += [seen.path / name for name in reversed(below)]


def list_folder(folder: Path) -> FolderListing:
    """What is in a folder."""
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        return FolderListing(folder, (), (), error.strerror or str(error))
    return FolderListing(folder, tuple(sorted(folders)), tuple(sorted(files)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
