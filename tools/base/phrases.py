"""Notes in time: what an instrument plays in a clip."""

from __future__ import annotations

import numpy as np

from tools.base.instruments import Patch
from tools.base.signals import RATE, Sound, between, hertz, place, samples

_CHORDS = ((0,), (0,), (0,), (0, 7), (0, 12), (0, 4, 7), (0, 3, 7), (0, 5, 9), (0, 4, 7, 11))


def phrase(patch: Patch, rng: np.random.Generator, seconds: float) -> Sound:
    """One or two patches playing: single strokes far apart, runs, chords, long notes."""
    canvas = np.zeros(samples(seconds))
    for _ in range(1 if rng.random() < 0.7 else 2):
        _part(canvas, patch, rng, seconds)
    return canvas


def _part(canvas: Sound, patch: Patch, rng: np.random.Generator, seconds: float) -> None:
    play = patch(rng)
    centre, pace_s = float(np.clip(rng.normal(58, 14), 28, 96)), between(rng, 0.1, 2.5)
    held, spread = rng.uniform(0.4, 1.8), rng.choice([2, 5, 12])
    start = 0.0 if rng.random() < 0.7 else rng.uniform(0, 1)
    while start < seconds:
        root, velocity = centre + round(rng.normal(0, spread)), rng.uniform(0.25, 1.0)
        chord = _CHORDS[rng.integers(len(_CHORDS))] if pace_s > 0.3 else (0,)
        for interval in chord:
            length = min(pace_s * held * rng.uniform(0.8, 1.2), seconds - start + 0.1)
            frequency = min(hertz(root + interval), 6000.0)
            sound = play(rng, frequency, length, velocity) / len(chord) ** 0.5
            place(canvas, sound, round(start * RATE))
        start += pace_s * rng.choice([0.5, 1, 1, 1, 2])
