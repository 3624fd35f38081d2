"""PadFiles: the pads that somebody keeps, as files of their own."""

from __future__ import annotations

import os
import re
from pathlib import Path

from distill.errors import OutputExistsError, PartError
from distill.names import printable
from distill_widgets.inside.pad_board import PadBoard
from distill_widgets.inside.pads import Pad
from distill_widgets.page.typed_path import typed_path

_LONGEST_STEM = 60


class PadFiles:
    """Writes the sounds of a board that are kept, each once into a folder.

    Args:
        board: the sounds.
    """

    def __init__(self, board: PadBoard) -> None:
        self._board = board
        self._written: dict[tuple[int, str], Path] = {}

    def export(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes them to new files, never over another; see `Generator.export`.

        Raises:
            OutputExistsError: an empty path, or a file in the place of the folder.
            PartError: nothing is kept.
            AudioFileError: a file cannot be written.
        """
        if not str(folder).strip():
            raise OutputExistsError("an empty path: expected a folder to export to")
        if not self._board.kept:
            raise PartError("no sound is kept: mark those that are to be exported")
        place = typed_path(folder)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputExistsError(
                f"{printable(place)}: no folder can be made there ({error.strerror or error}); "
                "name another one"
            ) from error
        return [self._exported(pad, place) for pad in self._board.kept]

    def _exported(self, pad: Pad, place: Path) -> Path:
        key = pad.number, str(place.resolve())
        path = self._written.get(key)
        if path is None or not path.exists():
            path = _free_path(place, f"{stem_of(self._board.model.name)}-{pad.number:02}")
            self._board.write(pad, path)
            self._written[key] = path
        return path


def stem_of(name: str) -> str:
    """A model's name, as a file may be called anywhere."""
    return re.sub(r"[^\w-]+", "-", name).strip("-")[:_LONGEST_STEM] or "sound"


def _free_path(place: Path, stem: str) -> Path:
    """A path where nothing is yet."""
    numbers = range(2, 10_000)
    names = [f"{stem}.wav", *(f"{stem}-{number}.wav" for number in numbers)]
    return next(path for name in names if not os.path.lexists(path := place / name))
