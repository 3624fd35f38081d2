from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import (
    ConvVAE,
    Latents,
    LoadedVAE,
    SpectrogramConfig,
    VAEConfig,
    load_model,
    load_model_v2,
    read_audio,
    save_model,
)
from distill.errors import ConfigError, LatentsError, ModelTypeError, ShapeError
from distill.latent import LatentHealth

RATE = 16_000


def made(seed: int = 0, **fields: Any) -> LoadedVAE:
    torch.manual_seed(seed)
    spectrogram = dataclasses.replace(SpectrogramConfig.for_rate(RATE), n_mels=32)
    config = VAEConfig(**{"width": 16, "latent_dim": 6, **fields}, spectrogram=spectrogram)
    model = ConvVAE(config).train()
    with torch.no_grad():
        for _ in range(20):
            model(torch.randn(4, 32, 24).cumsum(dim=-1) / 5)
    return LoadedVAE(model.eval(), metadata={"name": "breath"})


@pytest.fixture(scope="module")
def model() -> LoadedVAE:
    return made()


@pytest.fixture
def sound() -> torch.Tensor:
    return 0.4 * torch.randn(RATE, generator=torch.Generator().manual_seed(1))


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 30_000), rate=st.sampled_from([8_000, 16_000, 44_100]))
def test_reconstruction_has_the_same_length_and_rate(
    model: LoadedVAE, samples: int, rate: int
) -> None:
    made, made_rate = model.reconstruct(torch.randn(samples) * 0.1, rate)
    assert (made.shape, made_rate, made.dtype) == ((samples,), rate, torch.float32)
    assert torch.isfinite(made).all()


def test_a_sound_becomes_the_means_of_its_steps(model: LoadedVAE, sound: torch.Tensor) -> None:
    latents = model.encode(sound, RATE)
    with torch.no_grad():
        mel = model.spectrogram(sound / sound.abs().max())
        expected, _ = model.model.posterior(mel[None])
    torch.testing.assert_close(latents.tensor(), expected[0])
    assert (latents.samples, latents.sample_rate) == (RATE, RATE)
    assert latents.peak == pytest.approx(float(sound.abs().max()))
    assert (latents.made_by, latents.model_name) == (model.digest, "breath")
    assert latents.step_seconds == pytest.approx(1 / model.config.step_rate_hz)


def test_sounds_longer_than_a_piece_are_encoded_and_decoded_alike(model: LoadedVAE) -> None:
    long = 0.3 * torch.randn(90 * RATE, generator=torch.Generator().manual_seed(2))
    latents = model.encode(long, RATE)
    with torch.no_grad():
        whole, _ = model.model.posterior(model.spectrogram(long / long.abs().max())[None])
        mel = model.model.decode(whole)[0]
    torch.testing.assert_close(latents.tensor(), whole[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.mel_of(latents.values), mel, atol=1e-3, rtol=1e-3)


def test_files_go_in_and_out(model: LoadedVAE, sound: torch.Tensor, tmp_path: Path) -> None:
    path = model.encode(sound, RATE).save(tmp_path / "sound.npz")
    wav = model.decode_file(path, tmp_path / "made.wav")
    read, rate = read_audio(wav)
    expected, _ = model.decode(Latents.load(path))
    assert rate == RATE and read.numpy() == pytest.approx(expected.numpy(), abs=1e-4)
    assert model.reconstruct_file(wav, tmp_path / "again.wav").exists()


def test_a_file_gives_back_the_same_model(
    model: LoadedVAE, sound: torch.Tensor, tmp_path: Path
) -> None:
    health = (LatentHealth(6, 5, (1.0, 1.0, 0.5, 0.5, 0.25, 0.0), 3.25),)
    path = save_model(tmp_path / "m.distill", model, health=health)
    again = load_model(path)
    assert isinstance(again, LoadedVAE)
    assert (again.name, again.digest, again.config) == ("breath", model.digest, model.config)
    assert again.latent_health == health[0]
    assert again.encode(sound, RATE).values.tolist() == model.encode(sound, RATE).values.tolist()
    assert again.sample(1, 0.5)[0].values.tolist() == model.sample(1, 0.5)[0].values.tolist()
    with pytest.raises(
        ModelTypeError, match=r"^m\.distill: holds a VAE model .*load_model\(path\)"
    ):
        load_model_v2(path)


def test_a_seed_gives_the_same_new_sounds(model: LoadedVAE) -> None:
    one, other = model.sample(3, 0.5, seed=4), model.sample(3, 0.5, seed=4)
    assert [item.values.tolist() for item in one] == [item.values.tolist() for item in other]
    assert len({str(item.values.tolist()) for item in (*one, *model.sample(3, 0.5, seed=5))}) == 6
    for item in one:
        made, rate = model.decode(item)
        assert (len(made), rate) == (RATE // 2, RATE) and torch.isfinite(made).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 0}, "^count=0: expected a whole number from 1 to 1000$"),
        ({"count": 1.5}, "^count=1.5: expected"),
        ({"seconds": 0}, "^seconds=0: expected a number above 0, to 600$"),
        ({"seconds": float("nan")}, "^seconds=nan: expected"),
        ({"seconds": "long"}, "^seconds='long': expected"),
        ({"seed": -1}, "^seed=-1: expected a whole number of at least 0$"),
    ],
)
def test_new_sounds_that_cannot_be_are_refused(
    model: LoadedVAE, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        model.sample(**asked)


@settings(max_examples=30, deadline=None)
@given(lengths=st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)), count=st.integers(2, 6))
def test_the_way_between_two_sounds_can_be_heard(
    model: LoadedVAE, lengths: tuple[int, int], count: int
) -> None:
    a, b = (model.encode(torch.randn(length) * 0.1, RATE) for length in lengths)
    way = model.interpolate(a, b, count)
    assert way[0] is a and way[-1] is b and len(way) == count
    for item in way:
        model.check_latents(item)
        assert min(lengths) <= item.samples <= max(lengths)
    peaks = [item.peak for item in way]
    assert peaks == sorted(peaks, reverse=a.peak > b.peak)


