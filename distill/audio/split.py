"""Training and validation sounds, told apart by what they sound like and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from distill.errors import CorpusError


@dataclass(frozen=True)
class Split:
    """Waveforms to learn from and waveforms to judge by, each (samples,).

    `validation_files` are the indices of the files judged by; `(0,)` for the two parts of a
    corpus of one file. `validation_names` are their names, for people.
    """

    training: tuple[Tensor, ...]
    validation: tuple[Tensor, ...]
    validation_files: tuple[int, ...]
    validation_names: tuple[str, ...] = ()


def split_by_content(
    waveforms: Sequence[Tensor],
    digests: Sequence[str],
    fraction: float,
    *,
    minimum_samples: int = 1,
) -> Split:
    """Sends each sound to one side by its digest.

    A digest is a fair draw from [0, 1); below `fraction` means validation. So the choice depends
    neither on order nor on names, and adding files moves no file that was there before. Only at the
    edges a rule steps in: validation never takes more than half of the sound, and with two or
    more files it has at least one. A single file gives its last `fraction` to validation, or is
    used on both sides where that would be shorter than `minimum_samples`.

    Args:
        waveforms: (samples,) each.
        digests: hexadecimal content digests, one for each waveform.
        fraction: share of files wanted for validation, in (0, 0.5].
        minimum_samples: the shortest sound worth judging by.

    Raises:
        CorpusError: no waveforms.
    """
    if not waveforms:
        raise CorpusError("nothing to split: the corpus holds no sound")
    if len(waveforms) == 1:
        return _split_in_time(waveforms[0], fraction, minimum_samples)
    draws = [int(digest[:12], 16) / 16**12 for digest in digests]
    order = sorted(range(len(waveforms)), key=lambda index: draws[index])
    room = sum(map(len, waveforms)) / 2
    chosen: list[int] = []
    for index in order:
        if (draws[index] < fraction or not chosen) and len(waveforms[index]) <= room:
            chosen.append(index)
            room -= len(waveforms[index])
    taken = set(chosen)
    return Split(
        training=tuple(w for index, w in enumerate(waveforms) if index not in taken),
        validation=tuple(waveforms[index] for index in sorted(taken)),
        validation_files=tuple(sorted(taken)),
    )


def _split_in_time(waveform: Tensor, fraction: float, minimum_samples: int) -> Split:
    cut = len(waveform) - int(len(waveform) * fraction)
    if len(waveform) - cut < minimum_samples:
        return Split((waveform,), (waveform,), (0,))
    return Split((waveform[:cut],), (waveform[cut:],), (0,))
