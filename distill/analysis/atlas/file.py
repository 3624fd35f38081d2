"""The file of an atlas: one `.npz`, NumPy arrays and nothing that could run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.analysis.compare.identity import ModelIdentity
from distill.checked import ArraySpec, brief, read_npz
from distill.codebook.labels import LONGEST_LABEL
from distill.errors import AtlasError, AtlasFileError, OutputExistsError, OutsideDataError
from distill.names import printable
from distill.outputs import new_file

if TYPE_CHECKING:
    from distill.analysis.atlas.atlas import CodebookAtlas

_FORMAT, _VERSION = "distill_atlas", 1
_MOST_BYTES = 3 << 30  # all arrays of the largest atlas that can be built
_ROOM, _RATIO = 64 << 20, 4  # beyond the file's own size: arrays are hardly ever packed
_MOST, _MANY = 1 << 30, 1 << 20
_LEVELS, _ENTRIES = 8, 65_536
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
    "labels": ArraySpec(kinds="U", ndim=1, most=_LEVELS, longest=1000),
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


def save(atlas: CodebookAtlas, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """See `CodebookAtlas.save`."""
    path = Path(path)
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    values: dict[str, Any] = {"format": _FORMAT, "version": _VERSION}
    values |= {"model_name": atlas.model.name, "model_digest": atlas.model.digest}
    values |= {name: np.array(getattr(atlas, name)) for name in _TEXTS}
    values |= {name: getattr(atlas, name) for name in (*_NUMBERS, *_ARRAYS)}
    try:
        with new_file(path, overwrite=overwrite) as file:
            np.savez(file, **values)  # not compressed: sounds hardly shrink, and opening is quick
    except OutputExistsError:
        raise
    except OSError as error:
        raise AtlasFileError(f"{printable(path)}: cannot be written: {error.strerror}") from error
    return path


def load(kind: type[CodebookAtlas], path: str | os.PathLike[str]) -> CodebookAtlas:
    """See `CodebookAtlas.load`."""
    path = Path(path)
    name = printable(path.name)
    try:
        limit = min(_MOST_BYTES, _ROOM + _RATIO * path.stat().st_size)
        _check_format(name, read_npz(path, _HEAD, limit=limit))
        atlas = kind(**_values(read_npz(path, _SPECS, limit=limit)))
        _check_uses(atlas)
        return atlas
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


def check_shapes(atlas: CodebookAtlas) -> None:
    """Whether all arrays of an atlas speak of the same levels, entries, files and steps.

    Raises:
        AtlasError: one does not; named with what it has and what it should have.
    """
    sizes = {"file": len(atlas.files), "level": len(atlas.labels), "file + 1": len(atlas.files) + 1}
    if len(atlas.paths) != len(atlas.files):
        raise AtlasError(f"{len(atlas.paths)} paths for {len(atlas.files)} files")
    for name, axes in _ARRAYS.items():
        array = getattr(atlas, name)
        if array.ndim != len(axes) or any(
            size != sizes.setdefault(axis, size)
            for axis, size in zip(axes, array.shape, strict=True)
        ):
            expected = ", ".join(f"{axis} {sizes.get(axis, '')}".strip() for axis in axes)
            raise AtlasError(f"{name} {array.shape}: expected ({expected})")
    _check_codes(atlas, sizes)


def _check_codes(atlas: CodebookAtlas, sizes: dict[str, int]) -> None:
    if sizes["step"] and int(atlas.codes.max()) >= sizes["entry"]:
        raise AtlasError(f"code {int(atlas.codes.max())}: expected below {sizes['entry']}")
    starts = atlas.starts
    if starts[0] != 0 or starts[-1] != sizes["step"] or (np.diff(starts) < 1).any():
        raise AtlasError(f"starts: expected to rise from 0 to {sizes['step']} steps")
    for name in ("main_file", "moment_files"):
        if int(getattr(atlas, name).max(initial=-1)) >= sizes["file"]:
            raise AtlasError(f"{name}: names a file beyond the {sizes['file']} there are")


def _check_uses(atlas: CodebookAtlas) -> None:
    """Whether what an atlas counts and points to is there."""
    entries = atlas.counts.shape[1]
    for level, row in enumerate(atlas.codes):
        if not np.array_equal(np.bincount(row, minlength=entries), atlas.counts[level]):
            raise OutsideDataError(f"counts of level {level}: not those of its codes")
    if int(atlas.nearest.max(initial=0)) >= entries:
        raise OutsideDataError(f"nearest: names an entry beyond the {entries} there are")
    there = atlas.moment_files >= 0
    steps = np.diff(atlas.starts)[atlas.moment_files[there]]
    ends = atlas.moment_starts[there].astype(np.int64) + atlas.moment_lengths[there]
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
