"""A run folder is never the place of the sounds that it learns from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from distill.errors import RunFolderError
from distill.names import printable


def refuse_sounds_inside(run: Path, sources: Iterable[str | os.PathLike[str]]) -> None:
    """Refuses a run folder in which sounds would be looked for, or which is a sound itself.

    Args:
        run: the folder, which need not exist.
        sources: files and folders of sounds.

    Raises:
        RunFolderError: one of them is the run folder, or lies in it.
    """
    for source in map(Path, sources):
        place = Path(os.path.realpath(source))
        for parent in (place, *place.parents):
            if _is_same(parent, run):
                raise RunFolderError(
                    f"{printable(run)}: the recordings lie there ({printable(source)}), and a run "
                    "replaces what is in its folder; choose another folder for the run"
                )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
