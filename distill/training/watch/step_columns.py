"""Lines of steps as columns: a million are read in a second or two."""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from distill.checked import Count, Finite, Name

_OF_VQ, _OF_ANY = b'{"event":"VQStepMetrics",', b'{"event":"StepMetrics",'
STEP_LINES = (_OF_VQ, _OF_ANY)
"""What lines of steps begin with."""
_NUMBER = Finite | None  # JSON has no NaN: it was written as null
_PARTS = Annotated[dict[Name, _NUMBER], Meta(max_length=64)]
BEFORE, AFTER = ("step", "loss"), ("learning_rate", "gradient_norm")
"""The columns that every run has; the parts of its loss are between them."""


def read_columns(lines: Sequence[bytes], parts: tuple[str, ...]) -> dict[str, array[float]] | None:
    """What was measured at each of some steps, by name.

    Args:
        lines: of steps, at least one; nothing else of them is read.
        parts: names of what the loss consists of.

    Returns:
        BEFORE, the parts, and AFTER; None where a line is not what the first one is.
    """
    flat = lines[0].startswith(_OF_VQ)
    own = (*BEFORE, *AFTER, *(parts if flat else ()))
    try:
        values = _decoder(flat, parts).decode_lines(b"\n".join(lines))
        columns = {name: list(map(attrgetter(name), values)) for name in own}
        if not flat:
            columns |= {name: [value.parts[name] for value in values] for name in parts}
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KeyError):
        return None
    return {name: _numbers(columns[name]) for name in (*BEFORE, *parts, *AFTER)}


def _numbers(column: Sequence[float | None]) -> array[float]:
    try:
        return array("d", column)  # type: ignore[arg-type]
    except TypeError:  # few have a step without a number
        return array("d", [math.nan if x is None else x for x in column])


@functools.lru_cache(maxsize=64)
def _decoder(flat: bool, parts: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    numbers = ("loss", *AFTER, *(parts if flat else ()))
    fields: list[tuple[str, Any]] = [("step", Count), *((name, _NUMBER) for name in numbers)]
    line = msgspec.defstruct("_Line", fields if flat else [*fields, ("parts", _PARTS)], gc=False)
    return msgspec.json.Decoder(line)
