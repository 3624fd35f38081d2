"""VQMetricsHistory: events folded into curves."""

from __future__ import annotations

import dataclasses
import math
import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import numpy as np

from distill.checked import Count, Finite
from distill.training.watch.event_lines import (
    EVENT_CLASSES,
    CheckpointEvent,
    Event,
    Gaps,
    PreviewEvent,
    ResumeEvent,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    VQEpochMetrics,
    VQStepMetrics,
    WarningEvent,
    event_from_dict,
    event_to_dict,
    events_from_lines,
)
from distill.training.watch.history_report import history_as_html

_STEP_LINE, _NO_HEALTH = b'{"event":"VQStepMetrics",', b'"health":[]'
_STEP_COLUMNS = ("step", "loss", "reconstruction", "commitment", "learning_rate", "gradient_norm")


class _StepLine(msgspec.Struct, gc=False):
    """The columns of a step's line, and nothing else of it: a million are read in a second."""

    step: Count
    loss: Finite | None
    reconstruction: Finite | None
    commitment: Finite | None
    learning_rate: Finite | None
    gradient_norm: Finite | None


_step_lines = msgspec.json.Decoder(_StepLine)


_Steps = msgspec.defstruct("_Steps", [(name, list[Finite | None]) for name in _STEP_COLUMNS])


