"""Latents: what a continuous model says of one sound, dimensions × time."""

from __future__ import annotations

import os
import re
import reprlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distill.arrays import LOUDEST, Array, as_float, as_floats, as_int
from distill.errors import LatentsError
from distill.latent import latents_file
from distill.names import printable

LARGEST = 1e6
"""No latent is this large: the prior keeps them to a few units."""
_MOST = 2**53
_DIGEST = re.compile("[0-9a-f]{64}|")


@dataclass(frozen=True, eq=False)
class Latents:
    """What a model says about a sound, and what is needed to turn it back.

    Nothing of it can be changed in place: make changed ones with `with_values`.

    Raises:
        LatentsError: no grid, or a value that no latents have.
    """

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
        self._set("samples", _whole("samples", self.samples))
        self._set("sample_rate", _whole("sample_rate", self.sample_rate))
        self._set("step_seconds", _number("step_seconds", self.step_seconds))
        self._set("peak", _number("peak", self.peak))
        if self.samples < 0 or self.sample_rate < 1 or not 0 < self.step_seconds < float("inf"):
            raise LatentsError(
                f"{self.samples} samples at {self.sample_rate} Hz in steps of "
                f"{self.step_seconds} s: expected a length of time"
            )
        if not 0 <= self.peak <= LOUDEST:
            raise LatentsError(f"peak={self.peak}: expected a number from 0 to {LOUDEST:.0e}")
        if not isinstance(self.made_by, str) or not _DIGEST.fullmatch(self.made_by):
            raise LatentsError(
                f"made_by={reprlib.repr(self.made_by)}: expected the digest of a model"
            )
        if not isinstance(self.model_name, str):
            raise LatentsError(f"model_name={reprlib.repr(self.model_name)}: expected a text")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # frozen for everybody else

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

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self.samples / self.sample_rate

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Writes a NumPy `.npz` that any tool can read; returns the path, ending in .npz.

        Args:
            path: of the file.
            overwrite: replace a file that this program did not write.

        Raises:
            OutputExistsError: such a file is there.
            LatentsError: it cannot be written.
        """
        return latents_file.save(vars(self), Path(path), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Latents:
        """Reads what `save` wrote; nothing in the file is executed.

        Raises:
            LatentsError: missing, damaged, too large, or no file of latents.
        """
        values = latents_file.load(Path(path))
        try:
            return cls(**values)
        except LatentsError as error:
            raise LatentsError(f"{printable(Path(path).name)}: {error}") from error

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


def _whole(name: str, value: Any) -> int:
    number = as_int(value)
    if number is None or not -_MOST <= number <= _MOST:
        raise LatentsError(f"{name}={reprlib.repr(value)}: expected a whole number")
    return number


def _number(name: str, value: Any) -> float:
    number = as_float(value)
    if number is None:
        raise LatentsError(f"{name}={reprlib.repr(value)}: expected a number")
    return number
