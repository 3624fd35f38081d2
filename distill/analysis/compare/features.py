"""What a sound is like, in numbers."""

from __future__ import annotations

import math

import numpy as np

SILENCE_DB = -120.0


def loudness_db(sound: np.ndarray) -> float:
    """Root mean square of (samples,) relative to full scale, at least -120 dB."""
    power = float(np.square(sound, dtype=np.float64).mean()) if len(sound) else 0.0
    return max(10 * math.log10(power), SILENCE_DB) if power else SILENCE_DB


def brightness_hz(sound: np.ndarray, sample_rate: int) -> float:
    """Spectral centroid of (samples,): the mean frequency, weighed by magnitude; 0 for silence.

    Source: Grey and Gordon 1978; as librosa's `spectral_centroid`, over the sound as a whole.
    """
    magnitude = np.abs(np.fft.rfft(sound))
    total = float(magnitude.sum())
    if not total:
        return 0.0
    return float((magnitude * np.fft.rfftfreq(len(sound), 1 / sample_rate)).sum() / total)
