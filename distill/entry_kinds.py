"""What lies in a folder: its kinds, and names of it that lead nowhere else."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

FILE, FOLDER = "a file", "a folder"
_KINDS = (
    (stat.S_ISREG, FILE), (stat.S_ISDIR, FOLDER), (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
)  # fmt: skip
_JUNCTION = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT, of Windows


@dataclass(frozen=True)
class Entry:
    """Something that lies in a folder."""

    name: str
    kind: str
    """a file, a folder, a link, a pipe, a socket or a device."""


def kind_of(found: os.stat_result) -> str:
    """The kind of what the system describes, as `Entry.kind`."""
    if getattr(found, "st_file_attributes", 0) & _JUNCTION:
        return "a link"
    return next((words for test, words in _KINDS if test(found.st_mode)), "a device")


def names_on_the_way(name: str) -> list[str]:
    """The single names that a name with `/` in it leads through.

    Raises:
        ValueError: a name that leads out of the folder, or is none.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part or os.sep in part for part in parts) or (
        os.name == "nt" and any(":" in part for part in parts)
    ):
        raise ValueError(f"{name!r}: expected a name within the folder")
    return parts
