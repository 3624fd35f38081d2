"""Text from outside, as a message may show it."""

from __future__ import annotations

import os

from distill.names import printable

_LONGEST = 200


def brief(text: str | bytes | os.PathLike[str], longest: int = _LONGEST) -> str:
    """A text on one line, printable (see `distill.names.printable`), and shortened.

    Args:
        text: any text or path.
        longest: characters to keep; the rest becomes "…".

    Example:
        >>> brief("abc" * 100, 4)
        'abc…'
    """
    cut = text[: longest + 1] if isinstance(text, (str, bytes)) else text
    shown = printable(cut)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
