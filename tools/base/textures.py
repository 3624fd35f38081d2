"""Sounds without a note: noises, grains, drum machines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tools.base.instruments import PITCHED
from tools.base.signals import (
    RATE,
    Sound,
    band_pass,
    between,
    coloured,
    decay,
    envelope,
    filtered,
    hertz,
    low_pass,
    normalised,
    phase,
    place,
    samples,
    times,
    waveform,
    white,
)


def noises(rng: np.random.Generator, seconds: float) -> Sound:
    """Bursts, sweeps, wind, crackle and hiss, one after another and over each other."""
    canvas = np.zeros(samples(seconds))
    start = 0.0
    while start < seconds:
        length = between(rng, 0.03, 4.0)
        makers = (_burst, _sweep, _wind, _crackle)
        sound = makers[rng.integers(len(makers))](rng, length)
        place(canvas, normalised(sound), round(start * RATE), between(rng, 0.05, 1.0))
        start += length * rng.uniform(0.4, 1.6)
    return canvas


def _burst(rng: np.random.Generator, seconds: float) -> Sound:
    count = samples(seconds)
    noise = coloured(rng, count, rng.uniform(-9, 3))
    if rng.random() < 0.5:
        return noise * decay(count, between(rng, 0.01, seconds))
    return noise * envelope(count, between(rng, 0.001, seconds), seconds, 0.5, seconds / 3)


def _sweep(rng: np.random.Generator, seconds: float) -> Sound:
    first, last = between(rng, 60, 16_000), between(rng, 60, 16_000)

    def centre(t: Sound) -> Sound:
        return first * (last / first) ** np.clip(t / seconds, 0, 1)

    sound = filtered(
        white(rng, samples(seconds)), band_pass(centre, octaves=between(rng, 0.05, 1.5))
    )
    return sound * envelope(len(sound), 0.05 * seconds, seconds, 0.5, 0.3 * seconds)


def _wind(rng: np.random.Generator, seconds: float) -> Sound:
    rates, phases = rng.uniform(0.1, 3, 3), rng.uniform(0, 6.28, 3)
    base = between(rng, 150, 3000)

    def cutoff(t: Sound) -> Sound:
        sway = sum(np.sin(2 * np.pi * r * t + p) for r, p in zip(rates, phases, strict=True))
        return base * 2 ** (0.6 * np.asarray(sway))

    noise = coloured(rng, samples(seconds), -3)
    return filtered(noise, low_pass(cutoff, order=2, resonance=1.0))


def _crackle(rng: np.random.Generator, seconds: float) -> Sound:
    count = samples(seconds)
    clicks = (rng.random(count) < between(rng, 3, 2000) / RATE) * rng.standard_normal(count)
    ring = white(rng, samples(0.01)) * decay(samples(0.01), between(rng, 0.0003, 0.003))
    length = 1 << (count + len(ring)).bit_length()
    return np.fft.irfft(np.fft.rfft(clicks, length) * np.fft.rfft(ring, length), length)[:count]


def granular(rng: np.random.Generator, seconds: float) -> Sound:
    """Clouds of grains from a few notes of our own: frozen, scattered, transposed, reversed."""
    names = sorted(PITCHED)
    note = PITCHED[names[rng.integers(len(names))]](rng)
    source = np.concatenate(
        [normalised(note(rng, hertz(float(rng.integers(36, 84))), 1.0, 0.9)) for _ in range(3)]
    )
    canvas = np.zeros(samples(seconds))
    start = 0.0
    while start < seconds:
        cloud_s, rate_hz = between(rng, 0.4, 4), between(rng, 8, 120)
        grain_s, spread = between(rng, 0.01, 0.25), rng.choice([0.0, 0.02, 0.5])
        focus, transposed = rng.random(), rng.choice([0, 0, 7, 12, -12])
        level = between(rng, 0.1, 1.0) / np.sqrt(max(1.0, rate_hz * grain_s))
        for _ in range(int(cloud_s * rate_hz)):
            grain = _grain(rng, source, grain_s, focus + spread * rng.normal(), transposed)
            at = start + rng.random() * cloud_s
            place(canvas, grain, round(at * RATE), level * rng.uniform(0.3, 1))
        start += cloud_s * rng.uniform(0.6, 1.3)
    return canvas


def _grain(
    rng: np.random.Generator, source: Sound, seconds: float, where: float, semitones: float
) -> Sound:
    count, speed = samples(seconds), 2 ** (semitones / 12)
    begin = (where % 1.0) * (len(source) - count * speed - 2)
    places = max(begin, 0.0) + speed * np.arange(count)
    grain = np.interp(places, np.arange(len(source)), source) * np.hanning(count)
    return grain[::-1] if rng.random() < 0.2 else grain


def drum_machine(rng: np.random.Generator, seconds: float) -> Sound:
    """A pattern of synthesised drums, or single strokes with silence between."""
    canvas = np.zeros(samples(seconds))
    step_s = 60 / between(rng, 60, 180) / 4
    kit = [normalised(DRUMS[name](rng)) for name in sorted(DRUMS)]
    density = rng.uniform(0.03, 0.4, len(kit)) * (rng.random(len(kit)) < 0.6)
    pattern = rng.random((len(kit), 16)) < density[:, None]
    if not pattern.any():
        pattern[rng.integers(len(kit)), 0] = True
    swing = rng.choice([0.0, 0.0, 0.2]) * step_s
    for index in range(int(seconds / step_s)):
        for voice, drum in enumerate(kit):
            if pattern[voice, index % 16]:
                at = index * step_s + (swing if index % 2 else 0.0) + abs(rng.normal(0, 0.002))
                place(canvas, drum, round(at * RATE), rng.uniform(0.2, 1.0))
    return canvas


def kick(rng: np.random.Generator) -> Sound:
    """A sine that falls, with a click."""
    count = samples(between(rng, 0.12, 0.9))
    t, bottom = times(count), between(rng, 35, 90)
    f = bottom * (1 + rng.uniform(1, 9) * np.exp(-t / between(rng, 0.008, 0.06)))
    body = np.sin(2 * np.pi * phase(f, count)) * decay(count, between(rng, 0.04, 0.3))
    click = white(rng, count) * decay(count, 0.002) * rng.uniform(0, 0.4)
    return np.tanh((body + click) * rng.uniform(0.8, 4)) * envelope(count, 0.0005, 10, 1, 0.02)


def snare(rng: np.random.Generator) -> Sound:
    """Two modes and a burst of noise."""
    count = samples(between(rng, 0.1, 0.5))
    t, f = times(count), between(rng, 130, 280)
    tone = np.sin(2 * np.pi * f * t) + 0.6 * np.sin(2 * np.pi * 1.6 * f * t)
    rattle = coloured(rng, count, rng.uniform(-2, 4)) * decay(count, between(rng, 0.02, 0.15))
    return 0.5 * tone * decay(count, between(rng, 0.02, 0.08)) + rng.uniform(0.5, 2) * rattle


def hat(rng: np.random.Generator) -> Sound:
    """Squares at unrelated pitches, high-passed: closed, open, or a cymbal."""
    count = samples(between(rng, 0.04, 1.2))
    ratios = np.array([2.0, 3.0, 4.16, 5.43, 6.79, 8.21]) * between(rng, 120, 600)
    metal = sum(waveform("pulse", phase(f, count), f) for f in ratios)
    sound = 0.3 * np.asarray(metal) + rng.uniform(0, 3) * white(rng, count)
    edge = between(rng, 3000, 9000)
    bright = filtered(sound, lambda t, f: (1 - 1 / (1 + (f / edge) ** 4)) + 0 * t)
    return bright * decay(count, between(rng, 0.008, 0.4)) * envelope(count, 0.0005, 10, 1, 0.01)


def clap(rng: np.random.Generator) -> Sound:
    """Four bursts of noise and their tail."""
    count = samples(between(rng, 0.15, 0.5))
    t, gate = times(count), np.zeros(count)
    for beat in range(4):
        late = t - beat * rng.uniform(0.006, 0.014)
        gate = np.maximum(gate, np.where(late >= 0, np.exp(-np.maximum(late, 0) / 0.006), 0))
    gate += 0.5 * decay(count, between(rng, 0.02, 0.1))
    centre = between(rng, 800, 2500)
    return filtered(white(rng, count), band_pass(lambda t: centre + 0 * t, octaves=0.8)) * gate


def tom(rng: np.random.Generator) -> Sound:
    """A head whose pitch falls a little."""
    return PITCHED["struck"](rng)(rng, between(rng, 60, 300), between(rng, 0.15, 0.8), 0.9)


def blip(rng: np.random.Generator) -> Sound:
    """A zap, a laser, a cowbell: a pulse that slides."""
    count = samples(between(rng, 0.03, 0.4))
    slide = np.exp(-times(count) / between(rng, 0.01, 0.2))
    f = between(rng, 100, 2000) * 2 ** (rng.uniform(-3, 3) * slide)
    kinds = ("sine", "saw", "pulse")
    sound = waveform(kinds[rng.integers(3)], phase(f, count), float(f.max()))
    return sound * decay(count, between(rng, 0.01, 0.2)) * envelope(count, 0.001, 10, 1, 0.01)


DRUMS: dict[str, Callable[[np.random.Generator], Sound]] = {
    "kick": kick,
    "snare": snare,
    "hat": hat,
    "clap": clap,
    "tom": tom,
    "blip": blip,
}
