"""What training tells those who watch: frozen events of numbers, strings and tuples."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from distill.codebook.health import LevelHealth

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VQStepMetrics:
    """One optimiser step."""

    epoch: int
    step: int
    """Steps done before this one, over the whole run."""
    loss: float
    reconstruction: float
    commitment: float
    learning_rate: float
    gradient_norm: float
    progress: float
    """Share of the budget used, 0 to 1."""
    elapsed_s: float
    """Training time so far, over all sessions of the run."""
    health: tuple[LevelHealth, ...] = ()
    """Over the codes since the last report; empty on most steps."""


@dataclass(frozen=True)
class VQEpochMetrics:
    """One epoch, validated."""

    epoch: int
    step: int
    """Steps done, over the whole run."""
    train_loss: float
    train_reconstruction: float
    train_commitment: float
    val_loss: float
    val_reconstruction: float
    val_commitment: float
    is_best: bool
    progress: float
    elapsed_s: float
    skipped_steps: int = 0
    """Steps left out in this epoch because of NaN or Inf."""
    health: tuple[LevelHealth, ...] = ()
    """Over the whole validation set; churn over the epoch."""


@dataclass(frozen=True)
class PreviewPair:
    """A sound and what the model makes of it, as files."""

    name: str
    seconds: float
    original: str
    """Path relative to the run folder."""
    reconstruction: str


@dataclass(frozen=True)
class PreviewEvent:
    """Sounds to listen to."""

    epoch: int
    step: int
    folder: str
    """Relative to the run folder."""
    pairs: tuple[PreviewPair, ...]


@dataclass(frozen=True)
class CheckpointEvent:
    """The run can go on from here."""

    epoch: int
    step: int
    path: str
    """Relative to the run folder."""
    is_best: bool


@dataclass(frozen=True)
class ResumeEvent:
    """A run goes on from a checkpoint; what came after that was forgotten and is done again."""

    epoch: int
    step: int
    session: int
    """Counts how often the run was started or resumed, from 1."""


@dataclass(frozen=True)
class WarningEvent:
    """Something a person should know, in plain words."""

    epoch: int
    step: int
    kind: str
    """utilization, non_finite, overfitting, callback, disk, corpus, checkpoint or versions."""
    message: str
    level: int | None = None


@dataclass(frozen=True)
class TrainingCompleteEvent:
    """The end of a run that has a model."""

    reason: str
    """max_epochs, max_steps, max_seconds or stopped."""
    model_path: str
    """Relative to the run folder."""
    best_epoch: int
    best_val_loss: float
    epochs: int
    steps: int
    elapsed_s: float


@dataclass(frozen=True)
class TrainingFailedEvent:
    """The end of a run that broke."""

    error: str
    message: str
    model_path: str | None = None
    """The last good weights, where there were any."""


Event = (
    VQStepMetrics
    | VQEpochMetrics
    | PreviewEvent
    | CheckpointEvent
    | ResumeEvent
    | WarningEvent
    | TrainingCompleteEvent
    | TrainingFailedEvent
)
EVENT_CLASSES: tuple[type[Event], ...] = get_args(Event)
MetricsCallback = Callable[[Event], None]
"""What training calls with every event, in order."""

_BY_NAME = {kind.__name__: kind for kind in EVENT_CLASSES}
_FLOATS = {
    kind: [item.name for item in dataclasses.fields(kind) if item.type == "float"]
    for kind in EVENT_CLASSES
}


def event_to_dict(event: Event) -> dict[str, Any]:
    """JSON-ready data; `event_from_dict` is its inverse."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}


def event_from_dict(values: dict[str, Any]) -> Event:
    """Rebuilds an event.

    Raises:
        ValueError: not an event; says what it was.
    """
    values = dict(values)
    name = values.pop("event", None)
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"event {name!r}: expected one of {', '.join(_BY_NAME)}")
    if "health" in values:
        values["health"] = tuple(LevelHealth(**level) for level in values["health"])
    if "pairs" in values:
        values["pairs"] = tuple(PreviewPair(**pair) for pair in values["pairs"])
    for field in _FLOATS[kind]:
        if values.get(field, 0.0) is None:
            values[field] = math.nan
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"event {name}: {error}") from error


def event_to_line(event: Event) -> bytes:
    """One line of JSON with its end; NaN and Inf, which JSON does not have, become null."""
    fields = msgspec.json.encode(event)  # straight from the dataclass, in the order of its fields
    return b'{"event":"%s",%s\n' % (type(event).__name__.encode(), fields[1:])


def events_from_lines(lines: Iterable[bytes]) -> Iterator[Event]:
    """Rebuilds events from what `event_to_line` wrote.

    Raises:
        ValueError: a line that is no event.
    """
    for line in lines:
        try:
            values = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise ValueError(f"a line that is no event: {line[:80]!r} ({error})") from error
        if not isinstance(values, dict):
            raise ValueError(f"a line that is no event: {line[:80]!r}")
        yield event_from_dict(values)


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
