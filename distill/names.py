"""Paths of any name as text: to show a person, and to keep in a file that holds UTF-8 only."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

_MARK = "bytes:"
_SHOWN = 60
_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # they turn the rest of a line round


def printable(path: str | bytes | os.PathLike[str]) -> str:
    r"""A path, name or message as text that any terminal, page or file of UTF-8 takes.

    Bytes that are no UTF-8 and signs that steer a terminal or a line are written as escapes.

    Example:
        >>> printable(b"Caf\xe9.wav"), printable("two\nlines.wav"), printable("größe 音.wav")
        ('Caf\\xe9.wav', 'two\\nlines.wav', 'größe 音.wav')
    """
    return "".join(map(_shown, _text(path)))


def as_path(path: str | os.PathLike[str], error: type[Exception]) -> Path:
    """What somebody gave as the place of a file or folder, if it can be one.

    Args:
        path: a text or a path.
        error: raised for anything else, and for names that no system takes.

    Example:
        >>> as_path("sounds", ValueError).name
        'sounds'
        >>> as_path(7, ValueError)
        Traceback (most recent call last):
        ValueError: expected the path of a file or folder, found int
    """
    try:
        found = Path(path)
        os.fsencode(found)
        found.lstat()
    except TypeError as wrong:
        kind = type(path).__name__
        raise error(f"expected the path of a file or folder, found {kind}") from wrong
    except UnicodeEncodeError as wrong:
        raise error(f"{printable(found)}: no name that a file can have ({wrong.reason})") from wrong
    except ValueError as wrong:
        raise error(f"{printable(found)}: no name that a file can have (it holds NUL)") from wrong
    except OSError as wrong:  # mostly: nothing is there yet
        if wrong.errno == errno.ENAMETOOLONG:
            shown = printable(found.name)[:_SHOWN]
            raise error(f"{shown}…: no name that a file can have ({wrong.strerror})") from wrong
    return found


def path_to_text(path: str | bytes | os.PathLike[str]) -> str:
    r"""A path as UTF-8 text that `path_from_text` turns into the very same path.

    Nearly every path is its own text; only one that is no UTF-8 is written as quoted bytes.

    Example:
        >>> path_to_text("sounds/größe.wav"), path_to_text(b"Caf\xe9.wav")
        ('sounds/größe.wav', 'bytes:Caf%E9.wav')
    """
    text = os.fsdecode(path)
    if not text.startswith(_MARK) and not any(0xD800 <= ord(sign) < 0xE000 for sign in text):
        return text
    return _MARK + quote_from_bytes(os.fsencode(path), safe="/ ")


def path_from_text(text: str) -> str:
    """The path that `path_to_text` wrote."""
    if not text.startswith(_MARK):
        return text
    return os.fsdecode(unquote_to_bytes(text[len(_MARK) :]))


def _text(path: str | bytes | os.PathLike[str]) -> str:
    text = os.fsdecode(path)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a UTF-16 pair, as Windows allows in names
        return text


def _shown(sign: str) -> str:
    if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} or ord(sign) in _BIDI:
        return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
    return sign
