"""A history as JSON: its lists of events, and its columns of steps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from distill.checked import Finite, Name
from distill.training.watch.event_lines import EVENT_CLASSES, event_from_dict, event_to_dict

_Steps = Annotated[dict[Name, list[Finite | None]], Meta(max_length=64)]


def history_to_json(values: Mapping[str, Any], steps: Mapping[str, np.ndarray]) -> str:
    """Writes a history; `history_from_json` is its inverse.

    Args:
        values: its fields, events and lists of them.
        steps: its columns, of equal length.
    """
    plain = {name: _plain(value) for name, value in values.items()}
    plain["steps"] = {name: column.tolist() for name, column in steps.items()}
    return msgspec.json.encode(plain).decode()  # NaN, which JSON does not have, becomes null


def history_from_json(
    text: str, fields: Collection[str]
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Reads the fields and the columns of a history.

    Args:
        text: what `history_to_json` wrote.
        fields: names of the fields it has to have.

    Raises:
        MsgspecError: not JSON, or events that are none.
        ValueError: other fields, or columns of several lengths.
    """
    values: dict[str, Any] = msgspec.json.decode(text)
    if not isinstance(values, dict) or set(values) != {*fields, "steps"}:
        raise ValueError("other fields")
    steps = msgspec.convert(values.pop("steps"), _Steps)
    if len({len(column) for column in steps.values()}) != 1:
        raise ValueError("columns of several lengths")
    columns = {
        name: [math.nan if x is None else x for x in column] for name, column in steps.items()
    }
    return {name: _rebuilt(value) for name, value in values.items()}, columns


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return event_to_dict(value) if isinstance(value, EVENT_CLASSES) else value


def _rebuilt(value: Any) -> Any:
    if isinstance(value, list):
        return [_rebuilt(item) for item in value]
    return event_from_dict(value) if isinstance(value, dict) and "event" in value else value
