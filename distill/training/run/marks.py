"""marks.json: which of a run's sounds somebody called good or bad by ear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import msgspec
from msgspec import Meta

from distill.atomic import patiently
from distill.checked import Count, parse_json
from distill.errors import ConfigError, ForeignEntryError, OutsideDataError, RunFolderError
from distill.names import printable
from distill.opened_folder import open_to_read
from distill.own_folder import OwnFolder
from distill.training.run.layout import CONTROL_LOCK, MARKS
from distill.training.run.lock import FolderLock

_log = logging.getLogger(__name__)

GOOD: Final = "good"
BAD: Final = "bad"
MOST_MARKS, LONGEST_NAME = 10_000, 4096
_LARGEST = 1 << 25
_LOCK_TIMEOUT_S = 10.0


class Mark(msgspec.Struct, frozen=True):
    """What somebody found of a sound."""

    mark: Literal["good", "bad"]
    epoch: Count | None = None
    """Of the sound that was heard, from 0; None where nobody said."""

    def __str__(self) -> str:
        return self.mark if self.epoch is None else f"{self.mark} at epoch {self.epoch + 1}"


_Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
_Marks = dict[_Name, Mark]


def read_marks(folder: Path) -> dict[str, Mark]:
    """The marks of a run by the names of its sounds; none where there is no file, or one that is
    damaged or none of ours, which is logged.
    """
    try:
        return _read(lambda: open_to_read(folder, MARKS))
    except (OutsideDataError, OSError) as error:
        _log.warning("the marks cannot be read: %s", error)
        return {}


def change_mark(
    folder: Path, name: str, mark: str | None, *, epoch: int | None = None
) -> dict[str, Mark]:
    """Marks a sound, or takes its mark away, safely against others who do the same.

    Args:
        folder: of the run.
        name: of the sound, as its previews have it.
        mark: `good`, `bad`, or None for neither.
        epoch: of the sound that was heard, from 0.

    Returns:
        All marks there are then.

    Raises:
        ConfigError: no such mark, a name that no sound can have, or too many.
        RunFolderError: the folder cannot be written, or what lies there is no file of marks.
    """
    if mark not in (GOOD, BAD, None):
        raise ConfigError(f"mark={printable(str(mark))!r}: expected {GOOD!r}, {BAD!r} or None")
    if not 0 < len(name) <= LONGEST_NAME:
        raise ConfigError(f"a name of {len(name)} characters: expected 1 to {LONGEST_NAME}")
    try:
        with OwnFolder(folder) as opened:
            return _change(opened, name, _marked(mark, epoch))
    except ForeignEntryError:
        raise
    except OutsideDataError as error:
        raise RunFolderError(f"the mark is not kept: {error}; move that file away") from error
    except OSError as error:
        raise RunFolderError(
            f"the mark is not kept: {printable(folder)} cannot be written "
            f"({error.strerror or error})"
        ) from error


def marks_in_words(marks: Mapping[str, Mark]) -> str:
    """The marks as people read them, the bad ones first; "" where there are none.

    Example:
        >>> marks_in_words({"kick": Mark("good", 9), "bell": Mark("bad")})
        'bad: bell; good: kick (epoch 10)'
    """
    said = []
    for word in (BAD, GOOD):
        names = [_name_in_words(name, one) for name, one in marks.items() if one.mark == word]
        if names:
            said.append(f"{word}: {', '.join(names)}")
    return "; ".join(said)


def marks_in_numbers(marks: Mapping[str, Mark]) -> str:
    """How many of each; "" where there are none.

    Example:
        >>> marks_in_numbers({"kick": Mark("good", 9), "bell": Mark("bad")})
        '1 good, 1 bad'
    """
    counts = {word: sum(one.mark == word for one in marks.values()) for word in (GOOD, BAD)}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _marked(mark: str | None, epoch: int | None) -> Mark | None:
    return None if mark is None else Mark(GOOD if mark == GOOD else BAD, epoch)


def _name_in_words(name: str, mark: Mark) -> str:
    epoch = "" if mark.epoch is None else f" (epoch {mark.epoch + 1})"
    return f"{printable(name)}{epoch}"


def _read(opened: Callable[[], BinaryIO]) -> dict[str, Mark]:
    """The marks.

    Raises:
        OutsideDataError: no file of marks.
        OSError: it cannot be read, or is no file.
    """
    try:
        with patiently(opened) as file:
            data = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    marks: _Marks = parse_json(data, _Marks, name=MARKS, limit=_LARGEST)
    return marks


def _change(folder: OwnFolder, name: str, mark: Mark | None) -> dict[str, Mark]:
    lock = FolderLock(folder, CONTROL_LOCK)
    try:
        if not lock.acquire(_LOCK_TIMEOUT_S):
            raise RunFolderError("the mark is not kept: others are writing all the time")
        marks = _read(lambda: folder.read(MARKS))
        marks.pop(name, None)
        if mark is not None:
            marks[name] = mark
        if len(marks) > MOST_MARKS:
            raise ConfigError(f"{len(marks)} marks: expected at most {MOST_MARKS}")
        with folder.write(MARKS) as file:
            file.write(msgspec.json.encode(marks))
        return marks
    finally:
        lock.release()
