"""What is computed here is what librosa computes; in one file, as librosa takes half a minute of a
busy machine to begin, in each process that asks it.
"""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from distill.audio.distance import SEVEN_SCALES, TWO_SCALES, mel_distance, stft_distance
from distill.audio.sound_features import brightness_hz, noisiness_db
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder
from distill.config import SpectrogramConfig

pytestmark = pytest.mark.slow
Scales = tuple[tuple[int, int], ...]

VOICE = SpectrogramConfig.for_rate(16_000)
SMALL = SpectrogramConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=32)
CONFIGS = [
    SMALL,
    SpectrogramConfig(sample_rate=16_000, n_fft=512, hop_length=128, n_mels=64),
    SpectrogramConfig(sample_rate=16_000, n_fft=512, hop_length=200, f_min_hz=60, f_max_hz=7000),
    SpectrogramConfig(),
]


def test_brightness_is_the_spectral_centroid() -> None:
    noise = np.random.default_rng(0).normal(size=2048).astype(np.float32)
    expected = librosa.feature.spectral_centroid(
        S=np.abs(np.fft.rfft(noise))[:, None], sr=48_000, n_fft=2048
    )
    assert brightness_hz(noise, 48_000) == pytest.approx(float(expected[0, 0]), rel=1e-5)


def test_noisiness_is_the_spectral_flatness() -> None:
    frame = np.random.default_rng(0).normal(size=2400)
    expected = librosa.feature.spectral_flatness(
        S=np.abs(np.fft.rfft(frame * np.hanning(2400)))[:, None]
    )
    assert noisiness_db(frame, 48_000) == pytest.approx(10 * np.log10(expected[0, 0]), abs=0.01)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    sound = torch.sin(torch.arange(8000) * 0.2) * torch.linspace(1, 0, 8000) ** 2
    return sound, 0.7 * sound + 0.02 * torch.randn(8000, generator=random)


def _stft(sound: Tensor, window: int) -> np.ndarray:
    stft = librosa.stft(
        sound.double().numpy(), n_fft=window, hop_length=window // 4, pad_mode="reflect"
    )
    return np.asarray(np.abs(stft))


def _mel_reference(one: Tensor, other: Tensor, rate: int, scales: Scales) -> float:
    total = 0.0
    for mels, window in scales:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters detected")
            filters = librosa.filters.mel(sr=rate, n_fft=window, n_mels=mels)
        logs = [np.log10(np.maximum(filters @ _stft(s, window), 1e-5)) for s in (one, other)]
        total += np.abs(logs[0] - logs[1]).mean()
    return total


def _stft_reference(one: Tensor, other: Tensor) -> float:
    total = 0.0
    for window in (2048, 512):
        a, b = _stft(one, window), _stft(other, window)
        powers = [np.log10(np.maximum(magnitude, 1e-5) ** 2) for magnitude in (a, b)]
        total += np.abs(powers[0] - powers[1]).mean() + np.abs(a - b).mean()
    return total


@pytest.mark.parametrize("scales", [SEVEN_SCALES, TWO_SCALES, ((40, 1024),)])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_mel_distance_is_that_of_librosa(
    rate: int, scales: Scales, pair: tuple[Tensor, Tensor]
) -> None:
    expected = _mel_reference(*pair, rate, scales)
    assert mel_distance(*pair, rate, scales) == pytest.approx(expected, rel=2e-3)


def test_stft_distance_is_that_of_librosa(pair: tuple[Tensor, Tensor]) -> None:
    assert stft_distance(*pair) == pytest.approx(_stft_reference(*pair), rel=2e-3)


def _reference(samples: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.f_min_hz,
        fmax=config.top_hz,
        power=1.0,
        pad_mode="reflect",
    )
    return np.asarray((np.log(np.maximum(mel, 1e-5)) + 7.0) / 3.5)


@pytest.mark.parametrize("config", CONFIGS)
def test_filters_are_those_of_librosa(config: SpectrogramConfig) -> None:
    expected = librosa.filters.mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.f_min_hz,
        fmax=config.top_hz,
    )
    assert LogMel(config).filters.shape == (config.n_fft // 2 + 1, config.n_mels)
    np.testing.assert_allclose(LogMel(config).filters.T.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("extra", [0, 1, 63])
def test_frames_are_those_of_librosa(config: SpectrogramConfig, extra: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.2, 3 * config.n_fft + extra).astype(np.float32)
    found = LogMel(config)(torch.from_numpy(samples)).numpy()
    expected = _reference(samples, config)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_magnitudes_come_back() -> None:
    log_mel, sound = LogMel(SMALL), 0.1 * torch.randn(1000)
    expected = np.exp(3.5 * _reference(sound.numpy(), SMALL) - 7.0)
    np.testing.assert_allclose(log_mel.magnitude(log_mel(sound)).numpy(), expected, rtol=1e-2)


def _chirp() -> Tensor:
    time_s = torch.arange(8000) / 16_000
    return 0.5 * torch.sin(2 * torch.pi * (200 + 1500 * time_s) * time_s)


def _noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(0))


def _by_librosa(magnitudes: Tensor, samples: int) -> Tensor:
    linear = librosa.feature.inverse.mel_to_stft(
        magnitudes.numpy(), sr=VOICE.sample_rate, n_fft=VOICE.n_fft, power=1.0
    )
    sound = librosa.griffinlim(
        linear,
        n_iter=32,
        hop_length=VOICE.hop_length,
        pad_mode="reflect",
        length=samples,
        random_state=0,
    )
    return torch.from_numpy(sound)


@pytest.mark.parametrize("sound", [_chirp(), _noise(8000)], ids=["chirp", "noise"])
def test_sound_comes_back_at_least_as_well_as_from_librosa(sound: Tensor) -> None:
    log_mel = LogMel(VOICE)
    frames = log_mel(sound)
    vocoder = GriffinLimVocoder(log_mel, iterations=32)
    ours, theirs = (
        mel_distance(sound, found, 16_000)
        for found in (
            vocoder(frames, len(sound)),
            _by_librosa(log_mel.magnitude(frames), len(sound)),
        )
    )
    assert ours < 1.15 * theirs
