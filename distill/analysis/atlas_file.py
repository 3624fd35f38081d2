"""The file of an atlas: one `.npz`, NumPy arrays and nothing that could run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.analysis.identity import ModelIdentity
from distill.codebook.codes_file import DAMAGE
from distill.errors import AtlasError, AtlasFileError, OutputExistsError
from distill.outputs import new_file

if TYPE_CHECKING:
    from distill.analysis.atlas import CodebookAtlas

_FORMAT, _VERSION = "distill_atlas", 1
_TEXTS = ("labels", "files", "paths")
_NUMBERS = {"sample_rate": int, "step_seconds": float}
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
        raise AtlasFileError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def load(kind: type[CodebookAtlas], path: str | os.PathLike[str]) -> CodebookAtlas:
    """See `CodebookAtlas.load`."""
    path = Path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            _check_format(path, data)
            values: dict[str, Any] = {
                "model": ModelIdentity(str(data["model_name"]), str(data["model_digest"]))
            }
            values |= {name: tuple(str(text) for text in data[name]) for name in _TEXTS}
            values |= {name: number(data[name]) for name, number in _NUMBERS.items()}
            values |= {name: data[name] for name in _ARRAYS}
            return kind(**values)
    except FileNotFoundError as error:
        raise AtlasFileError(f"{path}: no such file") from error
    except DAMAGE as error:
        if isinstance(error, AtlasFileError):
            raise
        raise AtlasFileError(
            f"{path.name}: not a readable atlas ({error}); build it again"
        ) from error


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


def _check_format(path: Path, data: Any) -> None:
    if "format" not in data or str(data["format"]) != _FORMAT:
        raise AtlasFileError(f"{path.name}: not an atlas of distill")
    if int(data["version"]) != _VERSION:
        raise AtlasFileError(
            f"{path.name}: version {int(data['version'])} of the format; this distill reads "
            f"version {_VERSION}: update distill, or build the atlas again"
        )
