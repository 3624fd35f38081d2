"""Synthesised notes: subtractive, FM, additive, plucked and struck.

An instrument is a function from (random numbers, frequency, seconds, velocity 0 to 1) to a sound.
A patch is drawn once for a phrase, so that its notes belong together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tools.base.signals import (
    RATE,
    Sound,
    between,
    decay,
    envelope,
    filtered,
    harmonics,
    low_pass,
    phase,
    samples,
    times,
    waveform,
    white,
)

Instrument: TypeAlias = Callable[[np.random.Generator, float, float, float], Sound]
Patch: TypeAlias = Callable[[np.random.Generator], Instrument]


def _attack_s(rng: np.random.Generator) -> float:
    return between(rng, 0.001, 0.02) if rng.random() < 0.7 else between(rng, 0.02, 0.6)


_WAVES = ("saw", "pulse", "triangle", "sine")


def subtractive(rng: np.random.Generator) -> Instrument:
    """Detuned oscillators through a resonant low-pass that an envelope and an LFO move."""
    kinds = [str(kind) for kind in rng.choice(_WAVES, rng.integers(1, 4))]
    detune = rng.uniform(-0.3, 0.3, len(kinds)) * rng.choice([0.2, 1.0])
    octaves = rng.choice([-12, 0, 0, 0, 12, 7], len(kinds))
    width, hiss = rng.uniform(0.1, 0.5), rng.choice([0.0, 0.0, 0.1, 0.5])
    attack, fall, sustain = _attack_s(rng), between(rng, 0.03, 1.5), rng.choice([0.0, 0.3, 0.8])
    base, sweep, order = between(rng, 150, 8000), rng.uniform(0, 5), rng.choice([1, 2, 4])
    resonance, sweep_s = rng.choice([0.0, 0.5, 2.0]), between(rng, 0.02, 1.5)
    lfo_hz, lfo_octaves = between(rng, 0.2, 12), rng.choice([0.0, 0.0, 0.5, 1.5])
    vibrato, glide = rng.choice([0.0, 0.0, 0.2, 0.5]), rng.choice([0.0, 0.0, 0.0, 12.0, -7.0])

    def note(rng: np.random.Generator, frequency: float, seconds: float, velocity: float) -> Sound:
        count = samples(seconds)
        t = times(count)
        bend = vibrato * np.sin(2 * np.pi * 5.5 * t) + glide * np.exp(-t / 0.05)
        total = hiss * white(rng, count)
        for kind, cents, octave in zip(kinds, detune, octaves, strict=True):
            f = frequency * 2 ** ((octave + cents + bend) / 12)
            turns = phase(f, count) + rng.random()
            total = total + waveform(kind, turns, float(f.mean()), width=width)

        def cutoff(t: Sound) -> Sound:
            moved = sweep * velocity * np.exp(-t / sweep_s)
            moved = moved + lfo_octaves * np.sin(2 * np.pi * lfo_hz * t)
            return np.minimum(base * 2.0**moved, RATE / 2)

        shaped = filtered(total, low_pass(cutoff, order=order, resonance=resonance))
        return velocity * shaped * envelope(count, attack, fall, sustain, 0.05)

    return note


def fm(rng: np.random.Generator) -> Instrument:
    """Two modulators on a carrier: bells, electric pianos, brass, metal."""
    ratios = rng.choice([0.5, 1, 1, 2, 3, 1.41, 3.5, 7.01, 11], 2)
    depths, lives = rng.uniform(0.1, 6, 2), [between(rng, 0.02, 2), between(rng, 0.02, 2)]
    attack, fall, sustain = _attack_s(rng), between(rng, 0.05, 2.5), rng.choice([0.0, 0.4])
    feedback = rng.choice([0.0, 0.0, 0.4])

    def note(_: np.random.Generator, frequency: float, seconds: float, velocity: float) -> Sound:
        count = samples(seconds)
        turns = phase(frequency, count)
        inner = np.sin(2 * np.pi * ratios[1] * turns) * depths[1] * decay(count, lives[1])
        index = depths[0] * (0.3 + velocity) * min(1.0, 2000 / (frequency * ratios[0]))
        outer = np.sin(2 * np.pi * ratios[0] * turns + inner * 0.5) * index * decay(count, lives[0])
        tone = np.sin(2 * np.pi * turns + outer + feedback * outer * outer)
        return velocity * tone * envelope(count, attack, fall, sustain, 0.05)

    return note


def additive(rng: np.random.Generator) -> Instrument:
    """Harmonics of a drawn spectrum that fade at their own pace: organs, choirs, strings, pads."""
    count_of = int(rng.integers(3, 48))
    gains = np.arange(1, count_of + 1) ** -rng.uniform(0.4, 2.0) * rng.uniform(0.1, 1, count_of)
    if rng.random() < 0.3:
        gains[1::2] *= 0.05  # only odd harmonics, as in a clarinet
    attack, fall, sustain = _attack_s(rng), between(rng, 0.1, 4), rng.choice([0.0, 0.5, 0.9])
    voices, spread = int(rng.integers(1, 5)), rng.uniform(0.02, 0.25)
    tremolo_hz, tremolo = between(rng, 2, 8), rng.choice([0.0, 0.0, 0.4])
    darker_s = between(rng, 0.1, 3)

    def note(rng: np.random.Generator, frequency: float, seconds: float, velocity: float) -> Sound:
        count = samples(seconds)
        t, total = times(count), np.zeros(count)
        for _ in range(voices):
            f = frequency * 2 ** (rng.normal(0, spread) / 12)
            wander = 1 + 0.003 * np.sin(2 * np.pi * rng.uniform(4, 6) * t + rng.uniform(0, 6))
            turns = phase(f * wander, count) + rng.random()
            bright = harmonics(turns, f * 1.01, gains)
            dark = harmonics(turns, f * 1.01, gains[:3])
            fade = np.exp(-t / darker_s)
            total += fade * bright + (1 - fade) * dark
        total *= 1 - tremolo * (0.5 + 0.5 * np.sin(2 * np.pi * tremolo_hz * t))
        return velocity * total * envelope(count, attack, fall, sustain, 0.08)

    return note


def plucked(rng: np.random.Generator) -> Instrument:
    """A string by Karplus and Strong: a burst of noise that a damped loop turns into a tone."""
    bright, place_of, body = rng.uniform(0.2, 1.0), rng.uniform(0.05, 0.5), rng.random() < 0.5
    half_life = between(rng, 0.08, 3.0)
    bodies = [(between(rng, 90, 900), rng.uniform(0.1, 0.5)) for _ in range(3)]

    def note(rng: np.random.Generator, frequency: float, seconds: float, velocity: float) -> Sound:
        count = samples(seconds)
        period = max(4, round(RATE / frequency))
        burst = white(rng, period)
        burst = np.convolve(np.r_[burst, burst], np.ones(3) / 3, "same")[:period]
        # Plucked there, so that harmonic is missing.
        burst -= np.roll(burst, round(place_of * period))
        loss = 2 ** (-period / RATE / half_life)
        mix = 0.5 * (1 - bright * 0.9 * min(1.0, velocity + 0.3))
        turns = -(-count // period)
        out = np.empty((turns, period))
        for turn in range(turns):
            out[turn] = burst
            burst = loss * ((1 - mix) * burst + mix * np.roll(burst, 1))
        sound = out.reshape(-1)[:count]
        if body:
            sound = filtered(sound, _body(bodies))
        return velocity * sound * envelope(count, 0.001, 10, 1, 0.05)

    return note


def _body(bodies: list[tuple[float, float]]) -> Callable[[Sound, Sound], Sound]:
    def curve(t: Sound, f: Sound) -> Sound:
        gain = np.full(np.broadcast_shapes(t.shape, f.shape), 0.3)
        for centre, octaves in bodies:
            gain = gain + np.exp(-((np.log2(np.maximum(f, 1) / centre) / octaves) ** 2))
        return gain

    return curve


_BAR = np.array([1.0, 2.756, 5.404, 8.933, 13.34])
_DRUMHEAD = np.array([1.0, 1.593, 2.135, 2.295, 2.653, 2.917, 3.155, 3.5, 3.598])
_BELL = np.array([0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166, 5.433])


def struck(rng: np.random.Generator) -> Instrument:
    """Bars, heads, bells, plates and glasses: decaying modes and the noise of the stroke."""
    kind = rng.integers(4)
    if kind < 3:
        ratios = (_BAR, _DRUMHEAD, _BELL)[kind]
    else:
        ratios = np.sort(rng.uniform(0.6, 14.0, rng.integers(8, 40)))
    gains = rng.uniform(0.2, 1.0, len(ratios)) * ratios ** -rng.uniform(0.0, 1.2)
    half_life, steep = between(rng, 0.02, 1.5), rng.uniform(0.2, 1.2)
    click, click_s = rng.choice([0.0, 0.2, 0.8]), between(rng, 0.002, 0.03)

    def note(rng: np.random.Generator, frequency: float, seconds: float, velocity: float) -> Sound:
        count = samples(seconds)
        t, total = times(count), np.zeros(count)
        for ratio, gain in zip(ratios, gains, strict=True):
            f = frequency * ratio
            if f < RATE / 2.2:
                fade = decay(count, half_life / ratio**steep)
                total += gain * velocity ** (0.3 * ratio) * fade * np.sin(2 * np.pi * f * t)
        total += click * white(rng, count) * decay(count, click_s)
        return velocity * total * envelope(count, 0.0005, 10, 1, 0.03)

    return note


PITCHED: dict[str, Patch] = {
    "subtractive": subtractive,
    "fm": fm,
    "additive": additive,
    "plucked": plucked,
    "struck": struck,
}
"""Instruments that play notes, by the kind of material they make."""
