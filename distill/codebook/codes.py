"""Codes: the levels × time grid of one sound."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from distill.arrays import Array, as_count, as_whole_numbers
from distill.codebook.codes_file import CODES_FILE
from distill.codebook.grid_html import grid_as_html
from distill.codebook.labels import LONGEST_LABEL, level_labels
from distill.encoded.sound import EncodedSound
from distill.errors import CodesError, ConfigError

NO_CODE = -1
"""In a grid of codes: nothing at this level; it decodes to exactly zero."""


@dataclass(frozen=True, eq=False)
class Codes(EncodedSound):
    """What a model says about a sound, and what is needed to turn it back.

    `indices` is (levels, steps) int64; -1 is "no code". It is a copy each time it is read: codes
    never change, so that a sound made of them stays theirs. `with_indices` makes changed ones.

    Raises:
        CodesError: no grid, or a value that no codes have.
    """

    file = CODES_FILE

    indices: Tensor
    codebook_size: int
    step_seconds: float
    """Length of one step."""
    samples: int
    """Length of the sound at `sample_rate`."""
    sample_rate: int
    peak: float = 1.0
    """Largest absolute sample of the sound: its loudness, which the codes do not hold."""
    labels: tuple[str, ...] = field(default=())
    made_by: str = ""
    """The `digest` of the model that made them; "" where nobody knows."""
    model_name: str = ""
    """Its name at that time, for people."""

    def __post_init__(self) -> None:
        self._set("codebook_size", self._whole("codebook_size"))
        low, high = int(self._grid.min()), int(self._grid.max())
        if self.codebook_size < 1:
            raise CodesError(f"codebook_size={self.codebook_size}: expected a whole number from 1")
        if low < NO_CODE or high >= self.codebook_size:
            raise CodesError(
                f"codes from {low} to {high}: expected {NO_CODE} (no code) to "
                f"{self.codebook_size - 1}"
            )
        self._set("labels", _labels(self.labels, self.levels))
        self._check_sound()

    @property
    def _grid(self) -> Tensor:
        grid: Tensor = self.__dict__["indices"]
        return grid

    def with_indices(self, indices: Array) -> Codes:
        """The same sound's codes with another grid.

        Args:
            indices: (levels, steps) of whole numbers.

        Raises:
            CodesError: no grid, or a code that does not exist.

        Example:
            >>> import torch
            >>> codes = Codes(torch.tensor([[1, 2, 3]]), 4, 0.02, 960, 16_000)
            >>> codes.with_indices(codes.indices.flip(1)).indices.tolist()
            [[3, 2, 1]]
        """
        grid = as_indices(indices)
        labels = self.labels if len(grid) == self.levels else ()
        return replace(self, indices=grid, labels=labels)

    def first_levels(self, count: int) -> Codes:
        """The same sound's codes without the levels after the first ones.

        Args:
            count: levels that stay.

        Raises:
            ConfigError: none, or more than there are.

        Example:
            >>> import torch
            >>> codes = Codes(torch.tensor([[1, 2], [3, 0]]), 4, 0.02, 960, 16_000)
            >>> codes.first_levels(1).indices.tolist(), codes.first_levels(1).bits_per_second
            ([[1, 2]], 100.0)
        """
        stay = as_count(count, "levels", self.levels, error=ConfigError)
        return replace(self, indices=self._grid[:stay], labels=self.labels[:stay])

    @property
    def bits_per_second(self) -> float:
        """Nominal bit rate of these levels."""
        return self.levels * math.log2(max(1, self.codebook_size)) / self.step_seconds

    @property
    def levels(self) -> int:
        """Rows of the grid."""
        return self._grid.shape[0]

    @property
    def steps(self) -> int:
        """Columns of the grid."""
        return self._grid.shape[1]

    def _fields(self) -> Mapping[str, Any]:
        return {**vars(self), "indices": self._grid.numpy().astype(np.int32)}

    def __repr__(self) -> str:
        grid = f"{self.levels} levels × {self.steps} steps, {self.codebook_size} entries each"
        return f"Codes({grid}, {self.seconds:.2f} s at {self.sample_rate} Hz)"

    def _repr_html_(self) -> str:
        used = ", ".join(str(len(set(row) - {NO_CODE})) for row in self._grid.tolist())
        about = (
            f"Codes: {self.levels} levels × {self.steps} steps of {1000 * self.step_seconds:.3g} "
            f"ms, {self.seconds:.2f} s at {self.sample_rate} Hz; {used} of {self.codebook_size} "
            "entries in use"
        )
        names = [f"{number} {label}" for number, label in enumerate(self.labels, 1)]
        return grid_as_html(names, self._grid, about)


class _Grid:
    """The field `indices`: what is set and what is read are copies."""

    def __set__(self, codes: Codes, value: Array) -> None:
        codes.__dict__["indices"] = as_indices(value).cpu().clone()

    def __get__(self, codes: Codes, _owner: type[Codes]) -> Tensor:
        return codes._grid.clone()


Codes.indices = _Grid()  # type: ignore[assignment] # no default, which in the class it would be


def as_indices(indices: Array) -> Tensor:
    """A grid of codes of any type of whole number as an int64 tensor, (levels, steps).

    Raises:
        CodesError: another shape, another kind of number, or no array.
    """
    shape = tuple(getattr(indices, "shape", ()))
    if shape and (len(shape) != 2 or 0 in shape):
        raise CodesError(f"indices {shape}: expected (levels, steps)")
    whole = as_whole_numbers(indices, "indices", error=CodesError)
    if whole.ndim != 2 or 0 in whole.shape:
        raise CodesError(f"indices {tuple(whole.shape)}: expected (levels, steps)")
    return whole


def _labels(labels: Any, levels: int) -> tuple[str, ...]:
    if labels is None or (isinstance(labels, (tuple, list)) and not labels):
        return level_labels(levels)
    if not isinstance(labels, (tuple, list)) or not all(isinstance(item, str) for item in labels):
        raise CodesError(f"labels={reprlib.repr(labels)}: expected a text for each level")
    if len(labels) != levels:
        raise CodesError(f"{len(labels)} labels for {levels} levels")
    for label in labels:
        if len(label) > LONGEST_LABEL:
            raise CodesError(
                f"a label of {len(label)} characters: expected at most {LONGEST_LABEL}"
            )
    return tuple(labels)
