"""One epoch over any AudioModel: one body for training and validation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from lightning_fabric import Fabric, is_wrapped
from torch import Tensor, nn

from distill.codebook.health import count_codes
from distill.errors import NonFiniteError, TrainingError
from distill.models.base import AudioModel

MOST_SKIPPED_IN_A_ROW = 10
_IN_ORDER = torch.contiguous_format

Batch = tuple[Tensor, float]
"""Log-mel frames (batch, n_mels, frames) and their weight in the epoch's means."""


@dataclass(frozen=True)
class StepResult:
    """One batch, done."""

    loss: float
    reconstruction: float
    penalty: float
    parts: dict[str, float]
    codes: Tensor | None
    gradient_norm: float


@dataclass
class EpochResult:
    """Weighted means over an epoch's batches."""

    loss: float = math.nan
    reconstruction: float = math.nan
    penalty: float = math.nan
    parts: dict[str, float] = field(default_factory=dict)
    counts: Tensor | None = None
    """Uses of each entry, (level, entry); None for a continuous model."""
    replaced: tuple[int, ...] = ()
    """Entries replaced at each level."""
    steps: int = 0
    skipped: int = 0
    """Batches left out because of NaN or Inf."""


class EpochTotals:
    """Sums behind an `EpochResult`; can be put aside in mid-epoch and taken up again."""

    def __init__(self, model: AudioModel) -> None:
        self._model = model
        shape = model.codebook_shape
        self._counts = torch.zeros(shape, dtype=torch.int64) if shape else None
        self._sums: dict[str, float] = {}
        self._weight = 0.0
        self._replaced_before = model.replaced_entries
        self.steps = 0
        self.skipped = 0

    def add(self, result: StepResult, weight: float) -> None:
        """Counts a batch."""
        values = {
            "loss": result.loss,
            "reconstruction": result.reconstruction,
            "penalty": result.penalty,
            **{f"part {name}": value for name, value in result.parts.items()},
        }
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + weight * value
        if self._counts is not None and result.codes is not None:
            self._counts += count_codes(result.codes, self._counts.shape[1]).cpu()
        self._weight += weight
        self.steps += 1

    def result(self) -> EpochResult:
        """The means so far."""
        means = {name: value / self._weight for name, value in self._sums.items()}
        return EpochResult(
            loss=means.pop("loss", math.nan),
            reconstruction=means.pop("reconstruction", math.nan),
            penalty=means.pop("penalty", math.nan),
            parts={name.removeprefix("part "): value for name, value in means.items()},
            counts=self._counts,
            replaced=self._replaced(),
            steps=self.steps,
            skipped=self.skipped,
        )

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to count on."""
        return {
            "counts": self._counts,
            "sums": dict(self._sums),
            "weight": self._weight,
            "replaced": list(self._replaced()),
            "steps": self.steps,
            "skipped": self.skipped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes up what another put aside."""
        counts = state["counts"]
        self._counts = None if counts is None else counts.clone(memory_format=_IN_ORDER)
        self._sums = dict(state["sums"])
        self._weight = state["weight"]
        self.steps, self.skipped = state["steps"], state["skipped"]
        # The model counts from when it was made; what came before lies below zero.
        pairs = zip(self._model.replaced_entries, state["replaced"], strict=True)
        self._replaced_before = tuple(now - done for now, done in pairs)

    def _replaced(self) -> tuple[int, ...]:
        pairs = zip(self._model.replaced_entries, self._replaced_before, strict=True)
        return tuple(now - before for now, before in pairs)


class Learner:
    """Turns a loss into a step; leaves weights alone when the gradient is not finite."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, fabric: Fabric, clip: float
    ) -> None:
        self._model, self._optimizer, self._fabric, self._clip = model, optimizer, fabric, clip
        self.skipped_in_a_row = 0

    def apply(self, loss: Tensor, rate: float | None = None) -> float:
        """Takes one step, at a learning rate; returns the gradient's norm before clipping.

        Raises:
            NonFiniteError: NaN or Inf in the loss or its gradient; nothing was changed.
        """
        if not torch.isfinite(loss):
            raise NonFiniteError("NaN or Inf in the loss")
        if rate is not None:
            for group in self._optimizer.param_groups:
                group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        norm = self._fabric.clip_gradients(
            self._model, self._optimizer, max_norm=self._clip, error_if_nonfinite=False
        )
        length = float(cast(Tensor, norm))
        if not math.isfinite(length):
            self._optimizer.zero_grad(set_to_none=True)
            raise NonFiniteError("NaN or Inf in the gradient")
        self._optimizer.step()
        self.skipped_in_a_row = 0
        return length


def unwrapped(model: nn.Module) -> AudioModel:
    """The model itself, without what Fabric puts around it."""
    return cast(AudioModel, model.module if is_wrapped(model) else model)


def run_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    learner: Learner | None = None,
    totals: EpochTotals | None = None,
    rate: Callable[[], float] | None = None,
    combine: Callable[[StepResult], StepResult] | None = None,
    on_step: Callable[[StepResult], None] | None = None,
    on_skip: Callable[[str], None] | None = None,
) -> EpochResult:
    """Runs a model over batches: with a learner it trains, without one it validates.

    Args:
        model: an AudioModel, wrapped by Fabric or not.
        batches: see `Batch`.
        learner: takes the optimiser steps.
        totals: of the part of this epoch that is done already.
        rate: asked for the learning rate before each step.
        combine: makes one result of those of several processes.
        on_step: told of every batch that counted.
        on_skip: told why a batch was left out.

    Raises:
        TrainingError: ten training batches in a row were not finite, also over epochs' ends; with
            several processes one is enough, for it cannot be left out in one of them alone.
    """
    inner = unwrapped(model)
    model.train(learner is not None)
    totals = totals or EpochTotals(inner)
    with torch.set_grad_enabled(learner is not None):
        for mel, weight in batches:
            try:
                if not torch.isfinite(mel).all():
                    raise NonFiniteError("NaN or Inf in the sound")
                output = inner.assess(mel, model(mel))
                norm = learner.apply(output.loss, rate() if rate else None) if learner else 0.0
            except NonFiniteError as error:
                totals.skipped += 1
                if on_skip:
                    on_skip(str(error))
                if learner:
                    _lose_patience(learner, error)
                continue
            result = StepResult(
                loss=float(output.loss.detach()),
                reconstruction=float(output.reconstruction_loss.detach()),
                penalty=float(output.penalty.detach()),
                parts={name: float(part.detach()) for name, part in output.parts.items()},
                codes=output.codes,
                gradient_norm=norm,
            )
            if combine:
                result = combine(result)
            totals.add(result, weight)
            if on_step:
                on_step(result)
    return totals.result()


def _lose_patience(learner: Learner, error: NonFiniteError) -> None:
    learner.skipped_in_a_row += 1
    alone = not torch.distributed.is_initialized()
    if learner.skipped_in_a_row >= (MOST_SKIPPED_IN_A_ROW if alone else 1):
        raise TrainingError(
            f"{learner.skipped_in_a_row} batches in a row could not be used ({error}): "
            "try a lower learning_rate"
        ) from error
