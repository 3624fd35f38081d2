"""The file of an atlas: one `.npz`, NumPy arrays and nothing that could run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distill.analysis.compare.identity import ModelIdentity
from distill.checked import ArraySpec, brief, read_npz
from distill.codebook.labels import LONGEST_LABEL
from distill.config.vqvae import MOST_LEVELS
from distill.errors import AtlasError, AtlasFileError, OutputExistsError, OutsideDataError
from distill.names import as_path, printable
from distill.outputs import new_file

_FORMAT, _VERSION = "distill_atlas", 1
_MOST_BYTES = 3 << 30  # all arrays of the largest atlas that can be built
_ROOM, _RATIO = 64 << 20, 4  # beyond the file's own size: arrays are hardly ever packed
_MOST, _MANY = 1 << 30, 1 << 20
_ENTRIES = 65_536
_TEXTS = ("labels", "files", "paths")
_NUMBERS = {"sample_rate": int, "step_seconds": float}


def _whole(ndim: int, low: int, *, kinds: str = "iu", high: int = 2**31 - 1) -> ArraySpec:
    return ArraySpec(kinds=kinds, ndim=ndim, most=_MOST, low=low, high=high)


def _real(ndim: int, *, finite: bool = True) -> ArraySpec:
    return ArraySpec(kinds="f", ndim=ndim, most=_MOST, finite=finite)


_HEAD = {
    "format": ArraySpec(kinds="U", longest=64, optional=True),
    "version": ArraySpec(kinds="iu", low=0, high=2**31 - 1, optional=True),
}
_SPECS = {
    "model_name": ArraySpec(kinds="U", longest=1000),
    "model_digest": ArraySpec(kinds="U", longest=64),
    "labels": ArraySpec(kinds="U", ndim=1, most=MOST_LEVELS, longest=1000),
    "files": ArraySpec(kinds="U", ndim=1, most=_MANY),
    "paths": ArraySpec(kinds="U", ndim=1, most=_MANY, longest=8192),
    "sample_rate": ArraySpec(kinds="iu", low=1, high=1_000_000),
    "step_seconds": ArraySpec(kinds="f", low=1e-6, high=1e3, finite=True),
    "file_seconds": ArraySpec(kinds="f", ndim=1, most=_MANY, low=0, high=1e9, finite=True),
    "codes": _whole(2, 0, kinds="u", high=_ENTRIES - 1),
    "starts": _whole(1, 0, high=2**53),
    "counts": _whole(2, 0, high=2**53),
    "embeddings": _real(3),
    "nearest": _whole(3, 0, high=_ENTRIES - 1),
    "nearest_distances": _real(3, finite=False),
    "sounds": _real(3),
    "mels": _real(4),
    "loudness_db": _real(2),
    "brightness_hz": _real(2),
    "main_file": _whole(2, -1),
    "moment_files": _whole(3, -1),
    "moment_starts": _whole(3, 0),
    "moment_lengths": _whole(3, 0),
    "moment_distances": _real(3, finite=False),
}
_ARRAYS = {
    "file_seconds": ("file",),
    "codes": ("level", "step"),
    "starts": ("file + 1",),
    "counts": ("level", "entry"),
    "embeddings": ("level", "entry", "dim"),
    "nearest": ("level", "entry", "neighbour"),
    "nearest_distances": ("level", "entry", "neighbour"),
    "sounds": ("level", "entry", "samples"),
    "mels": ("level", "entry", "mels", "frames"),
    "loudness_db": ("level", "entry"),
    "brightness_hz": ("level", "entry"),
    "main_file": ("level", "entry"),
    "moment_files": ("level", "entry", "moment"),
    "moment_starts": ("level", "entry", "moment"),
    "moment_lengths": ("level", "entry", "moment"),
    "moment_distances": ("level", "entry", "moment"),
}


def save(
    fields: Mapping[str, Any], path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Writes an atlas; see `CodebookAtlas.save`.

    Args:
        fields: of the atlas, by name.
        path: of the file.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        AtlasFileError: it cannot be written.
    """
    path = as_path(path, AtlasFileError)
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    values: dict[str, Any] = {"format": _FORMAT, "version": _VERSION}
    model: ModelIdentity = fields["model"]
    values |= {"model_name": model.name, "model_digest": model.digest}
    values |= {name: np.array(fields[name]) for name in _TEXTS}
    values |= {name: fields[name] for name in (*_NUMBERS, *_ARRAYS)}
    try:
        with new_file(path, overwrite=overwrite) as file:
            np.savez(file, **values)  # not compressed: sounds hardly shrink, and opening is quick
    except OutputExistsError:
        raise
    except OSError as error:
        raise AtlasFileError(f"{printable(path)}: cannot be written: {error.strerror}") from error
    return path


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads an atlas; see `CodebookAtlas.load`.

    Returns:
        Its fields, by name, which fit one another.

    Raises:
        AtlasFileError: missing, damaged, of another version, or no atlas.
    """
    path = as_path(path, AtlasFileError)
    name = printable(path.name)
    try:
        limit = min(_MOST_BYTES, _ROOM + _RATIO * path.stat().st_size)
        _check_format(name, read_npz(path, _HEAD, limit=limit))
        fields = _values(read_npz(path, _SPECS, limit=limit))
        check_shapes(fields)
        _check_uses(fields)
        return fields
    except FileNotFoundError as error:
        raise AtlasFileError(f"{printable(path)}: no such file") from error
    except AtlasFileError:
        raise
    except (OutsideDataError, AtlasError, OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error).removeprefix(f"{name}: ")
        raise AtlasFileError(
            f"{name}: not a readable atlas ({brief(reason)}); build it again"
        ) from error


def _values(found: dict[str, np.ndarray]) -> dict[str, Any]:
    digest = str(found.pop("model_digest"))
    if re.fullmatch("[0-9a-f]{64}", digest) is None:
        raise OutsideDataError("model_digest: expected 64 hexadecimal digits")
    for key in ("nearest_distances", "moment_distances"):
        if np.isnan(found[key]).any():
            raise OutsideDataError(f"{key} holds NaN")
    values: dict[str, Any] = dict(found)
    values |= {key: tuple(map(str, found[key].tolist())) for key in _TEXTS}
    values |= {key: number(found[key]) for key, number in _NUMBERS.items()}
    values["labels"] = tuple(
        brief(" ".join(label.split()), LONGEST_LABEL) for label in values["labels"]
    )
    values["model"] = ModelIdentity(str(values.pop("model_name")), digest)
    return values


def check_shapes(fields: Mapping[str, Any]) -> None:
    """Checks that all arrays of an atlas speak of the same levels, entries, files and steps.

    Args:
        fields: of the atlas, by name.

    Raises:
        AtlasError: one does not; named with what it has and what it should have.
    """
    files, paths = fields["files"], fields["paths"]
    sizes = {"file": len(files), "level": len(fields["labels"]), "file + 1": len(files) + 1}
    if len(paths) != len(files):
        raise AtlasError(f"{len(paths)} paths for {len(files)} files")
    for name, axes in _ARRAYS.items():
        array = fields[name]
        if array.ndim != len(axes) or any(
            size != sizes.setdefault(axis, size)
            for axis, size in zip(axes, array.shape, strict=True)
        ):
            expected = ", ".join(f"{axis} {sizes.get(axis, '')}".strip() for axis in axes)
            raise AtlasError(f"{name} {array.shape}: expected ({expected})")
    _check_codes(fields, sizes)


def _check_codes(fields: Mapping[str, Any], sizes: dict[str, int]) -> None:
    if sizes["step"] and (code := int(fields["codes"].max())) >= sizes["entry"]:
        raise AtlasError(f"code {code}: expected below {sizes['entry']}")
    starts = fields["starts"]
    if starts[0] != 0 or starts[-1] != sizes["step"] or (np.diff(starts) < 1).any():
        raise AtlasError(f"starts: expected to rise from 0 to {sizes['step']} steps")
    for name in ("main_file", "moment_files"):
        if int(fields[name].max(initial=-1)) >= sizes["file"]:
            raise AtlasError(f"{name}: names a file beyond the {sizes['file']} there are")


def _check_uses(fields: Mapping[str, Any]) -> None:
    """Checks that what an atlas counts and points to is there."""
    entries = fields["counts"].shape[1]
    for level, row in enumerate(fields["codes"]):
        if not np.array_equal(np.bincount(row, minlength=entries), fields["counts"][level]):
            raise OutsideDataError(f"counts of level {level}: not those of its codes")
    if int(fields["nearest"].max(initial=0)) >= entries:
        raise OutsideDataError(f"nearest: names an entry beyond the {entries} there are")
    there = fields["moment_files"] >= 0
    steps = np.diff(fields["starts"])[fields["moment_files"][there]]
    ends = fields["moment_starts"][there].astype(np.int64) + fields["moment_lengths"][there]
    if (ends > steps).any():
        raise OutsideDataError("moment_starts: a moment lies beyond the end of its file")


def _check_format(name: str, head: dict[str, np.ndarray]) -> None:
    if "format" not in head or str(head["format"]) != _FORMAT:
        raise AtlasFileError(f"{name}: not an atlas of distill")
    version = int(head["version"]) if "version" in head else 0
    if version != _VERSION:
        raise AtlasFileError(
            f"{name}: version {version} of the format; this distill reads version {_VERSION}: "
            "update distill, or build the atlas again"
        )