@dataclass
class VQMetricsHistory:
    """Everything a run has reported so far. `update` is the only way in; reading is cheap."""

    epochs: list[VQEpochMetrics] = field(default_factory=list)
    previews: list[PreviewEvent] = field(default_factory=list)
    checkpoints: list[CheckpointEvent] = field(default_factory=list)
    warnings: list[WarningEvent] = field(default_factory=list)
    last_step: VQStepMetrics | None = None
    last_health: VQStepMetrics | None = None
    """The newest step that measured its codebooks."""
    resumes: list[ResumeEvent] = field(default_factory=list)
    outcome: TrainingCompleteEvent | TrainingFailedEvent | None = None
    _columns: dict[str, array[float]] = field(
        default_factory=lambda: {name: array("d") for name in _STEP_COLUMNS}, repr=False
    )
    _gaps: Gaps = field(default_factory=Gaps, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def steps(self) -> dict[str, np.ndarray]:
        """What was measured at every step: step, loss, reconstruction, commitment, learning_rate
        and gradient_norm, each (steps,) float64; copies, of equal length whoever writes meanwhile.
        """
        return self.steps_since(0)

    def steps_since(self, start: int) -> dict[str, np.ndarray]:
        """`steps` without the first `start`, for whoever has those already."""
        with self._lock:
            return {name: np.array(column[start:]) for name, column in self._columns.items()}

    def update(self, event: Event) -> None:
        """Takes the next event."""
        if isinstance(event, VQStepMetrics):
            with self._lock:
                for name in _STEP_COLUMNS:
                    self._columns[name].append(getattr(event, name))
            self.last_step = event
            if event.health:
                self.last_health = event
        elif isinstance(event, VQEpochMetrics):
            self.epochs.append(event)
        elif isinstance(event, PreviewEvent):
            self.previews.append(event)
        elif isinstance(event, CheckpointEvent):
            self.checkpoints.append(event)
        elif isinstance(event, WarningEvent):
            self.warnings.append(event)
        elif isinstance(event, ResumeEvent):
            self.resumes.append(event)
            self.outcome = None
        else:
            self.outcome = event

    def update_lines(self, lines: Sequence[bytes]) -> None:
        """Takes many lines of an event log at once, as `update` would: a million in seconds.

        Lines that are no event, and events of kinds that this version does not know, are passed
        over and counted in `gaps`.
        """
        steps = [line for line in lines if line.startswith(_STEP_LINE)]
        if steps:
            self._update_steps(steps)
        others = (line for line in lines if not line.startswith(_STEP_LINE))
        for event in events_from_lines(others, self._gaps):
            self.update(event)

    def _update_steps(self, steps: list[bytes]) -> None:
        try:
            values = _step_lines.decode_lines(b"\n".join(steps))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):  # one of them: which?
            for event in events_from_lines(steps, self._gaps):
                self.update(event)
            return
        nan = math.nan  # JSON has none: it was written as null
        with self._lock:
            for name in _STEP_COLUMNS:
                column = [getattr(value, name) for value in values]
                self._columns[name].extend([nan if x is None else x for x in column])
        self.last_step = _last_event(steps) or self.last_step
        measured = next((x for x in reversed(steps) if _NO_HEALTH not in x), None)
        if measured:
            self.last_health = _last_event([measured]) or self.last_health

    @property
    def gaps(self) -> Gaps:
        """What could not be read, and so is missing here; false where nothing is."""
        return self._gaps

    @property
    def step_count(self) -> int:
        """Optimiser steps seen."""
        return len(self._columns["step"])

    @property
    def best(self) -> VQEpochMetrics | None:
        """The epoch whose weights are kept."""
        best = [epoch for epoch in self.epochs if epoch.is_best]
        return best[-1] if best else None

    @property
    def best_epoch(self) -> int | None:
        """Number of the best epoch, from 0."""
        return self.best.epoch if self.best else None

    @property
    def progress(self) -> float:
        """Share of the budget used, 0 to 1."""
        if isinstance(self.outcome, TrainingCompleteEvent):
            return 1.0
        seen = [event.progress for event in (self.last_step, *self.epochs[-1:]) if event]
        return max(seen, default=0.0)

    @property
    def elapsed_s(self) -> float:
        """Training time so far."""
        seen = [event.elapsed_s for event in (self.last_step, *self.epochs[-1:]) if event]
        return max(seen, default=0.0)

    @property
    def eta_s(self) -> float | None:
        """Time left at the pace so far; None before there is a pace, 0 at the end."""
        if self.outcome is not None:
            return 0.0
        if self.progress <= 0:
            return None
        return self.elapsed_s * (1 - self.progress) / self.progress

    @property
    def overfitting(self) -> bool:
        """Validation has been clearly worse than its best for a fifth of the run (at least three
        epochs) while training went on getting better.
        """
        if self.best is None:
            return False
        since = [epoch for epoch in self.epochs if epoch.epoch > self.best.epoch]
        if len(since) < max(3, len(self.epochs) // 5):
            return False
        worse = all(epoch.val_loss > 1.02 * self.best.val_loss for epoch in since[-3:])
        return worse and since[-1].train_loss < self.best.train_loss

    def curves(self) -> dict[str, list[float]]:
        """Per epoch: train, val, reconstruction and commitment, as a model file keeps them."""
        return {
            "epoch": [float(epoch.epoch) for epoch in self.epochs],
            "train": [epoch.train_loss for epoch in self.epochs],
            "val": [epoch.val_loss for epoch in self.epochs],
            "reconstruction": [epoch.val_reconstruction for epoch in self.epochs],
            "commitment": [epoch.val_commitment for epoch in self.epochs],
        }

    def to_json(self) -> str:
        """Everything as JSON; `from_json` is its inverse."""
        values = {name: _plain(getattr(self, name)) for name in _FIELDS}
        values["steps"] = {name: column.tolist() for name, column in self.steps.items()}
        return msgspec.json.encode(values).decode()  # NaN, which JSON does not have, becomes null

    @classmethod
    def from_json(cls, text: str) -> VQMetricsHistory:
        """Rebuilds a history.

        Raises:
            ValueError: not the JSON of a history.
        """
        try:
            values: dict[str, Any] = msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise ValueError(f"not the JSON of a VQMetricsHistory ({error})") from error
        if not isinstance(values, dict) or set(values) != {*_FIELDS, "steps"}:
            raise ValueError("not the JSON of a VQMetricsHistory")
        try:
            steps = msgspec.convert(values.pop("steps"), _Steps)
            history = cls(**{name: _rebuilt(value) for name, value in values.items()})
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"not the JSON of a VQMetricsHistory ({error})") from error
        columns = {name: getattr(steps, name) for name in _STEP_COLUMNS}
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError("not the JSON of a VQMetricsHistory (columns of several lengths)")
        for name, column in columns.items():
            history._columns[name].extend([math.nan if x is None else x for x in column])
        return history

    def __repr__(self) -> str:
        if not self.epochs:
            gaps = f"; {self._gaps}" if self._gaps else ""
            return f"VQMetricsHistory({self.step_count} steps, no epoch yet{gaps})"
        last, best = self.epochs[-1], self.best
        shown = f", best {best.val_loss:.4f} in epoch {best.epoch + 1}" if best else ""
        shown += f"; {self._gaps}" if self._gaps else ""
        loss = "not finite" if math.isnan(last.val_loss) else f"{last.val_loss:.4f}"
        return (
            f"VQMetricsHistory({len(self.epochs)} epochs, {self.step_count} steps, "
            f"validation {loss}{shown})"
        )

    def _repr_html_(self) -> str:
        return history_as_html(self)


_FIELDS = [
    item.name for item in dataclasses.fields(VQMetricsHistory) if not item.name.startswith("_")
]


def _last_event(lines: list[bytes]) -> VQStepMetrics | None:
    """The last step that can be read whole; the columns hold what can be drawn of the others."""
    for line in reversed(lines):
        for event in events_from_lines([line], Gaps()):
            return cast(VQStepMetrics, event)
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return event_to_dict(value) if isinstance(value, EVENT_CLASSES) else value


def _rebuilt(value: Any) -> Any:
    if isinstance(value, list):
        return [_rebuilt(item) for item in value]
    return event_from_dict(value) if isinstance(value, dict) and "event" in value else value
