"""Rows of health, of any family, from what a log says: checked as everything else of it."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from distill.checked import Count, Finite
from distill.family import family

_MOST_NUMBERS = 4096
_FLOAT = Finite | None  # NaN and Inf, which JSON does not have, are null
_TYPES: dict[Any, Any] = {
    int: Count,
    float: _FLOAT,
    str: Annotated[str, Meta(max_length=200)],
    tuple[int, ...]: Annotated[tuple[Count, ...], Meta(max_length=_MOST_NUMBERS)],
    tuple[float, ...]: Annotated[tuple[_FLOAT, ...], Meta(max_length=_MOST_NUMBERS)],
}


def health_row(name: str, values: Any) -> Any:
    """A row of a family's health.

    Args:
        name: of the family.
        values: its fields, as JSON holds them.

    Raises:
        ModelTypeError: nobody knows the family.
        msgspec.ValidationError: a field is missing, of another type or out of range.
    """
    kind, struct = _checked(name)
    read = msgspec.structs.asdict(msgspec.convert(values, struct))
    return kind(**{field: _with_nan(value) for field, value in read.items()})


@functools.cache
def _checked(name: str) -> tuple[type, Any]:
    """The class of a family's rows, and a struct that reads them."""
    kind: Any = family(name).health_type
    hints = get_type_hints(kind, include_extras=True)
    # What is no plain number or text has its range in its own type, as msgspec reads it.
    fields: list[Any] = []
    for item in dataclasses.fields(kind):
        field = (item.name, _TYPES.get(hints[item.name], hints[item.name]))
        given = item.default is not dataclasses.MISSING  # earlier versions may lack it
        fields.append((*field, item.default) if given else field)
    return kind, msgspec.defstruct(kind.__name__, fields, frozen=True)


def _with_nan(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_with_nan, value))
    return math.nan if value is None else value
