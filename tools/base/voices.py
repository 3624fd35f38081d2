"""Speech and song: formants of our own, and Flite's voices."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tools.base.files import read_sound
from tools.base.signals import (
    Curve,
    Sound,
    between,
    coloured,
    envelope,
    filtered,
    harmonics,
    normalised,
    phase,
    place,
    samples,
    times,
    white,
)

_VOWELS = np.array(
    [
        [730, 1090, 2440, 3400],
        [270, 2290, 3010, 3700],
        [300, 870, 2240, 3300],
        [530, 1840, 2480, 3500],
        [570, 840, 2410, 3300],
        [440, 1020, 2240, 3300],
        [660, 1720, 2410, 3500],
        [490, 1350, 1690, 3300],
        [390, 1990, 2550, 3600],
    ],
    dtype=np.float64,
)
"""The first four formants of nine vowels in Hz (after Peterson and Barney, 1952)."""


def formants(rng: np.random.Generator, seconds: float) -> Sound:
    """A voice that babbles or sings: glottal pulses through gliding formants, and consonants."""
    canvas = np.zeros(samples(seconds))
    size, pitch_hz, sings = rng.uniform(0.8, 1.35), between(rng, 75, 450), rng.random() < 0.4
    tilt, breath = rng.uniform(0.9, 1.8), rng.choice([0.01, 0.05, 0.3, 2.0], p=[0.4, 0.3, 0.2, 0.1])
    start = 0.0
    while start < seconds:
        length = between(rng, 0.3, 2.5) if sings else between(rng, 0.08, 0.35)
        note = pitch_hz * 2 ** (
            rng.choice([0, 2, 3, 5, 7, -2, -5]) / 12 if sings else rng.normal(0, 0.15)
        )
        sound = _syllable(rng, length, note, size, tilt, float(breath))
        place(canvas, sound, round(start * 48_000), rng.uniform(0.4, 1))
        start += length * rng.uniform(0.8, 1.1) + (rng.random() < 0.2) * rng.uniform(0.1, 0.6)
    return canvas


def _syllable(
    rng: np.random.Generator,
    seconds: float,
    pitch_hz: float,
    size: float,
    tilt: float,
    breath: float,
) -> Sound:
    count = samples(seconds)
    t = times(count)
    bend = rng.normal(0, 1.5) * t / seconds + 0.15 * np.sin(2 * np.pi * 5.5 * t + rng.uniform(0, 6))
    f = pitch_hz * 2 ** ((bend + 0.05 * np.cumsum(white(rng, count)) / np.sqrt(count)) / 12)
    partials = np.arange(1.0, min(80, int(12_000 / pitch_hz)) + 1) ** -tilt
    source = harmonics(phase(f, count), float(f.max()), partials)
    source += breath * 0.3 * white(rng, count)
    first, last = _VOWELS[rng.integers(len(_VOWELS), size=2)] * size
    voiced = filtered(source, _tract(first, last, seconds)) * envelope(count, 0.03, 9, 1, 0.05)
    return _with_consonant(rng, normalised(voiced), size)


def _tract(first: Sound, last: Sound, seconds: float) -> Curve:
    widths = np.array([80.0, 100, 140, 220])

    def curve(t: Sound, f: Sound) -> Sound:
        path = np.clip(t / seconds * 1.4 - 0.2, 0, 1)
        gain = np.full(np.broadcast_shapes(t.shape, f.shape), 0.003)
        for begin, end, width in zip(first, last, widths, strict=True):
            centre = begin + (end - begin) * path
            gain = gain + (500 / centre) ** 0.5 / (1 + ((f - centre) / width) ** 2)
        return gain

    return curve


def _with_consonant(rng: np.random.Generator, voiced: Sound, size: float) -> Sound:
    kind = rng.integers(4)
    if kind == 0:
        return voiced
    burst = kind == 1
    count = samples(between(rng, 0.004, 0.03) if burst else between(rng, 0.04, 0.18))
    centre, octaves = between(rng, 900, 9000) * size, between(rng, 0.2, 1.2)
    noise = filtered(
        coloured(rng, count, 0),
        lambda t, f: np.exp(-((np.log2(np.maximum(f, 1) / centre) / octaves) ** 2)) + 0 * t,
    )
    fricative = normalised(noise * envelope(count, 0.001 if burst else 0.03, 9, 1, 0.02))
    gap = samples(rng.uniform(0.005, 0.06)) if burst else 0
    overlap = min(samples(0.02), count, len(voiced)) if not burst else 0
    out = np.zeros(count + gap + len(voiced) - overlap)
    place(out, fricative, 0, rng.uniform(0.05, 0.5))
    place(out, voiced, count + gap - overlap)
    return out


FLITE_VOICES = ("awb", "kal", "kal16", "rms", "slt")
_SYLLABLES = (
    "ba ko mi ra tu le sa no pe gi do fa shu wo ze chi vu ha ny lo kra ste mon ri qua zo "
    "blim thar fen gost pulk wex dray jorm skel"
)


def flite_speech(rng: np.random.Generator, seconds: float) -> Sound:
    """Invented words from one of Flite's voices at a drawn pace, pitch and size."""
    words = [
        "".join(str(part) for part in rng.choice(_SYLLABLES.split(), rng.integers(1, 4)))
        for _ in range(int(seconds * 2.5))
    ]
    text = " ".join(word + ("," if rng.random() < 0.15 else "") for word in words)
    voice = FLITE_VOICES[rng.integers(len(FLITE_VOICES))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        features = {
            "duration_stretch": rng.uniform(0.7, 1.5),
            "int_f0_target_mean": between(rng, 80, 240),
            "int_f0_target_stddev": rng.uniform(5, 40),
        }
        options = [f"{name}={value:.3f}" for name, value in features.items()]
        settings = [word for option in options for word in ("--setf", option)]
        subprocess.run(
            ["flite", "-voice", voice, *settings, "-t", text, "-o", str(path)],
            check=True,
            capture_output=True,
        )
        sound = read_sound(path, speed=between(rng, 0.75, 1.35))
    return sound[: samples(seconds)]
