"""A small corpus made from nothing: plucked strings, bells, drums, breath and vowels."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from distill.audio.fades import faded
from distill.audio.io import write_audio
from distill.errors import AudioFileError
from distill.names import as_path, printable

Samples = np.ndarray
_SCALE_HZ = (110.0, 130.81, 146.83, 164.81, 196.0, 220.0, 261.63, 293.66, 329.63, 392.0)
_VOWELS_HZ = {  # first three formants, after Peterson and Barney 1952
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}


def make_demo_corpus(
    folder: str | os.PathLike[str], *, sample_rate: int = 48_000, seed: int = 0
) -> list[Path]:
    """Synthesises 40 recordings, one minute of sound, the same for the same seed.

    Args:
        folder: made if missing; files of the same names are replaced.
        sample_rate: in Hz.
        seed: another seed gives other sounds of the same kinds.

    Returns:
        The paths written, sorted.

    Raises:
        AudioFileError: the folder cannot be written.
    """
    folder = as_path(folder, AudioFileError)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{printable(folder)}: cannot be made: {error.strerror}") from error
    random = np.random.default_rng(seed)
    paths = []
    for kind, (count, seconds, synthesise) in _KINDS.items():
        for number in range(count):
            time_s = np.arange(int(seconds * sample_rate)) / sample_rate
            sound = _finish(synthesise(time_s, number, random), sample_rate)
            path = folder / f"{kind}-{number + 1:02}.wav"
            paths.append(write_audio(path, torch.from_numpy(sound).float(), sample_rate))
    return sorted(paths)


def _pluck(time_s: Samples, number: int, random: np.random.Generator) -> Samples:
    """A string: noise in a loop that loses its brightness (Karplus and Strong 1983)."""
    period = round(1 / (time_s[1] * _SCALE_HZ[number % len(_SCALE_HZ)]))
    loop = random.uniform(-1, 1, period)
    loss = random.uniform(0.985, 0.998)
    turns = []
    for _ in range(len(time_s) // period + 1):
        turns.append(loop)
        loop = loss * 0.5 * (loop + np.roll(loop, 1))
    return np.concatenate(turns)[: len(time_s)]


def _bell(time_s: Samples, number: int, random: np.random.Generator) -> Samples:
    """Inharmonic partials, the higher the shorter."""
    base_hz = 2 * _SCALE_HZ[(number * 3) % len(_SCALE_HZ)]
    sound = np.zeros_like(time_s)
    for ratio in (0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433):
        hz = base_hz * ratio * random.uniform(0.995, 1.005)
        decay = np.exp(-time_s * ratio * random.uniform(1.5, 3.0))
        sound += decay * np.sin(2 * np.pi * hz * time_s + random.uniform(0, 6)) / ratio**0.5
    return sound


def _drum(time_s: Samples, number: int, random: np.random.Generator) -> Samples:
    """Kick, snare and hat in turn: a falling tone and a burst of noise in other shares."""
    tone, noise, tone_decay, noise_decay, low_hz = (
        (1.0, 0.05, 7.0, 60.0, 45.0),
        (0.6, 0.7, 14.0, 16.0, 160.0),
        (0.0, 1.0, 30.0, random.uniform(12.0, 50.0), 300.0),
    )[number % 3]
    hz = low_hz * random.uniform(0.9, 1.2) * (1 + 3 * np.exp(-time_s * 40))
    hit = tone * np.exp(-time_s * tone_decay) * np.sin(2 * np.pi * np.cumsum(hz) * time_s[1])
    hiss = random.standard_normal(len(time_s))
    if number % 3 == 2:
        hiss = np.diff(hiss, prepend=0.0)  # a hat is all treble
    return hit + 0.5 * noise * np.exp(-time_s * noise_decay) * hiss


def _breath(time_s: Samples, number: int, random: np.random.Generator) -> Samples:
    """Noise through a moving throat."""
    centre_hz = 400.0 * 2 ** random.uniform(0, 3)
    swell = np.sin(np.pi * time_s / time_s[-1]) ** 2
    noise = _shape(random.standard_normal(len(time_s)), time_s[1], (centre_hz, 3 * centre_hz), 0.3)
    return swell * noise * (1 + 0.5 * np.sin(2 * np.pi * (1 + number) * time_s))


def _vowel(time_s: Samples, number: int, random: np.random.Generator) -> Samples:
    """A pulse train with vibrato through three formants."""
    formants = list(_VOWELS_HZ.values())[number % len(_VOWELS_HZ)]
    pitch_hz = random.choice(_SCALE_HZ[:6]) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * time_s))
    phase = np.cumsum(pitch_hz) * time_s[1]
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * random.standard_normal(len(time_s))
    swell = np.minimum(1, np.minimum(time_s, time_s[-1] - time_s) / 0.08)
    return swell * _shape(pulses, time_s[1], formants, 0.08)


def _shape(sound: Samples, period_s: float, peaks_hz: tuple[float, ...], width: float) -> Samples:
    """Filters with a bump at each peak, `width` of its frequency wide."""
    hz = np.fft.rfftfreq(len(sound), period_s)
    gain = sum(
        np.exp(-0.5 * ((hz - peak) / (width * peak)) ** 2) / (1 + order)
        for order, peak in enumerate(peaks_hz)
    )
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound))


def _finish(sound: Samples, sample_rate: int) -> Samples:
    """To -1 dBFS, and to silence at its end."""
    ended = faded(sound, sample_rate, begin=False)
    return ended * (0.89 / np.abs(ended).max())


_KINDS: dict[str, tuple[int, float, Callable[[Samples, int, np.random.Generator], Samples]]] = {
    "pluck": (10, 1.8, _pluck),
    "bell": (8, 2.2, _bell),
    "drum": (10, 0.6, _drum),
    "breath": (4, 1.8, _breath),
    "vowel": (8, 1.35, _vowel),
}
