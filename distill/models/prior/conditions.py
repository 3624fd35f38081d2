"""What a prior is told of the steps of a sound, as whole numbers: 0 is "unknown"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.spectrogram import LogMel
from distill.config import PriorConfig
from distill.config.conditions import (
    BRIGHTNESS,
    CLASS,
    LOUDEST_DB,
    LOUDNESS,
    LOUDNESS_STEP_DB,
    POSITION,
    POSITIONS,
    SOFTEST_DB,
)
from distill.models.prior.brightness import brightness_value, step_brightness
from distill.models.prior.sounds import LENGTH_OF, LENGTHS, QUIETER, CodedSound

UNKNOWN = 0
_PIECE_STEPS = 4096
_FLOOR = 1e-12  # of a power


def learned_conditions(config: PriorConfig, sounds: Sequence[CodedSound]) -> tuple[Tensor, ...]:
    """What is told of recordings while they are learned.

    Args:
        config: names the conditions, and the classes.
        sounds: with what is known of them.

    Returns:
        For every grid of every sound, copies included, (steps + 1, column) uint8, the last row of
        its end; () for a prior without conditions.
    """
    if not config.condition_sizes:
        return ()
    return tuple(rows for sound in sounds for rows in _rows_of(config, sound))


def _rows_of(config: PriorConfig, sound: CodedSound) -> Iterator[Tensor]:
    kind = 1 + config.classes.index(sound.group) if sound.group in config.classes else UNKNOWN
    for number, grid in enumerate(sound.grids):
        steps = len(grid)
        since = torch.arange(steps + 1)
        columns = {
            CLASS: (torch.full((steps + 1,), kind),),
            LOUDNESS: (_loudness_of(sound, number, steps),),
            POSITION: (position_value(since), position_value(steps - since)),
            BRIGHTNESS: (_brightness_of(sound, number, steps),),
        }
        told = [column for name in config.conditions for column in columns[name]]
        yield torch.stack(told, dim=1).to(torch.uint8)


def _loudness_of(sound: CodedSound, number: int, steps: int) -> Tensor:
    """Values of a copy's steps and its end, (steps + 1,)."""
    if sound.loudness_db is None:
        return torch.full((steps + 1,), UNKNOWN)
    levels = F.interpolate(sound.loudness_db[None, None], steps, mode="linear")[0, 0]
    if number > len(LENGTHS):
        levels = levels + 20 * torch.log10(torch.tensor(QUIETER))
    return loudness_value(torch.cat([levels, levels[-1:]]))


def _brightness_of(sound: CodedSound, number: int, steps: int) -> Tensor:
    """Values of a copy's steps and its end, (steps + 1,); at other speeds higher or lower."""
    if sound.brightness_hz is None:
        return torch.full((steps + 1,), UNKNOWN)
    hz = F.interpolate(sound.brightness_hz[None, None], steps, mode="nearest")[0, 0]
    if 0 < number <= len(LENGTHS):
        hz = hz * LENGTH_OF / LENGTHS[number - 1]
    return brightness_value(torch.cat([hz, hz[-1:]]))


def loudness_value(levels_db: Tensor) -> Tensor:
    """Loudness, (...,) dB, as the values that a prior knows, 1 on."""
    kept = levels_db.clamp(SOFTEST_DB, LOUDEST_DB) - SOFTEST_DB
    return 1 + (kept / LOUDNESS_STEP_DB).round().long()


def position_value(steps: Tensor) -> Tensor:
    """A number of steps from the begin, or to the end, (...,), as the values that a prior knows.

    Example:
        >>> position_value(torch.tensor([0, 1, 2, 3, 7, 8, 15])).tolist()
        [1, 3, 4, 5, 7, 7, 9]
    """
    octaves = 2 * torch.log2(1 + steps.clamp(min=0).double())
    return 1 + octaves.floor().long().clamp(max=POSITIONS - 1)


def step_powers(waveform: Tensor, step_samples: int, steps: int) -> Tensor:
    """The mean square of each step's samples, (steps,).

    Args:
        waveform: (samples,); silence is behind its end.
        step_samples: of a step.
        steps: how many.
    """
    size, powers = _PIECE_STEPS * step_samples, []
    for start in range(0, steps * step_samples, size):
        stop = min(start + size, steps * step_samples)
        part = waveform[start:stop]
        part = F.pad(part, (0, stop - start - len(part)))
        powers.append(part.reshape(-1, step_samples).square().mean(dim=1))
    return torch.cat(powers)


def contour(powers: Tensor, average: float) -> Tensor:
    """How loud steps are, in dB beside an average power; see `step_powers`."""
    return 10 * torch.log10((powers + _FLOOR) / (average + _FLOOR))


def with_conditions(
    config: PriorConfig,
    sounds: Sequence[CodedSound],
    waveforms: Sequence[Tensor],
    groups: Sequence[str],
) -> tuple[CodedSound, ...]:
    """Coded sounds with what is known of them, where a prior is to be told of it.

    Args:
        config: of the prior.
        sounds: recordings as codes.
        waveforms: of each, (samples,), at the rate of the codec.
        groups: the folder of each.
    """
    if CLASS in config.conditions:
        sounds = [replace(x, group=group) for x, group in zip(sounds, groups, strict=True)]
    if LOUDNESS in config.conditions:
        step = config.spectrogram.hop_length * config.stride
        powers = [step_powers(w, step, x.steps) for x, w in zip(sounds, waveforms, strict=True)]
        average = float(torch.cat(powers).mean())
        sounds = [
            replace(x, loudness_db=contour(power, average))
            for x, power in zip(sounds, powers, strict=True)
        ]
    if BRIGHTNESS in config.conditions:
        spectrogram = LogMel(config.spectrogram)
        sounds = [
            replace(x, brightness_hz=step_brightness(spectrogram, w, config.stride, x.steps))
            for x, w in zip(sounds, waveforms, strict=True)
        ]
    return tuple(sounds)
