"""MetricsHistory: events folded into curves."""

from __future__ import annotations

import dataclasses
import math
import threading
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import numpy as np

from distill.family import Family
from distill.training.watch.event_lines import (
    EPOCHS,
    STEPS,
    CheckpointEvent,
    Event,
    Gaps,
    PreviewEvent,
    ResumeEvent,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    WarningEvent,
    events_from_lines,
)
from distill.training.watch.history_json import history_from_json, history_to_json
from distill.training.watch.history_report import history_as_html
from distill.training.watch.plateau import Plateau, plateau_of
from distill.training.watch.step_columns import AFTER, BEFORE, STEP_LINES, read_columns

_NO_HEALTH = b'"health":[]'
_HistoryT = TypeVar("_HistoryT", bound="MetricsHistory")


@dataclass
class MetricsHistory:
    """Everything a run has reported so far. `update` is the only way in; reading is cheap."""

    epochs: list[Any] = field(default_factory=list)
    """EpochMetrics, or those of the family."""
    previews: list[PreviewEvent] = field(default_factory=list)
    checkpoints: list[CheckpointEvent] = field(default_factory=list)
    warnings: list[WarningEvent] = field(default_factory=list)
    last_step: Any = None
    """StepMetrics, or that of the family; None before there is one."""
    last_health: Any = None
    """The newest step that measured its bottleneck."""
    resumes: list[ResumeEvent] = field(default_factory=list)
    outcome: TrainingCompleteEvent | TrainingFailedEvent | None = None
    loss_parts: tuple[str, ...] = ()
    """Names of what the loss consists of; those of the first step, where none are named."""
    _columns: dict[str, array[float]] = field(default_factory=dict, repr=False)
    _gaps: Gaps = field(default_factory=Gaps, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._columns.update({name: array("d") for name in self._names})

    @property
    def _names(self) -> tuple[str, ...]:
        return (*BEFORE, *self.loss_parts, *AFTER)

    @property
    def steps(self) -> dict[str, np.ndarray]:
        """What was measured at every step: step, loss, each of its parts, learning_rate and
        gradient_norm, each (steps,) float64; copies, of equal length whoever writes meanwhile.
        """
        return self.steps_since(0)

    def steps_since(self, start: int) -> dict[str, np.ndarray]:
        """`steps` without the first `start`, for whoever has those already."""
        with self._lock:
            return {name: np.array(column[start:]) for name, column in self._columns.items()}

    def update(self, event: Event) -> None:
        """Takes the next event."""
        if isinstance(event, STEPS):
            self._learn_names(event.parts)
            with self._lock:
                for name in (*BEFORE, *AFTER):
                    self._columns[name].append(getattr(event, name))
                for name in self.loss_parts:
                    self._columns[name].append(event.parts.get(name, math.nan))
            self.last_step = event
            if event.health:
                self.last_health = event
        elif isinstance(event, EPOCHS):
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
        steps = [line for line in lines if line.startswith(STEP_LINES)]
        if steps:
            self._update_steps(steps)
        if len(steps) == len(lines):  # as most of a long log is
            return
        others = (line for line in lines if not line.startswith(STEP_LINES))
        for event in events_from_lines(others, self._gaps):
            self.update(event)

    def _update_steps(self, steps: list[bytes]) -> None:
        for first in events_from_lines(steps[:1], Gaps()):
            self._learn_names(first.parts)  # type: ignore[union-attr]
        columns = read_columns(steps, self.loss_parts)
        if columns is None:  # one of them is none: which?
            for event in events_from_lines(steps, self._gaps):
                self.update(event)
            return
        with self._lock:
            for name, column in columns.items():
                self._columns[name].extend(column)
        self.last_step = _last_event(steps) or self.last_step
        measured = next((x for x in reversed(steps) if _NO_HEALTH not in x), None)
        if measured:
            self.last_health = _last_event([measured]) or self.last_health

    def _learn_names(self, parts: Iterable[str]) -> None:
        if not self.loss_parts and not self.step_count:
            with self._lock:
                self.loss_parts = tuple(parts)
                self._columns = {name: array("d") for name in self._names}

    @property
    def gaps(self) -> Gaps:
        """What could not be read, and so is missing here; false where nothing is."""
        return self._gaps

    @property
    def step_count(self) -> int:
        """Optimiser steps seen."""
        return len(self._columns["step"])

    @property
    def best(self) -> Any:
        """The epoch whose weights are kept; None before there is one."""
        best = [epoch for epoch in self.epochs if epoch.is_best]
        return best[-1] if best else None

    @property
    def measured(self) -> Any:
        """The epoch whose health is shown: the newest, or once training is complete the best, whose
        weights are kept; None before there is one.
        """
        if isinstance(self.outcome, TrainingCompleteEvent) and self.best and self.best.health:
            return self.best
        return next((epoch for epoch in reversed(self.epochs) if epoch.health), None)

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
    def plateau(self) -> Plateau | None:
        """Where validation has not become better for some epochs: how many, and what is kept; None
        where it has, or where lines of the log are missing, which may have said so.
        """
        return None if self.gaps else plateau_of(self.epochs)

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
        """Per epoch: train, val, and the parts of val by name, as a model file keeps them."""
        return {
            "epoch": [float(epoch.epoch) for epoch in self.epochs],
            "train": [epoch.train_loss for epoch in self.epochs],
            "val": [epoch.val_loss for epoch in self.epochs],
            **{
                name: [epoch.val_parts.get(name, math.nan) for epoch in self.epochs]
                for name in self.loss_parts
            },
        }

    def to_json(self) -> str:
        """Everything as JSON; `from_json` is its inverse."""
        return history_to_json({name: getattr(self, name) for name in self._fields()}, self.steps)

    @classmethod
    def from_json(cls: type[_HistoryT], text: str) -> _HistoryT:
        """Rebuilds a history.

        Raises:
            ValueError: not the JSON of a history.
        """
        try:
            values, steps = history_from_json(text, cls._fields())
            history = cls(**values)
            history._learn_names([name for name in steps if name not in (*BEFORE, *AFTER)])
            if set(steps) != set(history._names):
                raise ValueError("other columns")
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"not the JSON of a {cls.__name__} ({error})") from error
        for name, column in steps.items():
            history._columns[name].extend(column)
        return history

    @classmethod
    def _fields(cls) -> list[str]:
        names = [item.name for item in dataclasses.fields(cls) if not item.name.startswith("_")]
        return [name for name in names if name != "loss_parts"]  # which the columns say

    def __repr__(self) -> str:
        if not self.epochs:
            gaps = f"; {self._gaps}" if self._gaps else ""
            return f"{type(self).__name__}({self.step_count} steps, no epoch yet{gaps})"
        last, best = self.epochs[-1], self.best
        shown = f", best {best.val_loss:.4f} in epoch {best.epoch + 1}" if best else ""
        shown += f"; {self._gaps}" if self._gaps else ""
        loss = "not finite" if math.isnan(last.val_loss) else f"{last.val_loss:.4f}"
        return (
            f"{type(self).__name__}({len(self.epochs)} epochs, {self.step_count} steps, "
            f"validation {loss}{shown})"
        )

    def _repr_html_(self) -> str:
        return history_as_html(
            self.epochs,
            self.step_count,
            self.elapsed_s,
            self.best,
            self.gaps,
            self.warnings,
            self.outcome,
        )


@dataclass(repr=False)
class VQMetricsHistory(MetricsHistory):
    """`MetricsHistory` of an RVQ-VAE: its events are VQStepMetrics and VQEpochMetrics."""

    loss_parts: tuple[str, ...] = ("reconstruction", "commitment")


def history_of(kind: Family) -> MetricsHistory:
    """An empty history of a run of a family."""
    if kind.history is None:
        return MetricsHistory(loss_parts=kind.loss_parts)
    history: MetricsHistory = kind.history()
    return history


def _last_event(lines: list[bytes]) -> Any:
    """The last step that can be read whole; the columns hold what can be drawn of the others."""
    for line in reversed(lines):
        for event in events_from_lines([line], Gaps()):
            return event
    return None
