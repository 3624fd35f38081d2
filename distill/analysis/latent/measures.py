"""What directions of a latent space are measured by, each in a unit that ears know."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.audio.sound_features import (
    brightness_hz,
    loudness_db,
    noisiness_db,
    pitch_hz,
)

_REFERENCE_HZ = 440.0


@dataclass(frozen=True)
class Measure:
    """A property of a sound as one number, NaN where the sound has no such property."""

    name: str
    unit: str
    of: Callable[[np.ndarray, int], float]
    """(samples,) and sample rate to the number."""


def _octaves(sound: np.ndarray, sample_rate: int) -> float:
    return _ratio(brightness_hz(sound, sample_rate))


def _semitones(sound: np.ndarray, sample_rate: int) -> float:
    return 12 * _ratio(pitch_hz(sound, sample_rate))


def _ratio(hertz: float | None) -> float:
    return math.log2(hertz / _REFERENCE_HZ) if hertz else math.nan


MEASURES = (
    Measure("loudness", "dB", lambda sound, _: loudness_db(sound)),
    Measure("brightness", "octaves", _octaves),
    Measure("noisiness", "dB", noisiness_db),
    Measure("pitch", "semitones", _semitones),
)
