"""JSON from outside, read into structs whose types and ranges are checked."""

from __future__ import annotations

import json
import math
import os
import re
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from distill.checked.files import read_bounded
from distill.checked.words import brief
from distill.errors import OutsideDataError

_T = TypeVar("_T")

Text = Annotated[str, Meta(max_length=10_000)]
"""A description, a message."""
Name = Annotated[str, Meta(max_length=200)]
PathText = Annotated[str, Meta(min_length=1, max_length=4096)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that JavaScript and floats hold exactly."""
Finite = Annotated[float, Meta(ge=-1e300, le=1e300)]
Positive = Annotated[float, Meta(ge=0.0, le=1e300)]
"""At least 0."""
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
UnixTime = Annotated[float, Meta(ge=0.0, le=32_503_680_000.0)]
"""Seconds from 1970 to the year 3000."""

DEPTH_LIMIT = 64
_LARGEST = 1 << 26
_MOST_PARTS = 1 << 22
_MOST_VALUES = 1 << 24  # commas: a number takes more memory than its digits, too
_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"]*"')
_OTHER = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_UNDECODED = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # halves that name no byte of a file name


def parse_json(
    data: bytes | bytearray | memoryview | str,
    type_: type[_T] | Any,
    *,
    name: str,
    limit: int = _LARGEST,
    most: int = _MOST_PARTS,
    file_names: bool = False,
) -> _T:
    r"""Reads JSON into a type that msgspec knows; unknown fields of structs are passed over.

    Whole numbers are not taken for booleans, nor `44100.0` for a whole number; NaN, infinities and
    numbers beyond a float are refused. Of a key that comes twice the last one counts.

    Args:
        data: UTF-8, with or without a byte order mark.
        type_: a struct, or a type made of structs; give numbers a range and texts a length.
        name: what messages call the data.
        limit: most bytes.
        most: most texts, and most lists and tables: each takes far more memory than its bytes.
        file_names: also take `\udc80` to `\udcff`, by which Python writes the bytes of file names
            that are not UTF-8.

    Raises:
        OutsideDataError: too large, nested deeper than `DEPTH_LIMIT`, no JSON, of another type or
            out of range; it says where.
    """
    name = brief(name)
    text = _checked_bytes(data, name, limit, most)
    try:
        if file_names and b"\\u" in text:
            return msgspec.convert(_loads(text), type_)
        return msgspec.json.decode(text, type=type_)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise OutsideDataError(f"{name}: {_reason(error)}") from error
    except MemoryError as error:
        raise OutsideDataError(f"{name}: {len(text)} bytes do not fit into memory") from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise OutsideDataError(f"{name}: not readable as JSON ({error})") from error


def read_json(
    path: str | os.PathLike[str],
    type_: type[_T] | Any,
    *,
    limit: int = _LARGEST,
    follow: bool = True,
    file_names: bool = False,
) -> _T:
    """Reads a file of JSON; see `parse_json`.

    Raises:
        OutsideDataError: see `parse_json` and `read_bounded`.
        OSError: the system refuses: missing, not readable, or its disk fails.
    """
    data = read_bounded(path, limit, follow=follow)
    return parse_json(data, type_, name=Path(path).name, limit=limit, file_names=file_names)


def unknown_fields(data: bytes | str, type_: type[Any], *, name: str = "") -> dict[str, Any]:
    """The fields of a JSON object that a struct does not have, to be written again as they were.

    Args:
        data: an object; what `parse_json` has accepted.
        type_: the struct.
        name: what messages call the data.

    Returns:
        Raw values, byte for byte, by name; `msgspec.json.encode` writes them as they are.

    Raises:
        OutsideDataError: no object.
    """
    known = {field.encode_name for field in msgspec.structs.fields(type_)}
    values: dict[str, msgspec.Raw] = parse_json(data, dict[str, msgspec.Raw], name=name)
    return {key: value.copy() for key, value in values.items() if key not in known}


def _checked_bytes(
    data: bytes | bytearray | memoryview | str, name: str, limit: int, most: int
) -> bytes:
    try:
        text = data.encode() if isinstance(data, str) else bytes(data)
    except UnicodeEncodeError as error:
        raise OutsideDataError(f"{name}: holds half a character at {error.start}") from error
    if len(text) > limit:
        raise OutsideDataError(f"{name}: {len(text)} bytes; expected at most {limit}")
    nested = text.count(b"[") + text.count(b"{")
    quotes = text.count(b'"') - text.count(rb"\"")  # at least one of each text
    if max(nested, quotes // 2) > most:
        raise OutsideDataError(f"{name}: of more than {most} parts")
    if text.count(b",") > _MOST_VALUES:
        raise OutsideDataError(f"{name}: of more than {_MOST_VALUES} values")
    if nested > DEPTH_LIMIT and _too_deep(text):
        raise OutsideDataError(f"{name}: nested deeper than {DEPTH_LIMIT}")
    return text.removeprefix(_BOM)


def _too_deep(text: bytes) -> bool:
    bare = _STRING.sub(b"", text.replace(rb"\\", b"").replace(rb"\"", b""))
    return max(accumulate(map(_STEP.__getitem__, bare.translate(None, _OTHER))), default=0) > (
        DEPTH_LIMIT
    )


def _loads(text: bytes) -> Any:
    """As msgspec would, but with lone halves of surrogate pairs that stand for a byte."""

    def refused(constant: str) -> Any:
        raise ValueError(f"{constant} is no number")

    def real(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refused(digits[:20])

    values = json.loads(text, parse_constant=refused, parse_float=real)
    _check_halves(values)
    return values


def _check_halves(value: Any) -> None:
    if isinstance(value, str) and _UNDECODED.search(value):
        raise ValueError("half a character")
    for item in value if isinstance(value, list) else ():
        _check_halves(item)
    for key, item in value.items() if isinstance(value, dict) else ():
        _check_halves(key)
        _check_halves(item)


def _reason(error: Exception) -> str:
    # From 0.23 on msgspec has a word of its own for it.
    if isinstance(error, UnicodeError) or str(error).startswith("Invalid UTF-8"):
        return f"not UTF-8 ({error})"
    what, _, where = str(error).replace("`", "").partition(" - at ")
    if not isinstance(error, msgspec.ValidationError):
        return brief(f"not readable as JSON ({what})")
    place = where.removeprefix("$").removeprefix(".")
    what = what[:1].lower() + what[1:]
    return brief(f"{place}: {what}" if place else what)
