"""The mark that distill leaves in the sounds it makes, so that they are never learned from."""

from __future__ import annotations

import os
from typing import BinaryIO

from distill.audio.files import open_sound_file

MARK = "distill-reconstruction"
"""Begins the comment of a file whose sound came out of codes."""

# Tags of MP3 may hold their text as UTF-16.
_MARKS = {kind: MARK.encode(kind) for kind in ("utf-8", "utf-16-le", "utf-16-be")}
_LONGEST_BYTES = 1 << 14
_EDGE_BYTES = 1 << 16  # comments lie at the beginning of a file, or at its end


def comment_of(made_by: str) -> str:
    """The comment that marks a sound and says how it was made."""
    return f"{MARK}: {made_by}"


def is_reconstruction(path: str | os.PathLike[str]) -> bool:
    """Whether a sound file carries the mark of `write_audio(..., made_by=...)`.

    Raises:
        AudioFileError: no such file, or not a regular one.
    """
    with open_sound_file(path) as file:
        return is_marked(file)


def is_marked(file: BinaryIO) -> bool:
    """Whether an open sound file carries the mark."""
    edges = _edges(file)
    return any(mark in edges for mark in _MARKS.values())


def read_made_by(path: str | os.PathLike[str]) -> str:
    """What the mark of a sound file says of how it was made.

    Returns:
        "" for a file without the mark. Where a format does not say how long a comment is, what
        follows it in the file may stand behind it: believe nothing of it unchecked.

    Raises:
        AudioFileError: no such file, or not a regular one.
    """
    with open_sound_file(path) as file:
        edges = _edges(file)
    for kind, mark in _MARKS.items():
        if (at := edges.find(mark)) >= 0:
            text = edges[at : at + _LONGEST_BYTES].decode(kind, errors="replace")
            return text.partition("\0")[0].removeprefix(comment_of(""))
    return ""


def _edges(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    edges = file.read(_EDGE_BYTES)
    file.seek(max(0, size - _EDGE_BYTES))
    return edges + file.read(_EDGE_BYTES)
