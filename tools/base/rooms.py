"""What happens to a sound on its way: rooms, colours, drive, band limits, hiss."""

from __future__ import annotations

import numpy as np

from tools.base.signals import (
    RATE,
    Sound,
    between,
    coloured,
    filtered,
    normalised,
    samples,
    times,
    white,
)


def impulse_response(rng: np.random.Generator) -> Sound:
    """A synthetic room: a direct sound, early reflections, a tail that darkens as it fades."""
    length_s = between(rng, 0.15, 3.0)
    count = samples(length_s)
    tail = white(rng, count) * 10 ** (-3 * times(count) / length_s)
    bright, dark_s = between(rng, 2000, 16_000), length_s * rng.uniform(0.1, 1)
    tail = filtered(tail, lambda t, f: 1 / (1 + (f / (bright * np.exp(-t / dark_s) + 300)) ** 2))
    tail *= rng.uniform(0.2, 1) / np.sqrt((tail**2).sum() + 1e-9)
    for _ in range(rng.integers(0, 12)):
        tail[min(count - 1, samples(between(rng, 0.003, 0.08)))] += rng.uniform(-0.3, 0.3)
    tail[0] += 1.0
    return tail


def in_room(rng: np.random.Generator, sound: Sound) -> Sound:
    """The sound in a drawn room, as long as before."""
    response = impulse_response(rng)
    length = 1 << (len(sound) + len(response)).bit_length()
    product = np.fft.rfft(sound, length) * np.fft.rfft(response, length)
    return np.fft.irfft(product, length)[: len(sound)]


def coloured_by(rng: np.random.Generator, sound: Sound) -> Sound:
    """A tilt and three bells, as an equaliser or a microphone adds."""
    tilt = rng.normal(0, 1.5)
    bells = [(between(rng, 80, 12_000), rng.normal(0, 5), between(rng, 0.2, 1.5)) for _ in range(3)]
    spectrum, bins = np.fft.rfft(sound), np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 20)
    gain_db = tilt * np.log2(bins / 1000)
    for centre, height, octaves in bells:
        gain_db = gain_db + height * np.exp(-((np.log2(bins / centre) / octaves) ** 2))
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(sound))


def band_limited(rng: np.random.Generator, sound: Sound) -> Sound:
    """Nothing above half of a usual sample rate, as in telephones, samplers and lossy files."""
    top = float(rng.choice([4000, 5512, 8000, 11_025, 16_000, 20_000, 22_050])) * 0.97
    spectrum, bins = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    return np.fft.irfft(spectrum / (1 + (bins / top) ** 120), len(sound))


def driven(rng: np.random.Generator, sound: Sound) -> Sound:
    """Saturation: soft, hard, or coarse steps."""
    pushed, kind = normalised(sound) * between(rng, 1, 12), rng.integers(3)
    if kind == 0:
        return np.tanh(pushed)
    if kind == 1:
        return np.clip(pushed, -1, 1)
    steps = 2.0 ** rng.integers(4, 9)
    return np.round(normalised(sound) * steps) / steps


def on_its_way(rng: np.random.Generator, sound: Sound) -> Sound:
    """Some of all this, and hiss; at a peak of 1."""
    sound = normalised(sound)
    if rng.random() < 0.08:
        sound = driven(rng, sound)
    if rng.random() < 0.4:
        sound = coloured_by(rng, sound)
    if rng.random() < 0.35:
        sound = in_room(rng, sound)
    if rng.random() < 0.3:
        sound = band_limited(rng, sound)
    if rng.random() < 0.25:
        level = 10 ** (-rng.uniform(45, 80) / 20)
        sound = normalised(sound) + level * coloured(rng, len(sound), rng.uniform(-4, 2))
    return normalised(sound, 0.99)