def test_half_way_is_the_mean_of_two_sounds_of_one_length(model: LoadedVAE) -> None:
    a, b = (model.encode(torch.randn(8000) * 0.1, RATE) for _ in range(2))
    half = model.mix(a, b, 0.5)
    assert half.values == pytest.approx((a.values + b.values) / 2, abs=1e-6)
    assert (half.samples, half.peak) == (8000, pytest.approx((a.peak + b.peak) / 2))


def test_a_sound_is_stretched_to_meet_another(model: LoadedVAE) -> None:
    a, b = (model.encode(torch.randn(length), RATE) for length in (4000, 16_000))
    quarter = model.mix(a, b, 0.25)
    assert abs(quarter.samples - 7000) < 10
    place = np.linspace(0, 1, quarter.steps)
    expected = sum(
        share
        * np.stack([np.interp(place, np.linspace(0, 1, one.steps), row) for row in one.values])
        for one, share in ((a, 0.75), (b, 0.25))
    )
    assert quarter.values == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("amount", "count", "message"),
    [
        (1.5, 2, "^amount=1.5: expected a number from 0 to 1$"),
        (float("nan"), 2, "^amount=nan: expected"),
        (0.5, 1, "^count=1: expected a whole number from 2 to 1000$"),
    ],
)
def test_ways_that_cannot_be_are_refused(
    model: LoadedVAE, sound: torch.Tensor, amount: float, count: int, message: str
) -> None:
    one = model.encode(sound, RATE)
    with pytest.raises(ConfigError, match=message):
        model.interpolate(one, one, count)
        model.mix(one, one, amount)


def test_latents_of_another_model_are_named(model: LoadedVAE, sound: torch.Tensor) -> None:
    other = made(seed=1)
    theirs = other.encode(sound, RATE)
    with pytest.raises(LatentsError, match=r"^latents of the model 'breath' \(.{8}\); this model"):
        model.decode(theirs)
    assert len(model.decode(theirs, force=True)[0]) == RATE
    with pytest.raises(LatentsError, match="latents of the model"):
        model.interpolate(theirs, theirs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((4, 80))}, "^latents of 4 dimensions; this model has 6: decode them"),
        ({"values": np.zeros((6, 3))}, r"^3 steps make 6 frames; 16000 samples need 126$"),
        ({"sample_rate": 8000}, "^latents at 8000 Hz in steps of 16 ms; this model works at 16000"),
        ({"step_seconds": 0.1}, "^latents at 16000 Hz in steps of 100 ms; this model works"),
    ],
)
def test_latents_that_do_not_fit_are_refused(
    model: LoadedVAE, sound: torch.Tensor, changes: dict[str, Any], message: str
) -> None:
    wrong = dataclasses.replace(model.encode(sound, RATE), **changes)
    with pytest.raises(LatentsError, match=message):
        model.decode(wrong)


def test_what_are_no_latents_is_named(model: LoadedVAE) -> None:
    with pytest.raises(LatentsError, match=r"^a Tensor where latents were expected: what `encode`"):
        model.decode(torch.zeros(6, 3))  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"^values \(3, 6\): expected \(6, steps\)$"):
        model.mel_of(torch.zeros(3, 6))


def test_a_model_says_what_it_is(model: LoadedVAE) -> None:
    assert repr(model) == "LoadedVAE('breath': 6 dimensions, 62.5 steps/s at 16000 Hz)"
    assert model.latent_health is None
    assert model.covariance.shape == (6, 6)


def test_a_notebook_shows_it(model: LoadedVAE) -> None:
    shown = model._repr_html_()
    for text in ("breath", "6 dimensions, 62.5 steps/s", "16000 Hz, 32 mel bands"):
        assert text in shown
