"""EncodedSound: what is known of one sound that a model has encoded, whatever the family."""

from __future__ import annotations

import os
import re
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from distill.arrays import LOUDEST, as_float, as_int
from distill.encoded.file import EncodedFile
from distill.errors import DistillError
from distill.names import as_path, printable

_MOST = 2**53
_DIGEST = re.compile("[0-9a-f]{64}|")
_SoundT = TypeVar("_SoundT", bound="EncodedSound")


class EncodedSound(ABC):
    """What a model made of one sound, and what is needed to turn it back.

    A family's own is a frozen dataclass with these fields beside its grid; the order is its own.
    """

    file: ClassVar[EncodedFile]
    """How it is kept on disk, and what messages call it."""

    step_seconds: float
    samples: int
    sample_rate: int
    peak: float
    made_by: str
    model_name: str

    @property
    @abstractmethod
    def steps(self) -> int:
        """Columns of the grid."""

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
            DistillError: it cannot be written; `CodesError` of codes, `LatentsError` of latents.
        """
        return self.file.save(self._fields(), as_path(path, self.file.error), overwrite=overwrite)

    @classmethod
    def load(cls: type[_SoundT], path: str | os.PathLike[str]) -> _SoundT:
        """Reads what `save` wrote; nothing in the file is executed.

        Raises:
            DistillError: missing, damaged, too large, or no such file; `CodesError` of codes,
                `LatentsError` of latents.
        """
        values = cls.file.load(as_path(path, cls.file.error))
        try:
            return cls(**values)
        except DistillError as error:
            raise cls.file.error(f"{printable(Path(path).name)}: {error}") from error

    def _fields(self) -> Mapping[str, Any]:
        """What is saved, by name."""
        return vars(self)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # frozen for everybody else

    def _check_sound(self) -> None:
        """Checks length, loudness and model, and makes Python's numbers of any."""
        for name in ("samples", "sample_rate"):
            self._set(name, self._whole(name))
        for name in ("step_seconds", "peak"):
            self._set(name, self._number(name))
        if self.samples < 0 or self.sample_rate < 1 or not 0 < self.step_seconds < float("inf"):
            raise self.file.error(
                f"{self.samples} samples at {self.sample_rate} Hz in steps of "
                f"{self.step_seconds} s: expected a length of time"
            )
        if not 0 <= self.peak <= LOUDEST:
            raise self.file.error(f"peak={self.peak}: expected a number from 0 to {LOUDEST:.0e}")
        if not isinstance(self.made_by, str) or not _DIGEST.fullmatch(self.made_by):
            raise self.file.error(
                f"made_by={reprlib.repr(self.made_by)}: expected the digest of a model"
            )
        if not isinstance(self.model_name, str):
            raise self.file.error(f"model_name={reprlib.repr(self.model_name)}: expected a text")

    def _whole(self, name: str) -> int:
        value = getattr(self, name)
        number = as_int(value)
        if number is None or not -_MOST <= number <= _MOST:
            raise self.file.error(f"{name}={reprlib.repr(value)}: expected a whole number")
        return number

    def _number(self, name: str) -> float:
        value = getattr(self, name)
        number = as_float(value)
        if number is None:
            raise self.file.error(f"{name}={reprlib.repr(value)}: expected a number")
        return number
