from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from distill.audio import vocoder as vocoder_module
from distill.audio.distance import mel_distance
from distill.audio.io import read_audio
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder, Vocoder
from distill.config import SpectrogramConfig
from distill.errors import ShapeError

CONFIG = SpectrogramConfig.for_rate(16_000)
SMALL = SpectrogramConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=32)


@pytest.fixture(scope="module")
def log_mel() -> LogMel:
    return LogMel(CONFIG)


@pytest.fixture(scope="module")
def vocoder(log_mel: LogMel) -> GriffinLimVocoder:
    return GriffinLimVocoder(log_mel)


def _chirp() -> Tensor:
    time_s = torch.arange(8000) / 16_000
    return 0.5 * torch.sin(2 * torch.pi * (200 + 1500 * time_s) * time_s)


def _noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(0))


def test_griffin_lim_is_a_vocoder(vocoder: GriffinLimVocoder) -> None:
    assert isinstance(vocoder, Vocoder)
    assert not isinstance(object(), Vocoder)


def test_the_frames_of_the_sound_are_the_frames_asked_for(
    log_mel: LogMel, vocoder: GriffinLimVocoder
) -> None:
    frames = log_mel(_chirp())
    assert (log_mel(vocoder(frames, 8000)) - frames).abs().mean() < 0.1


def test_it_is_what_the_plain_loop_makes() -> None:
    """Of what `_sound` does in place, and in another order in memory."""
    log_mel = LogMel(SMALL)
    vocoder = GriffinLimVocoder(log_mel, iterations=5)
    mel = log_mel.magnitude(log_mel(_noise(2000) * torch.linspace(0, 1, 2000)))
    window, hop = torch.hann_window(SMALL.n_fft), SMALL.hop_length
    first = magnitude = (torch.linalg.pinv(log_mel.filters.T) @ mel).clamp(min=1e-7)
    angle = torch.rand(first.shape, generator=torch.Generator().manual_seed(0))
    phase, before = torch.polar(torch.ones_like(angle), 2 * torch.pi * angle), None
    shares = log_mel.filters / log_mel.filters.sum(dim=1, keepdim=True).clamp(min=1e-7)

    def sound_of(spectrum: Tensor) -> Tensor:
        return torch.istft(spectrum, SMALL.n_fft, hop, window=window, length=2000)

    for _ in range(5):
        real = torch.stft(
            sound_of(magnitude * phase), SMALL.n_fft, hop, window=window, return_complex=True
        )
        ahead = real if before is None else real + 0.99 * (real - before)
        phase, before = ahead / ahead.abs(), real
        freed = first**0.3 * real.abs().clamp(min=1e-7) ** 0.7
        magnitude = freed * (shares @ (mel / (log_mel.filters.T @ freed)).clamp(1e-3, 1e3))
    made = vocoder._sound(mel, 2000)
    torch.testing.assert_close(made, sound_of(magnitude * phase), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("hz", [220.0, 1000.0, 3000.0])
def test_a_tone_keeps_its_pitch(hz: float, log_mel: LogMel, vocoder: GriffinLimVocoder) -> None:
    tone = 0.5 * torch.sin(2 * torch.pi * hz * torch.arange(8000) / 16_000)
    spectrum = np.abs(np.fft.rfft(vocoder(log_mel(tone)).numpy(), 16_000))
    assert abs(int(spectrum.argmax()) - hz) < 16_000 / CONFIG.n_fft


def test_silence_stays_silent(log_mel: LogMel, vocoder: GriffinLimVocoder) -> None:
    assert vocoder(log_mel(torch.zeros(4000))).abs().max() < 1e-3


def test_the_same_frames_give_the_same_sound_and_no_draw_is_made(
    log_mel: LogMel, vocoder: GriffinLimVocoder
) -> None:
    frames, state = log_mel(_chirp()), torch.get_rng_state()
    assert torch.equal(vocoder(frames), vocoder(frames))
    assert torch.equal(torch.get_rng_state(), state)


def test_no_gradient_is_kept_and_half_precision_is_taken(
    log_mel: LogMel, vocoder: GriffinLimVocoder
) -> None:
    frames = log_mel(_chirp()).requires_grad_()
    sound = vocoder(frames.half())
    assert (sound.dtype, sound.requires_grad) == (torch.float32, False)


@pytest.mark.parametrize("samples", [0, 1, 63, 64, 129, 500, 3000])
def test_any_length_can_be_asked_for(samples: int) -> None:
    log_mel = LogMel(SMALL)
    sound = GriffinLimVocoder(log_mel)(log_mel(_noise(500)), samples)
    assert sound.shape == (samples,)
    assert torch.isfinite(sound).all()


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_by_default_a_frame_is_a_hop(frames: int) -> None:
    sound = GriffinLimVocoder(LogMel(SMALL))(torch.zeros(32, frames))
    assert sound.shape == ((frames - 1) * 64,)


@pytest.mark.parametrize("frames", [65, 80, 81, 112, 113, 300])
def test_long_sounds_are_made_in_pieces_of_steady_level(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocoder_module, "_CHUNK_FRAMES", 64)
    log_mel = LogMel(SMALL)
    sound = GriffinLimVocoder(log_mel)(log_mel(_noise(64 * 300))[:, :frames])
    assert len(sound) == (frames - 1) * 64
    power = np.convolve(sound.numpy() ** 2, np.ones(512) / 512, "valid")
    np.testing.assert_allclose(np.sqrt(power), 0.1, atol=0.035)


def test_pieces_fade_into_each_other_within_2_db(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocoder_module, "_CHUNK_FRAMES", 64)
    log_mel = LogMel(SMALL)
    frames = log_mel(_noise(64 * 1000))
    power = GriffinLimVocoder(log_mel)(frames)[: 64 * 960].reshape(20, 48, 64).square().mean(2)
    seams, between = power[1:, :16].mean(), power[1:, 16:].mean()
    assert abs(10 * float((seams / between).log10())) < 2


@pytest.mark.parametrize("samples", [10, 6400, 9000])
def test_long_sounds_can_be_of_any_length(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocoder_module, "_CHUNK_FRAMES", 64)
    log_mel = LogMel(SMALL)
    sound = GriffinLimVocoder(log_mel)(log_mel(_noise(64 * 100)), samples)
    assert sound.shape == (samples,)


@pytest.mark.parametrize("shape", [(64, 10), (1, 128, 10), (128,), (128, 0)])
def test_other_shapes_are_refused(shape: tuple[int, ...], vocoder: GriffinLimVocoder) -> None:
    expected = r"^log_mel has shape \([0-9, ]+\); expected \(128, frames\)$"
    with pytest.raises(ShapeError, match=expected):
        vocoder(torch.zeros(shape))


def test_a_real_drum_comes_back_nearer_than_another_drum(
    shared_data: Path, log_mel: LogMel, vocoder: GriffinLimVocoder
) -> None:
    snare, cowbell = (
        read_audio(shared_data / "sonic_pi" / name, 16_000)[0][:5000]
        for name in ("drum_snare_hard.flac", "drum_cowbell.flac")
    )
    found = vocoder(log_mel(snare), len(snare))
    assert mel_distance(snare, found, 16_000) < 0.5 * mel_distance(snare, cowbell, 16_000)
