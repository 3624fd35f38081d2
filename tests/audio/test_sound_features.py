from __future__ import annotations

import numpy as np
import pytest

from distill.audio.sound_features import brightness_hz, loudness_db, noisiness_db, pitch_hz

TIME = np.arange(4800) / 48_000


def test_loudness_is_the_root_mean_square_in_decibels() -> None:
    assert loudness_db(np.sin(2 * np.pi * 1000 * TIME)) == pytest.approx(-3.01, abs=0.01)
    assert loudness_db(np.full(10, 0.1)) == pytest.approx(-20)
    assert loudness_db(np.zeros(10)) == loudness_db(np.zeros(0)) == -120
    assert loudness_db(np.full(10, 1e-30)) == -120


def test_brightness_is_that_of_a_tone() -> None:
    assert brightness_hz(np.sin(2 * np.pi * 1000 * TIME), 48_000) == pytest.approx(1000, abs=1)
    assert brightness_hz(np.zeros(100), 48_000) == 0


def test_noisiness_tells_noise_from_a_tone() -> None:
    random = np.random.default_rng(0)
    noise = random.normal(size=48_000)
    tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert noisiness_db(noise, 48_000) == pytest.approx(-2.5, abs=0.3)  # Euler's gamma, in dB
    assert noisiness_db(tone, 48_000) < -60
    assert noisiness_db(tone + 0.3 * noise, 48_000) > noisiness_db(tone, 48_000) + 20
    assert noisiness_db(np.zeros(100), 48_000) == noisiness_db(np.zeros(0), 48_000) == -120


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("hertz", [55.0, 110.0, 440.0, 987.8, 1500.0])
@pytest.mark.parametrize("harmonics", [1, 3, 8])
def test_a_tone_has_its_pitch(rate: int, hertz: float, harmonics: int) -> None:
    time = np.arange(rate // 2) / rate
    orders = [order for order in range(1, harmonics + 1) if order * hertz < 0.45 * rate]
    sound = sum(np.sin(2 * np.pi * order * hertz * time) / order for order in orders)
    assert pitch_hz(np.asarray(sound), rate) == pytest.approx(hertz, rel=0.02)


def test_a_pitch_is_found_below_some_noise_and_in_a_sound_that_dies_away() -> None:
    rate = 48_000
    time = np.arange(rate) / rate
    sound = np.sin(2 * np.pi * 220 * time) * np.exp(-3 * time)
    noise = np.random.default_rng(0).normal(size=rate) * 0.05
    assert pitch_hz(sound + noise, rate) == pytest.approx(220, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_silence_have_no_pitch(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=24_000)
    assert pitch_hz(noise, 48_000) is None
    for length in (0, 1, 100, 24_000):
        assert pitch_hz(np.zeros(length), 48_000) is None
