"""The file of codes: one `.npz`, NumPy arrays and nothing that could run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distill.checked import ArraySpec, read_npz
from distill.codebook.labels import LONGEST_LABEL
from distill.errors import CodesError, OutputExistsError, OutsideDataError
from distill.names import printable
from distill.outputs import new_file

_log = logging.getLogger(__name__)

_FORMAT = "distill_codes"
_MOST_LEVELS, _MOST_CODES = 64, 1 << 26
_LONGEST_NAME = 200
_LIMIT = 1 << 30
"""Bytes; 64 bits for each of the most codes, and room for the rest."""
_NUMBER = ArraySpec(kinds="iuf", finite=True)
_SPECS = {
    "format": ArraySpec(kinds="U", longest=64),
    "indices": ArraySpec(kinds="iu", ndim=2, most=_MOST_CODES),
    "codebook_size": _NUMBER,
    "step_seconds": _NUMBER,
    "samples": _NUMBER,
    "sample_rate": _NUMBER,
    "peak": _NUMBER,
    "labels": ArraySpec(kinds="U", ndim=1, most=_MOST_LEVELS, longest=LONGEST_LABEL),
    "made_by": ArraySpec(kinds="U", longest=64, optional=True),
    "model_name": ArraySpec(kinds="U", longest=_LONGEST_NAME, optional=True),
}


def save(fields: Mapping[str, Any], path: Path, *, overwrite: bool) -> Path:
    """Writes codes; see `Codes.save`.

    Args:
        fields: of the codes, by name.
        path: of the file.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        CodesError: it cannot be written.
    """
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    try:
        with new_file(path, overwrite=overwrite) as file:
            np.savez_compressed(
                file,
                **{
                    **fields,
                    "format": _FORMAT,
                    "indices": fields["indices"].numpy().astype(np.int32),
                    "labels": np.array(fields["labels"]),
                    "model_name": fields["model_name"][:_LONGEST_NAME],
                },
            )
    except OutputExistsError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CodesError(f"{printable(path)}: cannot be written: {reason}") from error
    return path


def load(path: Path) -> dict[str, Any]:
    """Reads codes; see `Codes.load`.

    Args:
        path: of the file.

    Returns:
        The fields of `Codes`, by name.

    Raises:
        CodesError: missing, damaged, too large, or no file of codes.
    """
    name = printable(path.name)
    try:
        found = read_npz(path, _SPECS, limit=_LIMIT)
    except FileNotFoundError as error:
        raise CodesError(f"{printable(path)}: no such file") from error
    except OutsideDataError as error:
        words = str(error).removeprefix(f"{name}: ")
        raise CodesError(f"{name}: not a readable file of codes ({words})") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CodesError(f"{name}: not a readable file of codes ({reason})") from error
    if str(found.pop("format")) != _FORMAT:
        raise CodesError(f"{name}: not a file of distill codes")
    if "made_by" not in found:
        _log.warning(
            "%s: an earlier distill wrote it, which did not note the model that made it; whether "
            "it is the right one is not checked",
            name,
        )
    labels = tuple(map(str, found.pop("labels")))
    values = {key: value.item() for key, value in found.items() if key != "indices"}
    return {**values, "indices": found["indices"], "labels": labels}
