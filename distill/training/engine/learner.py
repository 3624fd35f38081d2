"""GuardedLearner: takes optimiser steps, and none that would spoil the weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from distill.errors import NonFiniteError, TrainingError
from distill.training.engine.processes import Processes
from distill.training.engine.task import Judgement
from distill.training.engine.totals import StepResult

if TYPE_CHECKING:
    from lightning_fabric import Fabric

MOST_SKIPPED_IN_A_ROW = 10


class GuardedLearner:
    """A `Learner`: fetches loss, parts and gradient's length with one transfer, and looks at them
    before the optimiser changes anything.

    A batch counts whole or not at all: where one of several optimisers has stepped already and the
    loss of the next one is not finite, what the first has changed is put back. Adversaries would
    drift apart else, with one of them learning from batches that the other never saw.

    Args:
        module: what is learned.
        optimizers: as `fabric.setup` gave them.
        fabric: device, precision and number of processes.
        clip: largest length of a gradient.
    """

    def __init__(
        self, module: nn.Module, optimizers: Sequence[Optimizer], fabric: Fabric, *, clip: float
    ) -> None:
        self.progress = 0.0
        self.rate: float | None = None
        """Learning rate of the next step; None leaves that of the optimisers."""
        self.skipped_in_a_row = 0
        self._module, self._optimizers, self._fabric, self._clip = module, optimizers, fabric, clip
        self._processes = Processes(fabric)
        self._fetched: list[tuple[Tensor, float]] = []  # of this batch
        self._lengths: list[float] = []
        self._before: list[_Before] = []  # of the optimisers that have stepped, but for the last

    def begin(self) -> None:
        """Forgets the batch before."""
        self._fetched, self._lengths, self._before = [], [], []

    def put_back(self) -> None:
        """Undoes the steps that were taken for this batch."""
        while self._before:
            self._before.pop().put_back()

    def apply(self, judgement: Judgement, optimizer: int = 0) -> None:
        """Takes one step; see `Learner`."""
        chosen = self._optimizers[optimizer]
        if self.rate is not None:
            for group in chosen.param_groups:
                group["lr"] = self.rate
        chosen.zero_grad(set_to_none=True)
        self._fabric.backward(judgement.loss)
        norm = self._fabric.clip_gradients(
            self._module, chosen, max_norm=self._clip, error_if_nonfinite=False
        )
        scalars = [judgement.loss, *judgement.parts.values()]
        *values, length = self._processes.means([*scalars, cast(Tensor, norm)])
        wrong = next((what for what, value in (("loss", values[0]), ("gradient", length))
                      if not math.isfinite(value)), None)  # fmt: skip
        if wrong is not None:
            chosen.zero_grad(set_to_none=True)
            raise NonFiniteError(f"NaN or Inf in the {wrong}")
        if len(self._lengths) + 1 < len(self._optimizers):  # after the last one nothing goes wrong
            self._before.append(_Before.of(chosen))
        chosen.step()
        self._fetched += zip(scalars, values, strict=True)
        self._lengths.append(length)

    def result(self, judgement: Judgement) -> StepResult:
        """A batch that was learned from; fetches only what no step has fetched."""
        self.skipped_in_a_row = 0
        loss, *parts = self._numbers([judgement.loss, *judgement.parts.values()])
        return StepResult(
            loss=loss,
            parts=dict(zip(judgement.parts, parts, strict=True)),
            observed=self._processes.sums(judgement.observed),
            gradient_norm=math.hypot(*self._lengths),
        )

    def skip(self, error: NonFiniteError) -> None:
        """Counts a batch that was left out.

        Raises:
            TrainingError: it was the tenth in a row.
        """
        self.skipped_in_a_row += 1
        if self.skipped_in_a_row >= MOST_SKIPPED_IN_A_ROW:
            raise TrainingError(
                f"{self.skipped_in_a_row} batches in a row could not be used ({error}): "
                "try a lower learning_rate"
            ) from error

    def _numbers(self, scalars: Sequence[Tensor]) -> list[float]:
        known = {id(scalar): value for scalar, value in self._fetched}
        missing = [scalar for scalar in scalars if id(scalar) not in known]
        if missing:
            known |= zip(map(id, missing), self._processes.means(missing), strict=True)
        return [known[id(scalar)] for scalar in scalars]


@dataclass(frozen=True)
class _Before:
    """An optimiser and what it learns, as they were before its step."""

    optimizer: Optimizer
    weights: list[Tensor]
    state: dict[str, Any]

    @classmethod
    def of(cls, optimizer: Optimizer) -> _Before:
        weights = [weight.detach().clone() for weight in _weights(optimizer)]
        return cls(optimizer, weights, copy.deepcopy(optimizer.state_dict()))

    @torch.no_grad()
    def put_back(self) -> None:
        for weight, before in zip(_weights(self.optimizer), self.weights, strict=True):
            weight.copy_(before)
        self.optimizer.load_state_dict(self.state)


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]
