"""What a sound is like, in numbers."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

SILENCE_DB = -120.0
LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ = 40.0, 2000.0
_FRAME_S = 0.05  # two periods of the lowest pitch
_TONAL = 0.7  # of a frame's own energy comes back one period later
_TONAL_SHARE = 0.3
_QUIET = 1e-4  # of the loudest frame's power: 40 dB below it
_LEAST_POWER = 1e-20
_LEAST_LAG_RATE = 44_100  # of lags a second: high pitches have few samples a period


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


def noisiness_db(sound: np.ndarray, sample_rate: int) -> float:
    """Spectral flatness of (samples,): 0 dB for white noise, far below it for tones.

    The mean over frames of 50 ms, each weighed by its power; -120 dB for silence.

    Source: Johnston 1988; each frame as librosa's `spectral_flatness`.
    """
    power = np.square(np.abs(np.fft.rfft(_frames(sound, sample_rate), axis=1)))
    total = power.sum(axis=1)
    audible = total > _LEAST_POWER
    if not audible.any():
        return SILENCE_DB
    logs = np.log(np.maximum(power[audible], _LEAST_POWER)).mean(axis=1)
    flatness = logs - np.log(power[audible].mean(axis=1))
    mean = np.average(flatness, weights=total[audible])
    return max(float(mean) * 10 / math.log(10), SILENCE_DB)


def pitch_hz(sound: np.ndarray, sample_rate: int) -> float | None:
    """Fundamental frequency of (samples,), the median over its tonal frames; None without a pitch.

    A frame is tonal where most of its energy comes back after a period; a sound has a pitch where
    at least three of ten frames that are not far below its loudest one are tonal.

    Source: Boersma 1993, autocorrelation divided by that of the window.
    """
    frames = _frames(sound, sample_rate)
    power = np.square(frames).mean(axis=1)
    frames = frames[power > max(_QUIET * float(power.max()), _LEAST_POWER)]
    pitches = [pitch for frame in frames if (pitch := _pitch(frame, sample_rate))]
    if len(pitches) < max(1.0, _TONAL_SHARE * len(frames)):
        return None
    return float(np.median(pitches))


def _frames(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """(frames, samples) under a Hann window, half overlapping; the end filled up with silence."""
    length = max(4, round(_FRAME_S * sample_rate))
    hop = length // 2
    count = max(1, -(-(len(sound) - length) // hop) + 1)
    padded = np.zeros((count - 1) * hop + length)
    padded[: len(sound)] = sound
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop] * np.hanning(length)


def _pitch(frame: np.ndarray, sample_rate: int) -> float | None:
    """Of one frame under a window; None where it is not tonal."""
    finer = max(1, math.ceil(_LEAST_LAG_RATE / sample_rate))
    rate, lags = finer * sample_rate, finer * len(frame) // 2
    shape = _correlation(frame - frame.mean(), finer)[:lags] / _of_window(len(frame), finer)[:lags]
    inner = shape[1:-1]
    peaks = 1 + np.flatnonzero((shape[:-2] < inner) & (inner >= shape[2:]))
    peaks = peaks[(peaks >= rate / HIGHEST_PITCH_HZ) & (peaks <= rate / LOWEST_PITCH_HZ)]
    if not len(peaks) or shape[peaks].max() < _TONAL:
        return None
    lag = int(peaks[shape[peaks] >= 0.9 * shape[peaks].max()][0])  # multiples of a period fit too
    before, here, after = shape[lag - 1 : lag + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    return float(rate / (lag + shift))


@lru_cache(maxsize=16)
def _of_window(length: int, finer: int) -> np.ndarray:
    return np.maximum(_correlation(np.hanning(length), finer), 1e-3)


def _correlation(frame: np.ndarray, finer: int) -> np.ndarray:
    """Autocorrelation, 1 at lag 0, at `finer` lags a sample."""
    power = np.square(np.abs(np.fft.rfft(frame, 2 * len(frame))))
    own = np.fft.irfft(power, 2 * finer * len(frame))[: finer * len(frame)]
    return own / own[0] if own[0] > 0 else own
