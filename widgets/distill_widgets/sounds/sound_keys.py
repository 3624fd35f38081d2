"""Keys of sounds, as a page asks for them; `sound_keys.js` has the page's half.

A grid of codes has `cell/LEVEL/STEP`, `moment/STEP` (all levels of a step) and
`part/SOURCE/PIECE`; a source is `original`, `alone-LEVEL`, or `first-N` for the first N levels
together. An atlas has `entry/LEVEL/ENTRY` and `moment/LEVEL/ENTRY/NUMBER`. Numbers count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

ORIGINAL, ALONE, FIRST = "original", "alone", "first"
_LONGEST = 9  # digits
_NUMBERS = {"cell": (2,), "moment": (1, 3), "part": (1,), "entry": (2,)}


@dataclass(frozen=True)
class Source:
    """What is played of a whole sound."""

    kind: str
    """`original`, `alone` or `first`."""
    number: int = 0
    """The level that is alone, or how many are together."""


@dataclass(frozen=True)
class SoundKey:
    """A key, taken apart."""

    kind: str
    """`cell`, `moment`, `part` or `entry`."""
    numbers: tuple[int, ...]
    source: Source | None = None
    """Of a part."""


def sound_key(text: str) -> SoundKey | None:
    """A key from a page; None for what is none.

    Args:
        text: of any length and content: it comes from outside.
    """
    kind, *rest = text.split("/")
    source = None
    if kind == "part":
        source = _source(rest[0]) if rest else None
        if source is None:
            return None
        rest = rest[1:]
    numbers = [_number(part) for part in rest]
    known = tuple(number for number in numbers if number is not None)
    if len(numbers) not in _NUMBERS.get(kind, ()) or len(known) != len(numbers):
        return None
    return SoundKey(kind, known, source)


def _source(text: str) -> Source | None:
    if text == ORIGINAL:
        return Source(ORIGINAL)
    kind, _, digits = text.partition("-")
    number = _number(digits)
    return None if kind not in (ALONE, FIRST) or number is None else Source(kind, number)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else None
