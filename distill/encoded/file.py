"""EncodedFile: one `.npz` of an encoded sound, NumPy arrays and nothing that could run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distill.checked import ArraySpec, read_npz
from distill.errors import DistillError, OutputExistsError, OutsideDataError
from distill.names import printable
from distill.outputs import new_file

_log = logging.getLogger(__name__)

NUMBER = ArraySpec(kinds="iuf", finite=True)
_LONGEST_NAME = 200
MADE_BY = ArraySpec(kinds="U", longest=64)
MODEL_NAME = ArraySpec(kinds="U", longest=_LONGEST_NAME)
_LIMIT = 1 << 30
"""Bytes; room for the largest grid of a family and the rest."""
_EVERY = {
    "format": ArraySpec(kinds="U", longest=64),
    "step_seconds": NUMBER,
    "samples": NUMBER,
    "sample_rate": NUMBER,
    "peak": NUMBER,
    "made_by": MADE_BY,
    "model_name": MODEL_NAME,
}


@dataclass(frozen=True)
class EncodedFile:
    """The file of what one family makes of a sound."""

    called: str
    """What messages call what is in it; `distill_` and this is the format the file names."""
    error: type[DistillError]
    """Raised for what is no such file, and for values that no such sound has."""
    own: Mapping[str, ArraySpec]
    """Arrays beside those of every encoded sound; a spec of the same name takes its place."""

    def save(self, fields: Mapping[str, Any], path: Path, *, overwrite: bool) -> Path:
        """Writes an encoded sound.

        Args:
            fields: of it, by name.
            path: of the file; by custom ends in `.npz`.
            overwrite: replace a file that this program did not write.

        Returns:
            The path, ending in `.npz`.

        Raises:
            OutputExistsError: such a file is there.
            DistillError: of the family's class: it cannot be written.
        """
        if not path.name:
            raise self.error(f"{printable(path)}: a folder; name a file to be written")
        path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
        name = fields["model_name"][:_LONGEST_NAME]
        try:
            with new_file(path, overwrite=overwrite) as file:
                arrays = {**fields, "format": self._format, "model_name": name}
                np.savez_compressed(file, **arrays)
        except OutputExistsError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"{printable(path)}: cannot be written: {reason}") from error
        return path

    def load(self, path: Path) -> dict[str, Any]:
        """Reads an encoded sound.

        Args:
            path: of the file.

        Returns:
            Its fields by name: numbers and texts as Python's, lists of texts as tuples, grids as
            arrays.

        Raises:
            DistillError: of the family's class: missing, damaged, too large, or no such file.
        """
        name = printable(path.name)
        found = self._read(path, name)
        if str(found.pop("format")) != self._format:
            raise self.error(f"{name}: not a file of distill {self.called}")
        if "made_by" not in found:
            _log.warning(
                "%s: an earlier distill wrote it, which did not note the model that made it; "
                "whether it is the right one is not checked",
                name,
            )
        return {key: _value(array) for key, array in found.items()}

    def _read(self, path: Path, name: str) -> dict[str, np.ndarray]:
        try:
            return read_npz(path, {**_EVERY, **self.own}, limit=_LIMIT)
        except FileNotFoundError as error:
            raise self.error(f"{printable(path)}: no such file") from error
        except OutsideDataError as error:
            reason = str(error).removeprefix(f"{name}: ")
            raise self._unreadable(name, reason) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise self._unreadable(name, reason) from error

    def _unreadable(self, name: str, reason: str) -> DistillError:
        return self.error(f"{name}: not a readable file of {self.called} ({reason})")

    @property
    def _format(self) -> str:
        return f"distill_{self.called}"


def _value(array: np.ndarray) -> Any:
    if array.ndim == 0:
        return array.item()
    return tuple(map(str, array)) if array.dtype.kind == "U" else array
