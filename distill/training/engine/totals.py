"""Sums over the batches of an epoch, or of a stretch of steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class StepResult:
    """One batch, done, of all processes together."""

    loss: float
    parts: dict[str, float]
    observed: Mapping[str, Tensor]
    """On the device; see `Judgement.observed`."""
    gradient_norm: float
    """Before clipping, over all optimisers."""


@dataclass(frozen=True)
class EpochResult:
    """Weighted means over an epoch's batches."""

    loss: float = math.nan
    parts: dict[str, float] = field(default_factory=dict)
    """What the loss consists of, by name."""
    observed: dict[str, Tensor] = field(default_factory=dict)
    """Sums of what was seen of the bottleneck, by name, on the CPU."""
    steps: int = 0
    skipped: int = 0
    """Batches left out because of NaN or Inf."""


class ObservedSums:
    """Adds up `Judgement.observed` where it is, on the device.

    Args:
        nothing: zeros of each, see `Task.nothing_observed`.
    """

    def __init__(self, nothing: Mapping[str, Tensor]) -> None:
        self._sums = {name: zeros.clone() for name, zeros in nothing.items()}

    def add(self, observed: Mapping[str, Tensor]) -> None:
        """Adds those of a batch."""
        for name, value in observed.items():
            self._sums[name] = self._sums[name].to(value.device).add_(value)

    def clear(self) -> None:
        """Begins at zero."""
        for total in self._sums.values():
            total.zero_()

    def fetched(self) -> dict[str, Tensor]:
        """Copies on the CPU."""
        return {name: total.to("cpu", copy=True) for name, total in self._sums.items()}

    def load(self, sums: Mapping[str, Tensor]) -> None:
        """Continues from what `fetched` returned."""
        self._sums = {name: own(total) for name, total in sums.items()}


class EpochTotals:
    """Sums behind an `EpochResult`; can be put aside in mid-epoch and resumed.

    Args:
        nothing: see `ObservedSums`.
    """

    def __init__(self, nothing: Mapping[str, Tensor]) -> None:
        self.sums: dict[str, float] = {}
        """Of the loss, "loss", and of its parts by name, each batch by its weight."""
        self.weight = 0.0
        self.observed = ObservedSums(nothing)
        self.steps = 0
        self.skipped = 0

    def add(self, result: StepResult, weight: float) -> None:
        """Counts a batch."""
        for name, value in {"loss": result.loss, **result.parts}.items():
            self.sums[name] = self.sums.get(name, 0.0) + weight * value
        self.observed.add(result.observed)
        self.weight += weight
        self.steps += 1

    def result(self) -> EpochResult:
        """The means so far."""
        means = {name: value / self.weight for name, value in self.sums.items() if self.weight}
        return EpochResult(
            loss=means.pop("loss", math.nan),
            parts=means,
            observed=self.observed.fetched(),
            steps=self.steps,
            skipped=self.skipped,
        )

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to count on."""
        return {
            "sums": dict(self.sums),
            "weight": self.weight,
            "observed": self.observed.fetched(),
            "steps": self.steps,
            "skipped": self.skipped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes what another put aside."""
        self.sums = dict(state["sums"])
        self.weight = state["weight"]
        self.observed.load(state["observed"])
        self.steps, self.skipped = state["steps"], state["skipped"]


def own(tensor: Tensor) -> Tensor:
    """A copy in memory of its own, in the order of its dimensions: one that was read may share its
    numbers with another, or with itself.
    """
    return tensor.clone(memory_format=torch.contiguous_format)
