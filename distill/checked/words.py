"""Text from outside, as a message may show it."""

from __future__ import annotations

import os

_JOINER = "\u200d"  # holds emoji together; the other invisible characters can hide or turn text
_LONGEST = 200


def printable(text: object, longest: int = _LONGEST) -> str:
    r"""A text of one line without anything that a terminal or a page could take as a command.

    Args:
        text: any text or path; bytes of a file name that are not UTF-8 become `\udc80` and such.
        longest: characters to keep; the rest becomes "…".

    Example:
        >>> printable("take\n3.wav")
        'take\\n3.wav'
        >>> printable("abcdef", 4)
        'abc…'
    """
    words = os.fsdecode(text) if isinstance(text, (bytes, os.PathLike)) else str(text)
    shown = "".join(map(_safe, words[:longest]))
    return shown if len(shown) <= longest and len(words) <= longest else shown[: longest - 1] + "…"


def _safe(character: str) -> str:
    if character.isprintable() or character == _JOINER:
        return character
    return character.encode("unicode_escape").decode()
