"""The file of latents: one `.npz`, NumPy arrays and nothing that could run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distill.checked import ArraySpec, read_npz
from distill.errors import LatentsError, OutputExistsError, OutsideDataError
from distill.names import printable
from distill.outputs import new_file

_FORMAT = "distill_latents"
_MOST_NUMBERS = 1 << 27
_LIMIT = 1 << 30
_LONGEST_NAME = 200
_NUMBER = ArraySpec(kinds="iuf", finite=True)
_SPECS = {
    "format": ArraySpec(kinds="U", longest=64),
    "values": ArraySpec(kinds="f", ndim=2, most=_MOST_NUMBERS, finite=True),
    "step_seconds": _NUMBER,
    "samples": _NUMBER,
    "sample_rate": _NUMBER,
    "peak": _NUMBER,
    "made_by": ArraySpec(kinds="U", longest=64),
    "model_name": ArraySpec(kinds="U", longest=_LONGEST_NAME),
}


def save(fields: Mapping[str, Any], path: Path, *, overwrite: bool) -> Path:
    """Writes latents; see `Latents.save`.

    Args:
        fields: of the latents, by name.
        path: of the file.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        LatentsError: it cannot be written.
    """
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    try:
        with new_file(path, overwrite=overwrite) as file:
            name = fields["model_name"][:_LONGEST_NAME]
            np.savez_compressed(file, **{**fields, "format": _FORMAT, "model_name": name})
    except OutputExistsError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LatentsError(f"{printable(path)}: cannot be written: {reason}") from error
    return path


def load(path: Path) -> dict[str, Any]:
    """Reads latents; see `Latents.load`.

    Returns:
        The arguments of `Latents`.
    """
    name = printable(path.name)
    try:
        found = read_npz(path, _SPECS, limit=_LIMIT)
    except FileNotFoundError as error:
        raise LatentsError(f"{printable(path)}: no such file") from error
    except OutsideDataError as error:
        words = str(error).removeprefix(f"{name}: ")
        raise LatentsError(f"{name}: not a readable file of latents ({words})") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LatentsError(f"{name}: not a readable file of latents ({reason})") from error
    if str(found.pop("format")) != _FORMAT:
        raise LatentsError(f"{name}: not a file of distill latents")
    values = found.pop("values")
    return {**{key: value.item() for key, value in found.items()}, "values": values}
