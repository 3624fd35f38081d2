"""Finds the sound files of a place, and says of every other file why it is left out."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from distill.audio.file_types import HEAD_BYTES, is_sound_name, placeholder, why_not
from distill.audio.files import open_sound_file
from distill.errors import AudioFileError, CorpusError
from distill.file_names import RUN_REQUEST
from distill.names import as_path, printable

Source = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A folder, a file, or any number of either."""

NOT_DOWNLOADED = "not downloaded"
RECONSTRUCTION = "reconstruction"

_CLOUD_FLAGS = 0x4000_0000  # macOS: SF_DATALESS
_CLOUD_ATTRIBUTES = 0x1000 | 0x4_0000 | 0x40_0000  # Windows: offline, recall on open or on reading


@dataclass(frozen=True)
class Refusal:
    """A file that is not used, and why."""

    path: Path
    reason: str
    kind: str = ""
    """`NOT_DOWNLOADED`, `RECONSTRUCTION`, or nothing special."""


def describe_source(source: Source) -> str:
    """The places a corpus was looked for, as one line."""
    places = as_places(source)
    names = [printable(place) for place in places[:3]]
    return ", ".join(names) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def find_files(
    source: Source, cancel_event: threading.Event | None = None
) -> tuple[list[Path], list[Refusal]]:
    """The sound files of a source in a stable order, and what is no sound file.

    Args:
        source: places to search, folders at every depth.
        cancel_event: once set, the search ends with an error.

    Raises:
        CorpusError: a place that does not exist, or cannot be looked into; or it was cancelled.
    """
    places = as_places(source)
    if not places or any(not os.fspath(place) for place in places):  # "" is no "."
        raise CorpusError("no files given: expected a folder of recordings, or paths")
    found: dict[Path, None] = {}
    refusals: list[Refusal] = []
    for place in map(Path, places):
        for path in _files_at(place, refusals):
            if cancel_event is not None and cancel_event.is_set():
                raise CorpusError(f"{describe_source(source)}: the search was cancelled")
            _take(path, found, refusals)
    return list(found), refusals


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is a run's; False where nobody may look."""
    try:
        return (folder / RUN_REQUEST).is_file()
    except (OSError, ValueError):  # it may not be entered, or can have no name like that
        return False


def as_places(source: Source) -> list[str | os.PathLike[str]]:
    """The places that a source names, one or several.

    Raises:
        CorpusError: something else than paths.
    """
    try:
        places = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    except TypeError:
        places = [source]  # type: ignore[list-item]
    for place in places:
        as_path(place, CorpusError)
    return places


def _files_at(place: Path, refusals: list[Refusal]) -> Iterator[Path]:
    try:
        mode = place.stat().st_mode
    except FileNotFoundError as error:
        raise CorpusError(
            f"{printable(place)}: no such file or folder; the current folder is "
            f"{printable(Path.cwd())}"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"{printable(place)}: cannot be looked at: {reason}") from error
    if not stat.S_ISDIR(mode):
        yield place
    elif is_run_folder(place):
        raise CorpusError(
            f"{printable(place)}: a distill run, not recordings; name the folder of sounds"
        )
    else:
        yield from _walk(place, refusals)


def _walk(folder: Path, refusals: list[Refusal]) -> Iterator[Path]:
    """Files at every depth; folders that cannot be used become refusals."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            refusals.append(Refusal(here, f"{printable(here)}: {error.strerror or error}"))
            continue
        folders = []
        for entry in entries:
            path = here / entry.name
            if entry.name.startswith("."):
                if placeholder(entry.name) and not _is_folder(entry):
                    yield path
            elif not _is_folder(entry):
                yield path
            elif reason := _why_not_into(path):
                refusals.append(Refusal(path, f"{printable(path.name)}: {reason}"))
            else:
                folders.append(path)
        pending += reversed(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _why_not_into(folder: Path) -> str:
    if folder.is_symlink():
        return "a link to a folder; name it by itself"
    # The previews of an earlier run are not recordings.
    return "a distill run, not recordings" if is_run_folder(folder) else ""


def _take(path: Path, found: dict[Path, None], refusals: list[Refusal]) -> None:
    shown = printable(path.name)
    if cloud := placeholder(path.name):
        real, provider = cloud
        reason = f"{printable(real)}: not downloaded, only its placeholder ({provider}) is here"
        refusals.append(Refusal(path, reason, NOT_DOWNLOADED))
    elif not is_sound_name(path.name):
        refusals.append(Refusal(path, f"{shown}: {why_not(path.name, _head(path))}"))
    elif _in_the_cloud(path):
        reason = f"{shown}: not downloaded, its content is in a cloud; open it once to fetch it"
        refusals.append(Refusal(path, reason, NOT_DOWNLOADED))
    else:
        found[path] = None


def _head(path: Path) -> bytes:
    try:
        with open_sound_file(path) as file:
            return file.read(HEAD_BYTES)
    except (AudioFileError, OSError):
        return b""


def _in_the_cloud(path: Path) -> bool:
    """Whether reading a file would fetch it from somewhere first, as far as systems say."""
    try:
        found = path.stat()
    except OSError:
        return False  # decoding says what is the matter
    flags = getattr(found, "st_flags", 0) & _CLOUD_FLAGS
    return bool(flags or getattr(found, "st_file_attributes", 0) & _CLOUD_ATTRIBUTES)
