"""Events as data and as lines of a log, and back: whatever a log holds, none of it is trusted."""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
import operator
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from distill.checked import Count, Finite, Fraction, Name
from distill.codebook.health import LevelHealth
from distill.errors import ModelTypeError
from distill.names import printable
from distill.training.watch.events import (
    EPOCHS,
    EVENT_CLASSES,
    STEPS,
    CheckpointEvent,
    EpochMetrics,
    Event,
    MetricsCallback,
    PreviewEvent,
    PreviewPair,
    ResumeEvent,
    StepMetrics,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    VQEpochMetrics,
    VQStepMetrics,
    WarningEvent,
)
from distill.training.watch.gaps import Gaps
from distill.training.watch.health_lines import health_row

__all__ = [
    "EPOCHS",
    "EVENT_CLASSES",
    "STEPS",
    "CheckpointEvent",
    "EpochMetrics",
    "Event",
    "Gaps",
    "MetricsCallback",
    "PreviewEvent",
    "PreviewPair",
    "ResumeEvent",
    "StepMetrics",
    "TrainingCompleteEvent",
    "TrainingFailedEvent",
    "VQEpochMetrics",
    "VQStepMetrics",
    "WarningEvent",
    "call_back",
    "event_from_dict",
    "event_to_dict",
    "event_to_line",
    "events_from_lines",
]

_log = logging.getLogger(__name__)
_BY_NAME = {kind.__name__: kind for kind in EVENT_CLASSES}


def event_to_dict(event: Event) -> dict[str, Any]:
    """JSON-ready data; `event_from_dict` is its inverse."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}


def event_from_dict(values: dict[str, Any]) -> Event:
    """Rebuilds an event; fields of later versions are passed over.

    Raises:
        ValueError: not an event; says what it was.
    """
    name = values.get("event") if isinstance(values, dict) else None
    if name not in _BY_NAME:
        raise ValueError(f"event {name!r}: expected one of {', '.join(_BY_NAME)}")
    try:
        return _event(msgspec.convert(values, _ANY_EVENT))
    except (msgspec.ValidationError, ModelTypeError, RecursionError) as error:
        raise ValueError(f"event {name}: {error}") from error


def event_to_line(event: Event) -> bytes:
    """One line of JSON with its end; NaN and Inf, which JSON does not have, become null."""
    try:
        fields = msgspec.json.encode(event)  # from the dataclass, in the order of its fields
    except UnicodeEncodeError:  # a name that is no UTF-8: shown as escapes
        return event_to_line(_printable(event))
    return b'{"event":"%s",%s\n' % (type(event).__name__.encode(), fields[1:])


def _printable(value: Any) -> Any:
    """The same, each of its texts as one that UTF-8 can hold."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple):
        return tuple(map(_printable, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value)]
        return type(value)(*(_printable(getattr(value, name)) for name in names))
    return value


def events_from_lines(lines: Iterable[bytes], gaps: Gaps | None = None) -> Iterator[Event]:
    """Rebuilds events from what `event_to_line` wrote.

    Args:
        lines: each without its end, or with it.
        gaps: counts lines that are no event, which are passed over.

    Raises:
        ValueError: a line that is no event, and no `gaps` to count it.
    """
    for line in lines:
        try:
            event = _event(_decoder.decode(line))
        except (msgspec.MsgspecError, ModelTypeError, UnicodeError, RecursionError) as error:
            if gaps is None:
                raise ValueError(f"a line that is no event: {line[:80]!r} ({error})") from error
            gaps.count(line, error, _BY_NAME)
        else:
            yield event


def call_back(callback: MetricsCallback | None, event: Event) -> Exception | None:
    """Calls a caller's code; returns what it raised, which is logged and harms nobody."""
    if callback is None:
        return None
    try:
        callback(event)
    except Exception as error:  # whatever foreign code raises, training goes on
        _log.exception("a training callback raised")
        return error
    return None


