"""What a folder chooser shows of a folder, read without ever taking long."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from distill.audio.file_search import is_run_folder
from distill.audio.io import AUDIO_EXTENSIONS
from distill.markup import shortened
from distill.names import printable

_LONGEST_NAME = 120
PATIENCE_S = 0.5
"""For counting sounds below all subfolders together: a disc may be slow, or a tree endless."""


@dataclass(frozen=True)
class Subfolder:
    """A folder one can go into."""

    path: Path
    note: str
    """How many sounds are in it, at every depth, or what else it is."""

    @property
    def label(self) -> str:
        """How a list shows it; a name that cannot be shown is shown nevertheless."""
        return f"{shortened(printable(self.path.name), _LONGEST_NAME)}   {self.note}"


@dataclass(frozen=True)
class FolderView:
    """A folder, or why there is nothing to see."""

    path: Path
    subfolders: tuple[Subfolder, ...] = ()
    trouble: str = ""


def view_of(text: str | os.PathLike[str], *, patience_s: float = PATIENCE_S) -> FolderView:
    """What there is below a path that a person gave; nothing is raised."""
    path = Path(text)
    try:
        path = Path(os.path.normpath(path.expanduser().absolute()))
        if is_run_folder(path):
            shown = printable(path)
            trouble = f"{shown}: a distill run, not recordings; choose the folder of its sounds."
            return FolderView(path, trouble=trouble)
        folders = sorted(_folders(path), key=lambda item: item.name.lower())
    except (OSError, ValueError, RuntimeError) as error:
        return FolderView(path, trouble=_trouble(path, error))
    ends = time.monotonic() + patience_s
    return FolderView(path, tuple(Subfolder(item, _note(item, ends)) for item in folders))


def nearest_above(path: Path) -> Path:
    """The folder above, or the nearest of those above it that exists."""
    above = Path(os.path.normpath(path.absolute())).parent
    while above != above.parent and not _is_folder(above):
        above = above.parent
    return above


def _folders(path: Path) -> Iterator[Path]:
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and _is_folder(path / entry.name):
                yield path / entry.name


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _note(folder: Path, ends: float) -> str:
    if is_run_folder(folder):
        return "a run"
    try:
        os.scandir(folder).close()
    except PermissionError:
        return "may not be entered"
    except OSError:  # gone since it was listed
        return "–"
    count, is_all = _count_sounds(folder, ends)
    if not is_all:
        return f"{count:,} or more" if count else "…"
    return f"{count:,} sounds" if count > 1 else "1 sound" if count else "–"


def _count_sounds(folder: Path, ends: float) -> tuple[int, bool]:
    """Sounds as a corpus would find them, and whether there was the time to count them all."""
    count = 0
    for here, folders, names in os.walk(folder):
        if time.monotonic() > ends:
            return count, False
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not is_run_folder(Path(here, name))
        ]
        count += sum(
            not name.startswith(".") and Path(name).suffix.lower() in AUDIO_EXTENSIONS
            for name in names
        )
    return count, True


def _trouble(path: Path, error: Exception) -> str:
    shown = printable(path)
    if isinstance(error, FileNotFoundError):
        return f"{shown}: no such folder; the current folder is {Path.cwd()}."
    if isinstance(error, NotADirectoryError):
        return f"{shown}: a file; choose the folder it is in."
    if isinstance(error, PermissionError):
        return f"{shown}: you may not look into this folder; choose another, or ask its owner."
    return f"{shown}: cannot be looked into ({getattr(error, 'strerror', None) or error})."
