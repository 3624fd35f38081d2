"""Outputs: the files that one command writes, each a new one, and none of those it reads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from distill.errors import OutputExistsError
from distill.names import printable
from distill.outputs import check_free

_Place = tuple[int, int]


class Outputs:
    """Gives out the names that a command may write to.

    A name is given once: two sounds never become one file. It is refused where something lies that
    this command did not make, unless that may be replaced; what the command reads is refused
    always, whatever link or spelling leads to it.

    Args:
        inputs: every file that the command reads.
        overwrite: replace what lies in the place of an output.
    """

    def __init__(self, inputs: Iterable[Path], *, overwrite: bool = False) -> None:
        self.overwrite = overwrite
        self._inputs = {place for path in inputs if (place := _place(path))}
        self._sources: dict[str, Path] = {}
        self._made: dict[_Place, Path] = {}
        self._lock = threading.Lock()  # several files of a folder are worked on at a time

    def claim(self, target: Path, source: Path) -> Path:
        """Takes a name for what is made of a source.

        Returns:
            `target`.

        Raises:
            OutputExistsError: it may not be written there.
        """
        with self._lock:
            return self._claim(target, source)

    def _claim(self, target: Path, source: Path) -> Path:
        key = os.path.join(os.path.realpath(target.parent), target.name)  # noqa: PTH118
        place = _place(target)
        if place is not None and place in self._inputs:
            raise OutputExistsError(
                f"{printable(target)}: is one of the files that are read, and is never written "
                "over; name another place"
            )
        other = self._sources.get(key) or (self._made.get(place) if place else None)
        if other is not None:
            raise OutputExistsError(
                f"{printable(target)}: is made of {printable(other)} already; name another place "
                f"for what becomes of {printable(source)}"
            )
        check_free(target, overwrite=self.overwrite)
        self._sources[key] = source
        return target

    def made(self, target: Path, source: Path) -> None:
        """Notes what was written, so that another spelling of its name is known for it."""
        place = _place(target)
        if place is not None:
            self._made[place] = source


def _place(path: Path) -> _Place | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
