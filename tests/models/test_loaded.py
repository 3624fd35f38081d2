from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import Codes, LoadedVQModel, Vocoder, load_model_v2, read_audio, save_model_v2
from distill.codebook import NO_CODE
from distill.errors import CodesError, ConfigError, ShapeError
from distill.training import TrainingResult


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return trained.load()


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 30_000), rate=st.sampled_from([8_000, 44_100, 48_000, 96_000]))
def test_reconstruction_has_the_same_length_and_rate(
    model: LoadedVQModel, samples: int, rate: int
) -> None:
    made, made_rate = model.reconstruct(torch.randn(samples) * 0.1, rate)
    assert (made.shape, made_rate, made.dtype) == ((samples,), rate, torch.float32)
    assert torch.isfinite(made).all()


def test_codes_are_levels_by_steps(model: LoadedVQModel, sounds_dir: Path) -> None:
    sound, rate = read_audio(sounds_dir / "drum-01.wav")
    codes = model.encode(sound, rate)
    frames = 1 + len(sound) // 512
    assert codes.indices.shape == (3, math.ceil(frames / 2))
    assert codes.labels == ("Structure", "Timbre", "Detail")
    assert codes.step_seconds == pytest.approx(1024 / 48_000)
    assert codes.seconds == pytest.approx(len(sound) / rate)
    assert "3 levels × 29 steps, 16 entries each" in repr(codes)


def test_loudness_is_kept_and_does_not_change_the_codes(
    model: LoadedVQModel, sounds_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, rate = read_audio(sounds_dir / "drum-01.wav")
    loud, quiet = (model.encode(sound * gain, rate) for gain in (1.0, 0.01))
    # A hundredth of a number is rounded: what is as good by a hair may be chosen instead.
    assert (loud.indices == quiet.indices).float().mean() > 0.9
    monkeypatch.setattr(model, "refinements", 0)
    loud, quiet = (model.encode(sound * gain, rate) for gain in (1.0, 0.01))
    assert torch.equal(loud.indices, quiet.indices)
    made_loud, made_quiet = (model.decode(codes)[0] for codes in (loud, quiet))
    torch.testing.assert_close(made_quiet, made_loud * 0.01)


def test_silence_stays_silent(model: LoadedVQModel) -> None:
    made, _ = model.reconstruct(torch.zeros(5000), 48_000)
    assert torch.equal(made, torch.zeros(5000))


def test_numpy_and_float64_are_welcome(model: LoadedVQModel) -> None:
    sound = torch.randn(6000, generator=torch.Generator().manual_seed(0)) * 0.1
    from_tensor = model.encode(sound, 48_000).indices
    assert torch.equal(model.encode(sound.numpy(), 48_000).indices, from_tensor)
    assert model.encode(sound.numpy().astype(np.float64), 48_000).levels == 3


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (torch.zeros(2, 100), r"waveform \(2, 100\): expected mono \(samples,\); mix its channels"),
        (torch.zeros(0), "waveform has 0 samples"),
        (np.zeros(100, np.int16), r"waveform holds torch\.int16; expected floating point"),
        (torch.full((100,), math.nan), "waveform holds NaN or Inf"),
        ([0.0] * 100, "waveform is a list; expected a tensor or an array"),
    ],
)
def test_other_waveforms_are_refused_by_name(
    model: LoadedVQModel, waveform: object, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        model.encode(waveform, 48_000)  # type: ignore[arg-type]


def test_codes_of_another_model_are_refused(model: LoadedVQModel) -> None:
    codes = Codes(torch.zeros(4, 5, dtype=torch.long), 16, 0.02, 5000, 48_000)
    with pytest.raises(CodesError, match=r"codes of 4 levels × 16 entries; this model has 3 × 16"):
        model.decode(codes)
    short = Codes(torch.zeros(3, 5, dtype=torch.long), 16, 0.02, 50_000, 48_000)
    with pytest.raises(CodesError, match="5 steps make 10 frames; 50000 samples need 98"):
        model.decode(short)


def test_no_code_decodes(model: LoadedVQModel) -> None:
    codes = Codes(torch.full((3, 20), NO_CODE), 16, 1024 / 48_000, 20_000, 48_000)
    sound, _ = model.decode(codes)
    assert len(sound) == 20_000


def test_another_vocoder_can_take_over(trained: TrainingResult) -> None:
    class Ones:
        def __call__(self, log_mel: torch.Tensor, samples: int | None = None) -> torch.Tensor:
            return torch.ones(samples or log_mel.shape[1] * 512)

    model = trained.load()
    assert isinstance(Ones(), Vocoder)
    model.vocoder = Ones()
    made, _ = model.reconstruct(torch.full((3000,), 0.5), 48_000)
    assert torch.equal(made, torch.full((3000,), 0.5))


def test_a_model_says_what_it_is(model: LoadedVQModel) -> None:
    assert repr(model) == "LoadedVQModel('trained': 3 levels × 16 entries, 562 bit/s at 48000 Hz)"


def test_a_sound_played_backwards_is_welcome_and_no_sample_rate_is_not(
    model: LoadedVQModel,
) -> None:
    sound = np.random.default_rng(0).standard_normal(4000)[::-1]
    assert model.encode(sound, 48_000).samples == 4000
    with pytest.raises(ConfigError, match="sample_rate=0: expected samples a second, above 0"):
        model.encode(sound, 0)


def test_a_digest_tells_a_model_by_weights_and_config(
    trained: TrainingResult, tmp_path: Path
) -> None:
    model = trained.load()
    digest = model.digest
    assert re.fullmatch("[0-9a-f]{64}", digest) and model.digest == digest
    path = save_model_v2(tmp_path / "a.distill", model, metadata={"name": "other", "tags": ["a"]})
    assert load_model_v2(path).digest == digest
    again = load_model_v2(path)
    sound = dataclasses.replace(again.vqvae_config.spectrogram, f_min_hz=20.0)
    again.model.config = dataclasses.replace(again.vqvae_config, spectrogram=sound)
    assert again.digest != digest
    with torch.no_grad():
        next(model.model.parameters()).view(-1)[0] += 1
    assert model.digest != digest
