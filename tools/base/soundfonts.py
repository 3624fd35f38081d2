"""Instruments of General-MIDI sound fonts, played by FluidSynth."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tools.base import midi
from tools.base.files import read_sound
from tools.base.signals import RATE, Sound, between, samples

_DRUM_CHANNEL, _DRUM_KITS = 9, (0, 8, 16, 24, 25, 32, 40, 48)
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), tuple(range(12)))


def melodic(font: Path, rng: np.random.Generator, seconds: float) -> Sound:
    """A phrase of one or two programs: runs, chords, long notes, bends, any velocity."""
    events: list[midi.Event] = []
    for channel in range(1 if rng.random() < 0.75 else 2):
        events += _program(rng, channel, int(rng.integers(128)))
        events += _phrase(rng, channel, seconds)
    return _render(font, events, rng, seconds)


def drums(font: Path, rng: np.random.Generator, seconds: float) -> Sound:
    """A kit: a drawn pattern, or strokes far apart."""
    events = _program(rng, _DRUM_CHANNEL, int(rng.choice(_DRUM_KITS)))
    keys = rng.integers(35, 82, rng.integers(1, 9))
    step_s = 60 / between(rng, 60, 190) / rng.choice([1, 2, 4])
    hits = rng.random((len(keys), 16)) < rng.uniform(0.05, 0.5)
    hits[0, 0] = True
    for index in range(int(seconds / step_s)):
        for key in keys[hits[:, index % 16]]:
            start = index * step_s + abs(rng.normal(0, 0.004))
            events += midi.note(_DRUM_CHANNEL, int(key), int(rng.integers(30, 128)), start, step_s)
    return _render(font, events, rng, seconds)


def _program(rng: np.random.Generator, channel: int, program: int) -> list[midi.Event]:
    events = [midi.Event(0.0, 0xC0 | channel, (program,))]
    for controller in (91, 93):  # reverberation and chorus
        events.append(midi.Event(0.0, 0xB0 | channel, (controller, int(rng.integers(0, 128)))))
    if rng.random() < 0.2:  # the modulation wheel
        events.append(midi.Event(0.0, 0xB0 | channel, (1, int(rng.integers(20, 128)))))
    return events


def _phrase(rng: np.random.Generator, channel: int, seconds: float) -> list[midi.Event]:
    scale = _SCALES[rng.integers(len(_SCALES))]
    root, centre = int(rng.integers(12)), rng.normal(4.6, 1.3) * 12
    pace_s, held = between(rng, 0.09, 2.2), rng.uniform(0.3, 1.6)
    chords, soft = rng.choice([0.0, 0.2, 0.8]), rng.uniform(25, 110)
    events, start = [], 0.0
    while start < seconds:
        together = 1 if rng.random() > chords else rng.integers(2, 5)
        lowest = 0
        for above in (0, 2, 4, 6)[:together]:
            lowest = round(rng.normal(0, 4)) if above == 0 else lowest
            degree = lowest + above
            octave, step = divmod(degree, len(scale))
            key = int(np.clip(root + round(centre / 12) * 12 + 12 * octave + scale[step], 21, 108))
            velocity = int(np.clip(soft + rng.normal(0, 15), 15, 127))
            events += midi.note(channel, key, velocity, start, pace_s * held)
        if rng.random() < 0.08:
            bend = int(rng.integers(0, 16384))
            events.append(midi.Event(start, 0xE0 | channel, (bend & 0x7F, bend >> 7)))
        start += pace_s * rng.choice([0.5, 1, 1, 1, 1.5, 2])
    return events


def _render(
    font: Path, events: list[midi.Event], rng: np.random.Generator, seconds: float
) -> Sound:
    effects = "1" if rng.random() < 0.5 else "0"
    speed = float(rng.choice([1.0, 1.0, between(rng, 0.7, 1.4)]))
    with tempfile.TemporaryDirectory() as folder:
        score, made = Path(folder) / "score.mid", Path(folder) / "made.wav"
        score.write_bytes(midi.midi_file(events))
        command = ["fluidsynth", "-niq", "-r", str(RATE), "-g", "0.5", "-R", effects]
        command += ["-C", effects, "-o", "synth.dynamic-sample-loading=1"]
        command += ["-F", str(made), str(font), str(score)]
        subprocess.run(command, check=True, capture_output=True)
        return read_sound(made, speed=speed)[: samples(seconds)]


def players(font: Path) -> dict[str, Callable[[np.random.Generator, float], Sound]]:
    """What a font makes, by name."""
    return {"melodic": partial(melodic, font), "drums": partial(drums, font)}
