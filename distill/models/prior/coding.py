"""Recordings as codes of a model, each also at other speeds and at another level; encoded once."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distill.atomic import write_atomically
from distill.audio.cache import CODES_SUFFIX, audio_cache_dir
from distill.audio.resampling import resample
from distill.checked import ArraySpec, read_npz
from distill.errors import OutsideDataError
from distill.models.prior.sounds import LENGTH_OF, LENGTHS, QUIETER
from distill.models.use.code_pieces import refined_pieces
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.streaming import mel_window
from distill.models.vqvae.refining import REFINEMENTS

_LIMIT = 1 << 30
_MOST = 1 << 28  # codes of a sound
_SEARCH = b"refined 6"
"""How codes are found: those that were found otherwise are not taken for these."""


def encoded_copies(
    model: LoadedVQModel, waveform: Tensor, copies: int, folder: Path | None = None
) -> tuple[Tensor, ...]:
    """A recording as codes, and so many copies of it, from the disk where they are there.

    Args:
        model: whose codes.
        waveform: (samples,) at its rate, with a peak of 1.
        copies: 0 to `MOST_COPIES`: first those at other speeds, then the quieter one.
        folder: of the cache; default `audio_cache_dir()`.

    Returns:
        (steps, level) int32 each, the recording itself first.
    """
    path = (folder or audio_cache_dir()) / _file_name(model, waveform)
    found = _read(path, model, copies)
    if found is None:
        found = tuple(_encoded(model, copy) for copy in _copies(waveform, copies))
        _write(path, found)
    return found


def encoded_once(model: LoadedVQModel, waveform: Tensor, copy: int) -> Tensor:
    """A recording, copy 0, or one of its copies as codes; nothing is kept.

    Args:
        model: whose codes.
        waveform: see `encoded_copies`.
        copy: 0 to `MOST_COPIES`.

    Returns:
        (steps, level) int32.
    """
    return _encoded(model, next(islice(_copies(waveform, copy), copy, None)))


def _copies(waveform: Tensor, count: int) -> Iterator[Tensor]:
    yield waveform
    for length in LENGTHS[:count]:
        yield resample(waveform, LENGTH_OF, length)
    if count > len(LENGTHS):
        yield waveform * QUIETER


def _encoded(model: LoadedVQModel, waveform: Tensor) -> Tensor:
    """Codes as `encode` finds them, but for the loudness, which a copy keeps."""
    mel = mel_window(model.spectrogram, [waveform], len(waveform), 1.0, model.device)
    frames = model.spectrogram.frames(len(waveform))
    grids = [grid.cpu() for grid in refined_pieces(model.model, mel, frames, REFINEMENTS)]
    return torch.cat(grids, dim=-1).T.to(torch.int32).contiguous()


def _file_name(model: LoadedVQModel, waveform: Tensor) -> str:
    content = hashlib.sha256(_SEARCH)
    content.update(waveform.contiguous().numpy().data)
    return f"{content.hexdigest()}-{model.digest[:32]}{CODES_SUFFIX}"


def _read(path: Path, model: LoadedVQModel, copies: int) -> tuple[Tensor, ...] | None:
    """What the cache has; None where it has less, or something else."""
    levels, entries = model.shape
    spec = ArraySpec(kinds="iu", ndim=2, most=_MOST, low=0, high=entries - 1)
    names = [str(number) for number in range(1 + copies)]
    try:
        found: dict[str, Any] = read_npz(path, dict.fromkeys(names, spec), limit=_LIMIT)
    except (OSError, OutsideDataError):
        return None
    grids = [torch.from_numpy(found[name].astype(np.int32)) for name in names]
    return tuple(grids) if all(len(x) and x.shape[1] == levels for x in grids) else None


def _write(path: Path, grids: Iterable[Tensor]) -> None:
    arrays = {str(number): grid.numpy() for number, grid in enumerate(grids)}
    with contextlib.suppress(OSError):  # without room they are encoded again the next time
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path, durable=False) as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
