from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill.audio import spectrogram
from distill.audio.spectrogram import SILENCE, LogMel
from distill.config import SpectrogramConfig
from distill.errors import ShapeError

SMALL = SpectrogramConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=32)


@settings(deadline=None)
@given(samples=st.integers(1, 3000), half=st.integers(32, 400), hop=st.integers(16, 400))
def test_the_number_of_frames_is_as_promised(samples: int, half: int, hop: int) -> None:
    config = SpectrogramConfig(
        sample_rate=8000, n_fft=2 * half, hop_length=min(hop, half), n_mels=8
    )
    log_mel = LogMel(config)
    shape = log_mel(torch.zeros(samples)).shape
    assert shape == (8, log_mel.frames(samples)) == (8, 1 + samples // config.hop_length)


def test_any_leading_shape_is_kept() -> None:
    log_mel, sounds = LogMel(SMALL), 0.1 * torch.randn(2, 3, 500)
    together = log_mel(sounds)
    assert together.shape == (2, 3, 32, 8)
    torch.testing.assert_close(together[1, 2], log_mel(sounds[1, 2]))


@pytest.mark.parametrize("samples", [1, 64, 128])
def test_a_sound_shorter_than_half_a_window_ends_in_silence(samples: int) -> None:
    log_mel, sound = LogMel(SMALL), torch.rand(samples)
    padded = np.pad(np.pad(sound.numpy(), (0, 129 - samples)), 128, mode="reflect")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    for frame in range(1 + samples // 64):
        magnitude = np.abs(np.fft.rfft(hann * padded[64 * frame : 64 * frame + 256]))
        mel = np.maximum(magnitude @ log_mel.filters.numpy(), 1e-5)
        found = log_mel(sound)[:, frame].numpy()
        np.testing.assert_allclose(found, (np.log(mel) + 7.0) / 3.5, atol=2e-3)


@pytest.mark.parametrize("chunk", [1, 7, 31])
def test_long_sounds_are_framed_in_chunks_without_a_seam(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_mel, sound = LogMel(SMALL), 0.1 * torch.randn(2, 2000)
    whole = log_mel(sound)
    monkeypatch.setattr(spectrogram, "_CHUNK_FRAMES", chunk)
    torch.testing.assert_close(log_mel(sound), whole)


def test_silence_has_one_value() -> None:
    silent = LogMel(SMALL)(torch.zeros(500))
    torch.testing.assert_close(silent, torch.full_like(silent, SILENCE))
    assert pytest.approx((math.log(1e-5) + 7.0) / 3.5) == SILENCE


def test_magnitudes_never_fall_below_the_floor() -> None:
    assert LogMel(SMALL).magnitude(torch.full((32, 2), -50.0)).eq(1e-5).all()


@pytest.mark.parametrize("shape", [(0,), (3, 0), ()])
def test_no_samples_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^waveform has 0 samples; a spectrogram needs at least"):
        LogMel(SMALL)(torch.zeros(shape))
