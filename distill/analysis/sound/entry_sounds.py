"""Single entries as sound: held long enough to be heard."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from distill.audio.fades import faded
from distill.codebook.codes import NO_CODE
from distill.errors import PartError
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel

HELD_S = 0.3
"""How long a single entry or moment is held to be heard."""


def entry_sound(model: LoadedVQModel, level: int, entry: int, seconds: float = HELD_S) -> Tensor:
    """One entry alone, held; as loud as the model makes it in a sound with a peak of 1.

    Returns:
        (samples,) float32 at the model's rate.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        PartError: no such level or entry.
    """
    return entry_sounds(model, level, [entry], seconds)[0]


def entry_sounds(
    model: LoadedVQModel, level: int, entries: Sequence[int], seconds: float = HELD_S
) -> Tensor:
    """Several entries of one level, each as `entry_sound`: (entry, samples).

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        PartError: no such level or entry, or no entries.
    """
    check_codebooks(model, "entry_sound")
    return held_sounds(model, entry_columns(model, level, entries), held_steps(model, seconds))


def entry_columns(model: LoadedVQModel, level: int, entries: Sequence[int]) -> Tensor:
    """Codes that hold one entry of one level and nothing else, (entry, level).

    Raises:
        PartError: no such level or entry, or no entries.
    """
    levels, size = model.shape
    if not 0 <= level < levels:
        raise PartError(f"level={level}: expected 0 to {levels - 1}")
    if not len(entries):
        raise PartError("no entries given: expected at least one")
    for entry in entries:
        if not 0 <= entry < size:
            raise PartError(f"entry={entry}: expected 0 to {size - 1}")
    columns = torch.full((len(entries), levels), NO_CODE)
    columns[:, level] = torch.as_tensor(entries)
    return columns


def held_steps(model: LoadedVQModel, seconds: float) -> int:
    """The whole number of steps, at least one, nearest to a length of time."""
    return max(1, round(seconds * model.config.step_rate_hz))


def samples_per_step(model: LoadedVQModel) -> int:
    """Samples from one step to the next."""
    return model.config.stride * model.config.spectrogram.hop_length


def sound_of_mel(model: LoadedVQModel, mel: Tensor) -> Tensor:
    """(n_mels, frames) to (frames * hop_length,) of sound on the CPU, without clicks at its ends.

    One at a time on purpose: on a CPU Griffin-Lim over a batch is slower than over its rows, whose
    spectra stay in the cache.
    """
    sound = model.vocoder(mel, mel.shape[1] * model.config.spectrogram.hop_length).cpu()
    return torch.from_numpy(faded(sound.numpy(), model.sample_rate))


def held_sounds(model: LoadedVQModel, columns: Tensor, steps: int) -> Tensor:
    """Columns of codes, (column, level), each held for some steps: (column, samples)."""
    return torch.stack([sound_of_mel(model, mel) for mel in model.decode_columns(columns, steps)])
