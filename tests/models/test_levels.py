"""The ladder: any number of levels of one model, in memory, in files, and what they cost."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from distill import Codes, LoadedVAE, LoadedVQModel, VQVAEConfig, read_audio
from distill.codebook import NO_CODE
from distill.errors import CodesError, ConfigError, ShapeError
from distill.models import ConvVQVAE, QuantizerWrapper
from distill.training import TrainingResult

LEVELS = pytest.mark.parametrize("levels", [1, 2, 3])
NO_LEVELS: list[Any] = [0, -1, 4, 10**40, 1.5, True, "2", math.nan, [1], np.array([1])]


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return trained.load()


@pytest.fixture(scope="module")
def sound(sounds_dir: Path) -> tuple[Tensor, int]:
    return read_audio(sounds_dir / "drum-01.wav")


@pytest.fixture(scope="module")
def codes(model: LoadedVQModel, sound: tuple[Tensor, int]) -> Codes:
    return model.encode(*sound)


@LEVELS
def test_decoding_some_levels_is_decoding_no_code_at_the_others(
    levels: int, model: LoadedVQModel, codes: Codes
) -> None:
    grid = codes.indices
    grid[levels:] = NO_CODE
    expected, _ = model.decode(codes.with_indices(grid))
    made, rate = model.decode(codes, levels=levels)
    assert torch.equal(made, expected) and rate == 48_000
    assert torch.equal(model.decode(codes.first_levels(levels))[0], expected)


@LEVELS
def test_encoding_with_some_levels_makes_codes_of_so_many(
    levels: int, model: LoadedVQModel, sound: tuple[Tensor, int], codes: Codes
) -> None:
    some = model.encode(*sound, levels=levels)
    assert (some.levels, some.steps, some.samples) == (levels, codes.steps, codes.samples)
    assert some.labels == ("Structure", "Timbre", "Detail")[:levels]
    assert some.bits_per_second == pytest.approx(levels * 4 * 48_000 / 1024)
    assert some.bits_per_second == pytest.approx(model.config.bits_per_second_of(levels))
    made, _ = model.reconstruct(*sound, levels=levels)
    at_48k, _ = model.decode(some)
    assert len(made) == len(sound[0]) and len(at_48k) == some.samples
    if levels == 3:
        assert torch.equal(some.indices, codes.indices)


@LEVELS
def test_a_number_in_any_form_is_a_number_of_levels(
    levels: int, model: LoadedVQModel, sound: tuple[Tensor, int]
) -> None:
    expected = model.encode(*sound, levels=levels).indices
    for form in (float(levels), np.int64(levels), np.array(levels), torch.tensor(levels)):
        assert torch.equal(model.encode(*sound, levels=form).indices, expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("levels", NO_LEVELS, ids=repr)
def test_what_is_no_number_of_levels_is_refused_everywhere(
    levels: Any, model: LoadedVQModel, codes: Codes, sounds_dir: Path, tmp_path: Path
) -> None:
    path, out = sounds_dir / "drum-01.wav", tmp_path / "out.wav"
    sound = read_audio(path)
    for call in (
        lambda: model.encode(*sound, levels=levels),
        lambda: model.encode_file(path, levels=levels),
        lambda: model.decode(codes, levels=levels),
        lambda: model.decode_file(codes, out, levels=levels),
        lambda: model.reconstruct(*sound, levels=levels),
        lambda: model.reconstruct_file(path, out, levels=levels),
        lambda: codes.first_levels(levels),
    ):
        with pytest.raises(ConfigError, match=r"^levels=.+: expected a whole number from 1 to 3$"):
            call()
    assert not out.exists()


def test_codes_of_fewer_levels_have_no_more(model: LoadedVQModel, codes: Codes) -> None:
    with pytest.raises(ConfigError, match=r"^levels=3: expected a whole number from 1 to 2$"):
        model.decode(codes.first_levels(2), levels=3)
    with pytest.raises(CodesError, match=r"^a list where codes were expected"):
        model.decode([1], levels=2)  # type: ignore[arg-type]


@LEVELS
def test_files_take_the_same_way(
    levels: int, model: LoadedVQModel, codes: Codes, sounds_dir: Path, tmp_path: Path
) -> None:
    path = sounds_dir / "drum-01.wav"
    of_file = model.encode_file(path, levels=levels)
    assert torch.equal(of_file.indices, model.encode(*read_audio(path), levels=levels).indices)
    saved = codes.save(tmp_path / "codes.npz")
    one = model.decode_file(saved, tmp_path / "one.wav", levels=levels)
    other = model.decode_file(codes.first_levels(levels), tmp_path / "other.wav")
    assert one.read_bytes() == other.read_bytes()
    two = model.reconstruct_file(path, tmp_path / "two.wav", levels=levels)
    three = model.decode_file(of_file, tmp_path / "three.wav")
    assert two.read_bytes() == three.read_bytes()


def test_a_model_without_levels_says_so(
    trained_vae: TrainingResult, sound: tuple[Tensor, int]
) -> None:
    model: Any = trained_vae.load()
    assert isinstance(model, LoadedVAE)
    message = "^levels=2: this model has no levels of codes; leave it out$"
    latents = model.encode(*sound)
    for call in (lambda: model.encode(*sound, levels=2), lambda: model.decode(latents, levels=2)):
        with pytest.raises(ConfigError, match=message):
            call()


@pytest.fixture(scope="module")
def quantizer() -> QuantizerWrapper:
    torch.manual_seed(0)
    made = QuantizerWrapper(dim=8, levels=4, codebook_size=16)
    made.train()(latents())
    return made.eval()


def latents(seed: int = 0) -> Tensor:
    return torch.randn(4, 8, 64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("levels", [1, 2])
def test_codes_of_some_levels_are_nearer_than_the_first_of_all(
    levels: int, quantizer: QuantizerWrapper
) -> None:
    """The search looks ahead: what it chooses first of four is not what it chooses alone."""
    latent = latents(1)
    some, all_ = quantizer(latent, levels), quantizer(latent)
    assert some.indices.shape == (4, levels, 64) and some.commitment.shape == (levels,)
    cut = quantizer.embed(all_.indices)[:levels].sum(dim=0)
    error, error_of_cut = (float((latent - made).square().sum()) for made in (some.quantized, cut))
    assert error < error_of_cut


def test_one_level_alone_takes_the_nearest_entry(quantizer: QuantizerWrapper) -> None:
    latent = latents(3)
    columns, entries = latent.transpose(1, 2), quantizer.codebooks[0]
    nearest = torch.cdist(columns, entries.expand(4, -1, -1)).argmin(dim=-1)
    output = quantizer(latent, 1)
    assert torch.equal(output.indices[:, 0], nearest)
    expected = (columns - entries[nearest]).square().mean()
    torch.testing.assert_close(output.commitment, expected[None])


def test_choosing_with_some_levels_draws_nothing_and_changes_nothing(
    quantizer: QuantizerWrapper,
) -> None:
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    state = torch.get_rng_state()
    quantizer(latents(1), 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert before.keys() == quantizer.state_dict().keys()
    for name, value in quantizer.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_levels_that_a_quantizer_does_not_have_are_refused(quantizer: QuantizerWrapper) -> None:
    for levels in (0, 5):
        message = f"^levels={levels}: expected a whole number from 1 to 4$"
        with pytest.raises(ShapeError, match=message):
            quantizer(latents(), levels)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_dropout_leaves_out_last_levels_of_some_rows_alone(seed: int) -> None:
    torch.manual_seed(seed)
    plain = QuantizerWrapper(dim=8, levels=3, codebook_size=16)
    plain.train()(latents())
    made = QuantizerWrapper(dim=8, levels=3, codebook_size=16, dropout=0.5).train()
    made.load_state_dict(plain.state_dict())
    latent = latents(seed)
    books = plain.codebooks
    expected = plain(latent)
    output = made(latent)
    assert torch.equal(output.indices, expected.indices)
    levels = torch.arange(3)[:, None]
    for row, codes in zip(output.quantized, output.indices, strict=True):
        parts = books[levels, codes].transpose(1, 2)  # (level, dim, step)
        ladder = parts.cumsum(dim=0)
        assert any(torch.allclose(row, rung, atol=1e-5) for rung in ladder)
    for name, value in made.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name]), f"{name}: entries learn from all rows"


def test_dropout_gives_every_rung_and_the_gradient_of_all() -> None:
    torch.manual_seed(0)
    made = QuantizerWrapper(dim=8, levels=3, codebook_size=16, dropout=1.0)
    made.train()(latents())
    latent = torch.randn(200, 8, 4, requires_grad=True)
    books = made.codebooks
    output = made(latent)
    parts = books[torch.arange(3)[:, None], output.indices].transpose(2, 3)
    rungs = parts.cumsum(dim=1)
    at = [torch.isclose(output.quantized, rungs[:, n], atol=1e-5).all(dim=(1, 2)) for n in range(3)]
    ones, twos, all_ = (int(rows.sum()) for rows in at)
    assert ones + twos == 200 and all_ == 0 and min(ones, twos) > 60
    (dropped,) = torch.autograd.grad(output.quantized.sum(), latent)
    without = QuantizerWrapper(dim=8, levels=3, codebook_size=16)
    without.load_state_dict(made.state_dict())
    (whole,) = torch.autograd.grad(without.train()(latent).quantized.sum(), latent)
    torch.testing.assert_close(dropped, whole)


def test_dropout_is_of_training_alone(quantizer: QuantizerWrapper) -> None:
    made = QuantizerWrapper(dim=8, levels=4, codebook_size=16, dropout=1.0).eval()
    made.load_state_dict(quantizer.state_dict())
    assert torch.equal(made(latents(2)).quantized, quantizer(latents(2)).quantized)
    assert ConvVQVAE(VQVAEConfig(width=8, quantizer_dropout=0.5)).quantizer._dropout == 0.5
