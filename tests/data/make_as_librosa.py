"""Makes `as_librosa.npz`: sounds, and what librosa says of them. Needs `pip install librosa`.

python -m tests.data.make_as_librosa
"""

from __future__ import annotations

import warnings
from pathlib import Path

import librosa
import numpy as np

from distill.config import SpectrogramConfig
from tests.audio.test_as_librosa import CONFIGS, EXTRA, RATES, SCALES, VALUES, VOICE, Scales

_random = np.random.default_rng(0)
Arrays = dict[str, np.ndarray]


def main(path: Path = VALUES) -> None:
    sounds = _sounds()
    pair = sounds["one"], sounds["other"]
    magnitudes = np.abs(np.fft.rfft(sounds["noise"][:2048]))[:, None]
    windowed = np.abs(np.fft.rfft(sounds["noise"][:2400] * np.hanning(2400)))[:, None]
    found: Arrays = {
        "centroid": librosa.feature.spectral_centroid(S=magnitudes, sr=48_000, n_fft=2048),
        "flatness": librosa.feature.spectral_flatness(S=windowed),
        "stft": np.array(_stft_distance(*pair)),
    }
    for rate in RATES:
        for name, scales in SCALES.items():
            found[f"mel/{rate}/{name}"] = np.array(_mel_distance(*pair, rate, scales))
    for number, config in enumerate(CONFIGS):
        found[f"filters/{number}"] = _filters(config)
        for extra in EXTRA:
            sound = sounds["noise"][: 3 * config.n_fft + extra]
            found[f"frames/{number}/{extra}"] = _log_mel(sound, config).astype(np.float32)
    for name in ("chirp", "hiss"):
        found[f"again/{name}"] = _through_griffin_lim(sounds[name])
    np.savez_compressed(path, **sounds, **found)


def _sounds() -> Arrays:
    time_s = np.arange(8000) / 16_000
    one = np.sin(np.arange(8000) * 0.2) * np.linspace(1, 0, 8000) ** 2
    made = {
        "noise": _random.normal(0, 0.2, 3 * 2048 + max(EXTRA)),
        "one": one,
        "other": 0.7 * one + 0.02 * _random.normal(size=8000),
        "chirp": 0.5 * np.sin(2 * np.pi * (200 + 1500 * time_s) * time_s),
        "hiss": 0.1 * _random.normal(size=8000),
    }
    return {name: sound.astype(np.float32) for name, sound in made.items()}


def _filters(config: SpectrogramConfig) -> np.ndarray:
    return librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels,
        fmin=config.f_min_hz, fmax=config.top_hz,
    )  # fmt: skip


def _log_mel(samples: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples, sr=config.sample_rate, n_fft=config.n_fft, hop_length=config.hop_length,
        n_mels=config.n_mels, fmin=config.f_min_hz, fmax=config.top_hz, power=1.0,
        pad_mode="reflect",
    )  # fmt: skip
    return np.asarray((np.log(np.maximum(mel, 1e-5)) + 7.0) / 3.5)


def _stft(sound: np.ndarray, window: int) -> np.ndarray:
    exact = sound.astype(np.float64)
    return np.abs(librosa.stft(exact, n_fft=window, hop_length=window // 4, pad_mode="reflect"))


def _mel_distance(one: np.ndarray, other: np.ndarray, rate: int, scales: Scales) -> float:
    total = 0.0
    for mels, window in scales:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters detected")
            filters = librosa.filters.mel(sr=rate, n_fft=window, n_mels=mels)
        logs = [np.log10(np.maximum(filters @ _stft(s, window), 1e-5)) for s in (one, other)]
        total += np.abs(logs[0] - logs[1]).mean()
    return total


def _stft_distance(one: np.ndarray, other: np.ndarray) -> float:
    total = 0.0
    for window in (2048, 512):
        a, b = _stft(one, window), _stft(other, window)
        powers = [np.log10(np.maximum(magnitude, 1e-5) ** 2) for magnitude in (a, b)]
        total += np.abs(powers[0] - powers[1]).mean() + np.abs(a - b).mean()
    return total


def _through_griffin_lim(sound: np.ndarray) -> np.ndarray:
    magnitudes = np.exp(3.5 * _log_mel(sound, VOICE) - 7.0)
    linear = librosa.feature.inverse.mel_to_stft(
        magnitudes, sr=VOICE.sample_rate, n_fft=VOICE.n_fft, power=1.0
    )
    return librosa.griffinlim(
        linear, n_iter=32, hop_length=VOICE.hop_length, pad_mode="reflect", length=len(sound),
        random_state=0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
