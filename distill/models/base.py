"""What the engine drives: it never asks which family a model is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class ModelOutput:
    """One batch, judged."""

    reconstruction: Tensor
    """(batch, n_mels, frames)."""
    reconstruction_loss: Tensor
    """Scalar."""
    penalty: Tensor
    """Scalar, already weighted: what the bottleneck costs."""
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    """Further named scalars worth a curve; not added to the loss again."""
    codes: Tensor | None = None
    """(batch, level, step), None for a continuous model."""

    @property
    def loss(self) -> Tensor:
        """What training minimises."""
        return self.reconstruction_loss + self.penalty


class AudioModel(Protocol):
    """A model over log-mel frames."""

    training: bool

    def assess(self, mel: Tensor, forward_output: Any) -> ModelOutput:
        """Judges what `forward(mel)` returned."""
        ...

    def initialise(self, mel: Tensor) -> None:
        """Sets up from data, (batch, n_mels, frames), what cannot start from random numbers."""
        ...

    @property
    def codebook_shape(self) -> tuple[int, int] | None:
        """(levels, entries); None for a continuous model."""
        ...

    @property
    def replaced_entries(self) -> tuple[int, ...]:
        """Codebook entries replaced at each level so far; only ever grows."""
        ...
