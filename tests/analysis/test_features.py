from __future__ import annotations

import librosa
import numpy as np
import pytest

from distill.analysis.compare.features import brightness_hz, loudness_db

TIME = np.arange(4800) / 48_000


def test_loudness_is_the_root_mean_square_in_decibels() -> None:
    assert loudness_db(np.sin(2 * np.pi * 1000 * TIME)) == pytest.approx(-3.01, abs=0.01)
    assert loudness_db(np.full(10, 0.1)) == pytest.approx(-20)
    assert loudness_db(np.zeros(10)) == loudness_db(np.zeros(0)) == -120
    assert loudness_db(np.full(10, 1e-30)) == -120


def test_brightness_is_the_spectral_centroid() -> None:
    assert brightness_hz(np.sin(2 * np.pi * 1000 * TIME), 48_000) == pytest.approx(1000, abs=1)
    noise = np.random.default_rng(0).normal(size=2048).astype(np.float32)
    expected = librosa.feature.spectral_centroid(
        S=np.abs(np.fft.rfft(noise))[:, None], sr=48_000, n_fft=2048
    )
    assert brightness_hz(noise, 48_000) == pytest.approx(float(expected[0, 0]), rel=1e-5)
    assert brightness_hz(np.zeros(100), 48_000) == 0
