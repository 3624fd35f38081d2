"""What is computed here is what librosa computes, whose values lie in `tests/data`: it takes half a
minute of a busy machine to begin (`python -m tests.data.make_as_librosa` asks it again).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from distill.audio.distance import SEVEN_SCALES, TWO_SCALES, mel_distance, stft_distance
from distill.audio.sound_features import brightness_hz, noisiness_db
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder
from distill.config import SpectrogramConfig

Scales = tuple[tuple[int, int], ...]

VALUES = Path(__file__).resolve().parents[1] / "data/as_librosa.npz"
SCALES: dict[str, Scales] = {"seven": SEVEN_SCALES, "two": TWO_SCALES, "one": ((40, 1024),)}
RATES = (16_000, 48_000)
EXTRA = (0, 1, 63)
"""Samples beyond whole windows."""
VOICE = SpectrogramConfig.for_rate(16_000)
SMALL = SpectrogramConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=32)
CONFIGS = [
    SMALL,
    SpectrogramConfig(sample_rate=16_000, n_fft=512, hop_length=128, n_mels=64),
    SpectrogramConfig(sample_rate=16_000, n_fft=512, hop_length=200, f_min_hz=60, f_max_hz=7000),
    SpectrogramConfig(),
]


@pytest.fixture(scope="module")
def values() -> Mapping[str, np.ndarray]:
    with np.load(VALUES) as file:
        return dict(file)


@pytest.fixture
def pair(values: Mapping[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(values["one"]), torch.from_numpy(values["other"])


def test_brightness_is_the_spectral_centroid(values: Mapping[str, np.ndarray]) -> None:
    found = brightness_hz(values["noise"][:2048], 48_000)
    assert found == pytest.approx(float(values["centroid"][0, 0]), rel=1e-5)


def test_noisiness_is_the_spectral_flatness(values: Mapping[str, np.ndarray]) -> None:
    found = noisiness_db(values["noise"][:2400], 48_000)
    assert found == pytest.approx(10 * np.log10(values["flatness"][0, 0]), abs=0.01)


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("rate", RATES)
def test_mel_distance_is_that_of_librosa(
    rate: int, name: str, pair: tuple[Tensor, Tensor], values: Mapping[str, np.ndarray]
) -> None:
    found = mel_distance(*pair, rate, SCALES[name])
    assert found == pytest.approx(float(values[f"mel/{rate}/{name}"]), rel=2e-3)


def test_stft_distance_is_that_of_librosa(
    pair: tuple[Tensor, Tensor], values: Mapping[str, np.ndarray]
) -> None:
    assert stft_distance(*pair) == pytest.approx(float(values["stft"]), rel=2e-3)


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_filters_are_those_of_librosa(number: int, values: Mapping[str, np.ndarray]) -> None:
    config = CONFIGS[number]
    filters = LogMel(config).filters
    assert filters.shape == (config.n_fft // 2 + 1, config.n_mels)
    np.testing.assert_allclose(filters.T.numpy(), values[f"filters/{number}"], atol=1e-6)


@pytest.mark.parametrize("number", range(len(CONFIGS)))
@pytest.mark.parametrize("extra", EXTRA)
def test_frames_are_those_of_librosa(
    number: int, extra: int, values: Mapping[str, np.ndarray]
) -> None:
    config, expected = CONFIGS[number], values[f"frames/{number}/{extra}"]
    sound = torch.from_numpy(values["noise"][: 3 * config.n_fft + extra])
    found = LogMel(config)(sound).numpy()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_magnitudes_come_back(values: Mapping[str, np.ndarray]) -> None:
    log_mel = LogMel(SMALL)
    found = log_mel.magnitude(log_mel(torch.from_numpy(values["noise"][: 3 * SMALL.n_fft])))
    expected = np.exp(3.5 * values["frames/0/0"] - 7.0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-2)


@pytest.mark.parametrize("name", ["chirp", "hiss"])
def test_sound_comes_back_at_least_as_well_as_from_librosa(
    name: str, values: Mapping[str, np.ndarray]
) -> None:
    sound, theirs = torch.from_numpy(values[name]), torch.from_numpy(values[f"again/{name}"])
    log_mel = LogMel(VOICE)
    ours = GriffinLimVocoder(log_mel, iterations=32)(log_mel(sound), len(sound))
    found, reached = (mel_distance(sound, again, 16_000) for again in (ours, theirs))
    assert found < 1.15 * reached
