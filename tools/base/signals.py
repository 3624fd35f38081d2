"""What every instrument is built from: oscillators, envelopes, noise, and filters that move.

All sounds are mono float64 arrays of (samples,) at `RATE`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Sound: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Gains (frames, bins) from times in seconds (frames, 1) and frequencies in Hz (1, bins)."""

_WINDOW = 1024
_HOP = _WINDOW // 4


def samples(seconds: float) -> int:
    """Whole samples of a duration, at least one."""
    return max(1, round(seconds * RATE))


def times(count: int) -> Sound:
    """The moment of each of `count` samples, in seconds."""
    return np.arange(count) / RATE


def phase(frequency_hz: Sound | float, count: int) -> Sound:
    """Running phase in turns of a frequency that may change from sample to sample."""
    steady = np.broadcast_to(np.asarray(frequency_hz, dtype=np.float64), (count,))
    return np.cumsum(steady) / RATE


def harmonics(turns: Sound, frequency_hz: float, gains: Sound) -> Sound:
    """A sum of sines at whole multiples; those above half the sample rate are left out.

    Args:
        turns: running phase of the fundamental, (samples,).
        frequency_hz: the highest value of the fundamental.
        gains: of the first, second, ... harmonic.
    """
    top = min(len(gains), int(RATE / 2 / frequency_hz))
    rotor = np.exp(2j * np.pi * turns)
    power, total = np.ones_like(rotor), np.zeros(len(turns))
    for gain in gains[:top]:
        power *= rotor
        total += gain * power.imag
    return total


def waveform(kind: str, turns: Sound, frequency_hz: float, *, width: float = 0.5) -> Sound:
    """A band-limited saw, pulse, triangle or sine by polynomial smoothing of its steps."""
    cycle = turns % 1.0
    if kind == "sine":
        return np.sin(2 * np.pi * cycle)
    if kind == "triangle":
        return 4 * np.abs(cycle - 0.5) - 1
    step = min(frequency_hz / RATE, 0.49)
    saw = 2 * cycle - 1 - _smooth(cycle, step)
    if kind == "saw":
        return saw
    other = (cycle + width) % 1.0
    return saw - (2 * other - 1 - _smooth(other, step))


def _smooth(cycle: Sound, step: float) -> Sound:
    """The correction that takes most aliasing from a step (Välimäki's polyBLEP)."""
    out = np.zeros_like(cycle)
    early, late = cycle < step, cycle > 1 - step
    x = cycle[early] / step
    out[early] = 2 * x - x * x - 1
    x = (cycle[late] - 1) / step
    out[late] = x * x + 2 * x + 1
    return out


def envelope(
    count: int, attack_s: float, decay_s: float, sustain: float, release_s: float
) -> Sound:
    """Attack, decay to a sustained level, release at the end; never a click at either end."""
    t, length = times(count), count / RATE
    rise = np.minimum(t / max(attack_s, 1e-4), 1.0)
    fall = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack_s, 0.0) / max(decay_s, 1e-3))
    end = np.minimum((length - t) / max(min(release_s, length / 2), 1e-3), 1.0)
    return rise * fall * end


def decay(count: int, half_life_s: float) -> Sound:
    """1 at the start, halved every `half_life_s`."""
    return np.exp2(-times(count) / max(half_life_s, 1e-4))


def white(rng: np.random.Generator, count: int) -> Sound:
    """Gaussian noise of unit power."""
    return rng.standard_normal(count)


def coloured(rng: np.random.Generator, count: int, slope_db: float) -> Sound:
    """Noise whose power changes by `slope_db` each octave (-3 is pink, -6 is brown)."""
    spectrum = np.fft.rfft(white(rng, count))
    bins = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0)
    spectrum *= (bins / 1000.0) ** (slope_db / 6.02)
    return normalised(np.fft.irfft(spectrum, count))


def filtered(sound: Sound, curve: Curve) -> Sound:
    """Shapes a spectrum that moves: any gains over time and frequency.

    Frames of 21 ms overlap by three quarters, so gains should not jump from frame to frame.
    """
    count = len(sound)
    frames = 4 + -(-(count + _WINDOW) // _HOP)
    padded = np.zeros((frames - 1) * _HOP + _WINDOW)
    padded[_WINDOW : _WINDOW + count] = sound
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float64)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * window
    moments = ((np.arange(frames) * _HOP - _WINDOW / 2) / RATE)[:, None]
    bins = np.arange(_WINDOW // 2 + 1.0)[None] * (RATE / _WINDOW)
    shaped = np.fft.irfft(np.fft.rfft(pieces) * curve(moments, bins), _WINDOW) * window
    out = np.zeros_like(padded)
    quarters = shaped.reshape(frames, 4, _HOP)
    for quarter in range(4):
        place = out[quarter * _HOP : quarter * _HOP + frames * _HOP]
        place += quarters[:, quarter].reshape(-1)[: len(place)]
    return out[_WINDOW : _WINDOW + count] / 1.5


def low_pass(cutoff_hz: Callable[[Sound], Sound], *, order: float, resonance: float) -> Curve:
    """Gains of a resonant low-pass whose cut-off follows time."""

    def curve(t: Sound, f: Sound) -> Sound:
        ratio = f / np.maximum(cutoff_hz(t), 20.0)
        return 1 / np.sqrt(1 + ratio ** (2 * order)) + resonance * np.exp(
            -((np.log2(np.maximum(ratio, 1e-3)) / 0.15) ** 2)
        )

    return curve


def band_pass(centre_hz: Callable[[Sound], Sound], *, octaves: float) -> Curve:
    """Gains of a bell around a centre that follows time."""

    def curve(t: Sound, f: Sound) -> Sound:
        distance = np.log2(np.maximum(f, 1.0) / np.maximum(centre_hz(t), 20.0))
        return np.exp(-((distance / octaves) ** 2))

    return curve


def resampled(sound: Sound, speed: float) -> Sound:
    """The sound played `speed` times as fast: shorter and higher, or longer and lower."""
    count = max(2, round(len(sound) / speed))
    spectrum = np.fft.rfft(sound)
    wanted = count // 2 + 1
    copied = np.zeros(wanted, dtype=np.complex128)
    copied[: min(wanted, len(spectrum))] = spectrum[:wanted]
    return np.fft.irfft(copied, count) * (count / len(sound))


def normalised(sound: Sound, peak: float = 1.0) -> Sound:
    """Scaled to a peak; silence stays silence."""
    highest = float(np.abs(sound).max(initial=0.0))
    return sound * (peak / highest) if highest > 1e-9 else sound


def place(canvas: Sound, sound: Sound, start: int, gain: float = 1.0) -> None:
    """Adds a sound to a longer one, in place; what stands over is cut."""
    end = min(len(canvas), start + len(sound))
    if end > start >= 0:
        canvas[start:end] += gain * sound[: end - start]


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw that is uniform on a logarithmic scale, as for times and frequencies."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def hertz(note: float) -> float:
    """The frequency of a MIDI note number."""
    return float(440.0 * 2.0 ** ((note - 69.0) / 12.0))
