"""Task: what is learned. The engine knows nothing else of a model, its data or its losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from distill.config import TrainingConfig
from distill.own_folder import OwnFolder
from distill.training.watch.events import PreviewPair

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Judgement:
    """One batch, judged. Its tensors stay on the device: the engine fetches them all at once."""

    loss: Tensor
    """Scalar: what training minimises."""
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    """What the loss consists of, scalars by name, unweighted: each has a curve."""
    observed: Mapping[str, Tensor] = field(default_factory=dict)
    """What was seen of the bottleneck, by name; sums over batches and processes have a meaning, as
    those of the uses of each entry, (level, entry).
    """


class Learner(Protocol):
    """What takes optimiser steps; the engine gives it to a task."""

    progress: float
    """Share of the budget used, 0 to 1; for schedules of a task's own."""

    def apply(self, judgement: Judgement, optimizer: int = 0) -> None:
        """Takes one step with one of the task's optimisers.

        Raises:
            NonFiniteError: NaN or Inf in the loss or its gradient; this optimiser has not stepped.
        """
        ...


class Task(Protocol):
    """What is learned: modules, optimisers, batches, losses and previews of one training.

    It is made from its settings alone, also to see what a checkpoint has to hold; `setup` gives it
    data and a device.
    """

    config: TrainingConfig
    module: nn.Module
    """All that is learned; its `state_dict` is in checkpoints and model files."""
    loss_parts: tuple[str, ...]
    """Names of `Judgement.parts`."""

    def optimizers(self) -> Sequence[Optimizer]:
        """New optimisers of the module, as `setup` wraps them."""
        ...

    def setup(self, fabric: Fabric, split: Any) -> Sequence[Optimizer]:
        """Takes the data and moves everything to the device.

        Args:
            fabric: device, precision and number of processes.
            split: what to learn from and what to judge by, as `AudioCorpus.split` returns it.

        Returns:
            The optimisers, as `fabric.setup` gave them.
        """
        ...

    @property
    def batches_per_pass(self) -> float:
        """Batches of one process that hold as much as all the training material."""
        ...

    def keep_general(self) -> None:
        """Told, before `setup`, of a run that started from the base, also where it is resumed: what
        holds for sound in general is to be kept.
        """
        ...

    def prepare(self) -> None:
        """Sets up, before the first step, what cannot start from random numbers, as codebooks."""
        ...

    def batch(self, rank: int, ranks: int) -> Any:
        """The next training batch of one of several processes."""
        ...

    def validation(self, rank: int, ranks: int) -> Iterator[tuple[Any, float]]:
        """One process's share of the validation batches, each with its weight in the means; the
        first process has one at least.
        """
        ...

    def train_step(self, batch: Any, learner: Learner) -> Judgement:
        """Learns from a batch, with one call of `learner.apply` for each optimiser.

        Raises:
            NonFiniteError: the batch cannot be used, in all processes alike. The engine puts back
                what the forward pass changed, and what other optimisers have learned from it.
        """
        ...

    def judge(self, batch: Any) -> Judgement:
        """Judges a batch without learning from it; no process waits for another.

        Raises:
            NonFiniteError: the batch cannot be used.
        """
        ...

    def nothing_observed(self) -> dict[str, Tensor]:
        """`Judgement.observed` of no batch at all: zeros, on the CPU."""
        ...

    def preview(self, files: OwnFolder, inside: str) -> tuple[PreviewPair, ...]:
        """Writes sounds to listen to into a folder of the run folder."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What the task needs to be resumed exactly, beside weights and optimisers."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes where `state_dict` was taken; `state` was checked by `check_state`."""
        ...

    def check_state(self, state: Any) -> None:
        """Checks what a checkpoint says it holds of this task, before anything is resumed.

        Called before `setup`.

        Raises:
            CheckpointError: it is none of this task's; says what is wrong.
        """
        ...
