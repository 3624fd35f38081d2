"""Latents: what a continuous model says of one sound, dimensions × time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from distill.arrays import Array, as_floats
from distill.encoded.sound import EncodedSound
from distill.errors import LatentsError
from distill.latent.latents_file import LATENTS_FILE

LARGEST = 1e6
"""No latent is this large: the prior keeps them to a few units."""


@dataclass(frozen=True, eq=False)
class Latents(EncodedSound):
    """What a model says about a sound, and what is needed to turn it back.

    Nothing of it can be changed in place: make changed ones with `with_values`.

    Raises:
        LatentsError: no grid, or a value that no latents have.
    """

    file = LATENTS_FILE

    values: np.ndarray
    """(dims, steps) float32, read-only; any array or tensor may be given."""
    step_seconds: float
    """Length of one step."""
    samples: int
    """Length of the sound at `sample_rate`."""
    sample_rate: int
    peak: float = 1.0
    """Largest absolute sample of the sound: its loudness, which the latents do not hold."""
    made_by: str = ""
    """The `digest` of the model that made them; "" where nobody knows."""
    model_name: str = ""
    """Its name at that time, for people."""

    def __post_init__(self) -> None:
        self._set("values", _frozen(self.values))
        self._check_sound()

    def with_values(self, values: Array) -> Latents:
        """The same sound's latents with other values.

        Args:
            values: (dims, steps).

        Raises:
            LatentsError: no grid, or numbers that are none.

        Example:
            >>> latents = Latents(np.array([[1.0, 2.0, 3.0]]), 0.02, 960, 16_000)
            >>> latents.with_values(latents.values[:, ::-1]).values.tolist()
            [[3.0, 2.0, 1.0]]
        """
        return replace(self, values=_frozen(values))

    def tensor(self) -> Tensor:
        """The values as a tensor of the caller's own, (dims, steps) float32."""
        return torch.from_numpy(self.values.copy())

    @property
    def dims(self) -> int:
        """Rows of the grid."""
        return int(self.values.shape[0])

    @property
    def steps(self) -> int:
        """Columns of the grid."""
        return int(self.values.shape[1])

    def __repr__(self) -> str:
        grid = f"{self.dims} dimensions × {self.steps} steps"
        return f"Latents({grid}, {self.seconds:.2f} s at {self.sample_rate} Hz)"


def _frozen(values: Array) -> np.ndarray:
    grid = as_floats(values, "values", error=LatentsError)
    if grid.ndim != 2 or 0 in grid.shape:
        raise LatentsError(f"values {tuple(grid.shape)}: expected (dims, steps)")
    if not bool((grid.abs() <= LARGEST).all()):  # which NaN is not either
        raise LatentsError(f"values hold NaN, Inf or numbers beyond {LARGEST:.0e}")
    array = np.array(grid.cpu().numpy(), copy=True, order="C")
    array.flags.writeable = False
    return array