# What a line may hold: the events' own fields, with types and ranges, and null where JSON has no
# number for a value. Made from the classes, so that there is one list of fields.
_Seconds = Annotated[float, Meta(ge=0.0, le=1e10)]
_Much = Annotated[float, Meta(ge=0.0, le=1e9)]
_Path = Annotated[
    str, Meta(max_length=4096, pattern=r"^(?![/\\])(?!.*\.\.([/\\]|$))[^\x00-\x1f:]*$")
]
"""Within the run folder."""
_TYPES: dict[Any, Any] = {
    "int": Count,
    "int | None": Count | None,
    "float": Finite | None,
    "bool": bool,
    "str": Annotated[str, Meta(max_length=100_000)],
    "Mapping[str, float]": Annotated[dict[Name, Finite | None], Meta(max_length=64)],
}
_SPECIAL: dict[tuple[str, str], Any] = {
    ("LevelHealth", "level"): Annotated[int, Meta(ge=0, le=63)],
    ("LevelHealth", "label"): Annotated[str, Meta(max_length=40)],
    ("LevelHealth", "entries"): Annotated[int, Meta(ge=1, le=1 << 20)],
    ("LevelHealth", "utilization"): Fraction,
    ("LevelHealth", "corrected_utilization"): Fraction,
    ("LevelHealth", "perplexity"): _Much,
    ("LevelHealth", "entropy_bits"): _Much,
    ("LevelHealth", "churn"): _Much,
    ("LevelHealth", "over"): Annotated[str, Meta(max_length=40)],
    ("LevelHealth", "other_utilization"): Fraction,
    ("LevelHealth", "other_entropy_bits"): _Much,
    ("PreviewPair", "seconds"): _Seconds,
    ("PreviewPair", "original"): _Path,
    ("PreviewPair", "reconstruction"): _Path,
    ("PreviewPair", "mel"): _Much | None,
    ("PreviewPair", "stft"): _Much | None,
    ("PreviewPair", "mel_floor"): _Much | None,
    ("PreviewPair", "stft_floor"): _Much | None,
    ("PreviewEvent", "folder"): _Path,
    ("CheckpointEvent", "path"): _Path,
    ("StepMetrics", "family"): Name,
    ("EpochMetrics", "family"): Name,
    ("WarningEvent", "level"): Annotated[int, Meta(ge=0, le=63)] | None,
    ("TrainingCompleteEvent", "model_path"): _Path,
    ("TrainingFailedEvent", "model_path"): _Path | None,
}


_MOST_INNER = 1000
_ROWS = Annotated[tuple[dict[str, Any], ...], Meta(max_length=_MOST_INNER)]
"""Of another family: see `health_row`."""


def _checked(kind: type, tag: str | None) -> Any:
    """A struct that reads the JSON of a dataclass, strictly; fields it does not know it skips."""
    fields: list[Any] = []
    for item in dataclasses.fields(kind):
        type_ = _SPECIAL.get((kind.__name__, item.name)) or _TYPES.get(item.type)
        if item.name in ("progress", "elapsed_s"):
            type_ = Fraction if item.name == "progress" else _Seconds
        if item.name in _INNER:
            type_ = _ROWS if item.type == "tuple[Any, ...]" else _INNER[item.name]
        optional = item.default is not dataclasses.MISSING
        fields.append((item.name, type_, item.default) if optional else (item.name, type_))
    tags: dict[str, Any] = {"tag_field": "event", "tag": tag} if tag else {}
    return msgspec.defstruct(kind.__name__, fields, frozen=True, **tags)


def _event(read: Any) -> Event:
    """The event that a checked struct holds."""
    values = list(msgspec.structs.astuple(read))
    kind, numbers, inner = _PLANS[type(read).__name__]
    for place in numbers:
        values[place] = _with_nan(values[place])
    for place, part in inner:
        make = functools.partial(health_row, read.family) if part is None else _maker(part)
        values[place] = tuple(map(make, values[place]))
    event: Event = kind(*values)
    return event


def _with_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_nan(item) for name, item in value.items()}
    return math.nan if value is None else value


def _maker(part: type) -> Any:
    return lambda read: part(*msgspec.structs.astuple(read))


def _plan(kind: type) -> tuple[Any, list[int], list[tuple[int, type | None]]]:
    """(the class, places of its numbers, places of its parts and their classes)."""
    items = list(enumerate(dataclasses.fields(kind)))
    numbers = [place for place, item in items if item.type in ("float", "Mapping[str, float]")]
    parts = {
        "tuple[LevelHealth, ...]": LevelHealth,
        "tuple[PreviewPair, ...]": PreviewPair,
        "tuple[Any, ...]": None,  # the family says which
    }
    return kind, numbers, [(place, parts[x.type]) for place, x in items if x.type in parts]


def _several(kind: type) -> Any:
    part: Any = _checked(kind, None)
    return Annotated[tuple[part, ...], Meta(max_length=_MOST_INNER)]


_INNER: dict[str, Any] = {}  # what follows reads it
_INNER |= {"health": _several(LevelHealth), "pairs": _several(PreviewPair)}
_ANY_EVENT = functools.reduce(
    operator.or_, (_checked(kind, kind.__name__) for kind in EVENT_CLASSES)
)
_decoder = msgspec.json.Decoder(_ANY_EVENT)
_PLANS = {kind.__name__: _plan(kind) for kind in EVENT_CLASSES}
