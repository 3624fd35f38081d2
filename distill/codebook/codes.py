"""Codes: the levels × time grid of one sound, and its file."""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from distill.atomic import write_atomically
from distill.codebook.labels import level_labels
from distill.codebook.report import codes_as_html
from distill.errors import CodesError

NO_CODE = -1
"""In a grid of codes: nothing at this level; it decodes to exactly zero."""

_FORMAT = "distill_codes"
DAMAGE = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and NumPy raise on bytes that were altered or meant for others."""


@dataclass(frozen=True, eq=False)
class Codes:
    """What a model says about a sound, and what is needed to turn it back.

    `indices` is (levels, steps) int64; -1 is "no code".
    """

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

    def __post_init__(self) -> None:
        if self.indices.ndim != 2 or 0 in self.indices.shape:
            raise CodesError(f"indices {tuple(self.indices.shape)}: expected (levels, steps)")
        low, high = int(self.indices.min()), int(self.indices.max())
        if low < NO_CODE or high >= self.codebook_size:
            raise CodesError(
                f"codes from {low} to {high}: expected {NO_CODE} (no code) to "
                f"{self.codebook_size - 1}"
            )
        if self.samples < 0 or self.sample_rate < 1 or not 0 < self.step_seconds < math.inf:
            raise CodesError(
                f"{self.samples} samples at {self.sample_rate} Hz in steps of "
                f"{self.step_seconds} s: expected a length of time"
            )
        if not math.isfinite(self.peak):
            raise CodesError(f"peak={self.peak}: expected a number")
        if not self.labels:
            object.__setattr__(self, "labels", level_labels(self.levels))
        elif len(self.labels) != self.levels:
            raise CodesError(f"{len(self.labels)} labels for {self.levels} levels")

    @property
    def levels(self) -> int:
        """Rows of the grid."""
        return self.indices.shape[0]

    @property
    def steps(self) -> int:
        """Columns of the grid."""
        return self.indices.shape[1]

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self.samples / self.sample_rate

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a NumPy `.npz` that any tool can read; returns the path, ending in .npz.

        Raises:
            CodesError: the file cannot be written.
        """
        path = Path(path)
        path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
        try:
            with write_atomically(path) as file:
                np.savez_compressed(
                    file,
                    format=_FORMAT,
                    indices=self.indices.cpu().numpy().astype(np.int32),
                    codebook_size=self.codebook_size,
                    step_seconds=self.step_seconds,
                    samples=self.samples,
                    sample_rate=self.sample_rate,
                    peak=self.peak,
                    labels=np.array(self.labels),
                )
        except OSError as error:
            raise CodesError(f"{path}: cannot be written: {error.strerror}") from error
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Codes:
        """Reads what `save` wrote; nothing in the file is executed.

        Raises:
            CodesError: missing, damaged, or no file of codes.
        """
        path = Path(path)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                if str(data["format"]) != _FORMAT:
                    raise CodesError(f"{path.name}: not a file of distill codes")
                return cls(
                    indices=torch.from_numpy(data["indices"].astype(np.int64)),
                    codebook_size=int(data["codebook_size"]),
                    step_seconds=float(data["step_seconds"]),
                    samples=int(data["samples"]),
                    sample_rate=int(data["sample_rate"]),
                    peak=float(data["peak"]),
                    labels=tuple(str(label) for label in data["labels"]),
                )
        except FileNotFoundError as error:
            raise CodesError(f"{path}: no such file") from error
        except DAMAGE as error:
            if isinstance(error, CodesError):
                raise
            raise CodesError(f"{path.name}: not a readable file of codes ({error})") from error

    def __repr__(self) -> str:
        grid = f"{self.levels} levels × {self.steps} steps, {self.codebook_size} entries each"
        return f"Codes({grid}, {self.seconds:.2f} s at {self.sample_rate} Hz)"

    def _repr_html_(self) -> str:
        return codes_as_html(self)
