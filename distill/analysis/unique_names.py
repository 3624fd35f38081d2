"""Names for people, each of them once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def short_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Paths below the folder that all of them share, with forward slashes."""
    absolute = [path.absolute() for path in paths]
    try:
        shared = os.path.commonpath([path.parent for path in absolute])
    except ValueError:  # on several drives of Windows
        return tuple(path.as_posix() for path in absolute)
    return tuple(path.relative_to(shared).as_posix() for path in absolute)


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """The same names, those that come again with a number.

    Example:
        >>> numbered(["a", "b", "a", "a (2)", "a"])
        ('a', 'b', 'a (2)', 'a (2) (2)', 'a (3)')
    """
    found: dict[str, None] = {}
    for name in names:
        unique, count = name, 1
        while unique in found:
            count += 1
            unique = f"{name} ({count})"
        found[unique] = None
    return tuple(found)
