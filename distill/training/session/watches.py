"""What watches a training and warns: of a bottleneck that is hardly used, and of overfitting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from distill.family import Family
from distill.training.engine.totals import EpochResult, ObservedSums
from distill.training.watch.event_lines import WarningEvent
from distill.training.watch.history import MetricsHistory


class HealthWatch:
    """Sums what is observed of the bottleneck and says, now and then, how well it is used.

    Args:
        kind: knows what the sums mean.
        nothing: see `Task.nothing_observed`.
        every_steps: from one report to the next.
    """

    def __init__(self, kind: Family, nothing: Mapping[str, Tensor], *, every_steps: int) -> None:
        self._kind, self._every_steps = kind, every_steps
        self._window, self._steps = ObservedSums(nothing), 0
        self._before, self._steps_before = ObservedSums(nothing), 0  # of the last epoch's training
        self._warned: set[int] = set()  # rows of which was warned

    def step(self, observed: Mapping[str, Tensor], step: int) -> tuple[Any, ...]:
        """Adds a step; returns the health since the last report where one is due, else nothing.

        Args:
            observed: see `Judgement.observed`; stays on the device until a report.
            step: number of the step, from 0.
        """
        self._window.add(observed)
        self._steps += 1
        if (step + 1) % self._every_steps:
            return ()
        observed = self._window.fetched()
        health = self._kind.health(observed, observed, self._steps)
        self._window.clear()
        self._steps = 0
        return health

    def epoch(
        self, training: EpochResult, validation: EpochResult, steps_per_epoch: int
    ) -> tuple[Any, ...]:
        """The health at an epoch's end.

        Where a budget cut the epoch short, the training of the epoch before it counts too: a few
        steps say little of the bottleneck.

        Args:
            training: of the epoch.
            validation: of the epoch.
            steps_per_epoch: of a whole one.
        """
        trained, steps = training.observed, training.steps
        if steps + training.skipped < steps_per_epoch and self._steps_before:
            self._before.add(trained)
            trained, steps = self._before.fetched(), steps + self._steps_before
        self._before.load(training.observed)
        self._steps_before = training.steps
        return self._kind.health(validation.observed, trained, steps)

    def warnings(self, health: tuple[Any, ...], epoch: int, step: int) -> Iterator[WarningEvent]:
        """Warns once when a row of health becomes bad, again only after it recovered; never in the
        first epoch.
        """
        bad = {row: rated.advice for row, rated in enumerate(health) if rated.advice}
        if epoch > 0:
            for row in sorted(set(bad) - self._warned):
                level = getattr(health[row], "level", None)
                yield WarningEvent(epoch, step, self._kind.health_warning, bad[row], level)
            self._warned = set(bad)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to watch on."""
        return {
            "window": self._window.fetched(),
            "steps": self._steps,
            "before": self._before.fetched(),
            "steps_before": self._steps_before,
            "warned": sorted(self._warned),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes what another put aside."""
        self._window.load(state["window"])
        self._steps, self._warned = state["steps"], set(state["warned"])
        if "before" in state:  # earlier versions did not count it
            self._before.load(state["before"])
            self._steps_before = state["steps_before"]


class OverfitWatch:
    """Warns once where validation gets worse while training gets better."""

    def __init__(self) -> None:
        self._warned = False

    def warnings(self, history: MetricsHistory, epoch: int, step: int) -> Iterator[WarningEvent]:
        """The warning, the first time that the history gives cause for it."""
        if self._warned or not history.overfitting:
            return
        self._warned = True
        message = (
            f"validation has not improved since epoch {(history.best_epoch or 0) + 1} while "
            "training has: the model learns these files by heart; its best weights are kept"
        )
        yield WarningEvent(epoch, step, "overfitting", message)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to watch on."""
        return {"warned": self._warned}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes what another put aside."""
        self._warned = state["warned"]
