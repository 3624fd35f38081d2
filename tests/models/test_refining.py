"""Codes that the decoder makes more of: never worse by its loss, in pieces, in any mode."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import ConfigError, ConvVQVAE, LoadedVQModel, VQVAEConfig, read_audio, write_audio
from distill.models.use import code_pieces
from distill.models.vqvae import search as searching
from distill.models.vqvae.refining import _loss
from distill.models.vqvae.search import search
from distill.training import TrainingResult


def small(seed: int = 0, **options: int) -> ConvVQVAE:
    torch.manual_seed(seed)
    config = VQVAEConfig(
        width=16, latent_dim=8, **{"levels": 3, "codebook_size": 8, "stride": 2, **options}
    )
    model = ConvVQVAE(config)
    model.initialise(torch.randn(1, 128, 200))
    return model.eval()


def loss_of(model: ConvVQVAE, codes: torch.Tensor, mel: torch.Tensor) -> float:
    with torch.no_grad():
        return float(_loss(model, model.codes_to_embeddings(codes), mel))


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_a_beam_that_keeps_all_finds_the_nearest_sum(
    seed: int, levels: int, entries: int, positions: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    codebooks = torch.randn(levels, entries, 3, generator=generator)
    columns = torch.randn(positions, 3, generator=generator)
    codes = search(codebooks, columns, entries**levels)
    assert codes.shape == (positions, levels)
    found = (codebooks[torch.arange(levels), codes].sum(1) - columns).norm(dim=1)
    ways = torch.tensor(list(itertools.product(range(entries), repeat=levels)))
    sums = codebooks[torch.arange(levels), ways].sum(1)
    torch.testing.assert_close(found, torch.cdist(columns, sums).amin(1), rtol=1e-4, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 300))
def test_a_beam_of_one_takes_the_nearest_entry_of_each_level(
    seed: int, levels: int, positions: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    codebooks = torch.randn(levels, 16, 4, generator=generator)
    left = columns = torch.randn(positions, 4, generator=generator)
    codes = search(codebooks, columns, 1)
    for level, entries in enumerate(codebooks):
        distances = torch.cdist(left, entries)
        taken = distances.gather(1, codes[:, level, None])[:, 0]
        torch.testing.assert_close(taken, distances.amin(1), rtol=1e-3, atol=1e-3)
        left = left - entries[codes[:, level]]


def test_many_positions_are_coded_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    codebooks, columns = torch.randn(3, 32, 8), torch.randn(1000, 8)
    whole = search(codebooks, columns)
    monkeypatch.setattr(searching, "_MOST_DISTANCES", 7 * searching.BEAM * 32)
    sums = [codebooks[torch.arange(3), c].sum(1) for c in (whole, search(codebooks, columns))]
    torch.testing.assert_close(*((part - columns).norm(dim=1) for part in sums))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 5),
    frames=st.integers(1, 90),
    levels=st.none() | st.integers(1, 3),
    passes=st.integers(1, 6),
)
def test_the_decoder_never_makes_less_of_refined_codes(
    seed: int, frames: int, levels: int | None, passes: int
) -> None:
    model = small(seed)
    mel = torch.randn(1, 128, frames, generator=torch.Generator().manual_seed(frames))
    with torch.no_grad():
        plain = model.quantize(model.encode(mel), levels).indices
    codes = model.refined_codes(mel, passes, levels)
    assert codes.shape == plain.shape
    assert loss_of(model, codes, mel) <= loss_of(model, plain, mel) * (1 + 1e-5)
    assert torch.equal(model.refined_codes(mel, 0, levels), plain)


def test_sounds_gain(trained: TrainingResult, sounds_dir: Path) -> None:
    model = trained.load()
    gains = []
    for path in sorted(sounds_dir.glob("*.wav"))[:6]:
        sound = read_audio(path, model.sample_rate)[0]
        mel = model.spectrogram(sound / sound.abs().max())[None]
        plain, found = (model.model.refined_codes(mel, passes) for passes in (0, 6))
        gains.append(loss_of(model.model, plain, mel) - loss_of(model.model, found, mel))
        assert gains[-1] >= -1e-5
        torch.testing.assert_close(
            model.model.reconstructed(mel),
            model.model.decode(model.model.codes_to_embeddings(found), frames=mel.shape[-1]),
            rtol=1e-3, atol=1e-3,
        )  # fmt: skip
    assert sum(gain > 0 for gain in gains) >= 3


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_it_is_the_same_in_any_mode_and_leaves_no_trace(mode: type) -> None:
    model = small()
    mel = torch.randn(1, 128, 40)
    expected = model.refined_codes(mel)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    with mode():
        found = model.refined_codes(mel.clone())
    assert torch.equal(found, expected)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize("value", [0.0, 1e-30, 1.0, 1e4])
def test_silence_and_extremes_are_coded(value: float) -> None:
    loaded = LoadedVQModel(small())
    codes = loaded.encode(torch.full((5000,), value), 48_000)
    assert codes.steps == 5 and int(codes.indices.min()) >= 0


def test_weights_that_make_no_numbers_are_no_worse_than_before() -> None:
    model = small()
    with torch.no_grad():
        model.decoder[-1].bias.fill_(float("inf"))
    mel = torch.randn(1, 128, 30)
    assert torch.equal(model.refined_codes(mel), model.refined_codes(mel, 0))


def test_long_sounds_are_refined_piece_by_piece(
    trained: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_pieces, "_REFINED_STEPS", 16)
    loaded = trained.load()
    seen: list[int] = []
    real = loaded.model.refined_codes

    def noted(mel: torch.Tensor, *arguments: int) -> torch.Tensor:
        seen.append(mel.shape[-1])
        return real(mel, *arguments)

    monkeypatch.setattr(loaded.model, "refined_codes", noted)
    sound = (torch.rand(400_000, generator=torch.Generator().manual_seed(0)) - 0.5) * 0.2
    sound *= torch.linspace(0, 12, len(sound)).sin() ** 2
    codes = loaded.encode(sound, 48_000)
    stride = loaded.config.stride
    assert len(seen) == -(-codes.steps // 16) and max(seen) <= stride * (16 + 2 * 40)
    path = write_audio(tmp_path / "long.wav", sound, 48_000, subtype="FLOAT")
    assert torch.equal(loaded.encode_file(path).indices, codes.indices)
    loaded.refinements = 0
    plain = loaded.encode(sound, 48_000)
    assert torch.equal(plain.indices, loaded.indices_of(loaded.latent(sound, 48_000)))
    mel = loaded.spectrogram(sound / sound.abs().max())[None]
    losses = [loss_of(loaded.model, one.indices[None], mel) for one in (codes, plain)]
    assert losses[0] < losses[1]


@pytest.mark.parametrize("passes", [-1, 0.5, float("nan"), "8", None, 10**9])
def test_passes_that_are_no_number_of_them(passes: object) -> None:
    loaded = LoadedVQModel(small())
    loaded.refinements = passes  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"refinements=.*expected a whole number from 0 to"):
        loaded.encode(torch.zeros(5000), 48_000)
