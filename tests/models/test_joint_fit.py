"""Codebooks fitted together."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st

from distill.models.vqvae.joint_fit import fitted_together
from distill.models.vqvae.quantizer import QuantizerWrapper


def _error(
    latents: torch.Tensor, codes: torch.Tensor, books: torch.Tensor, weights: torch.Tensor
) -> float:
    made = sum(book[codes[:, level]] for level, book in enumerate(books))
    return float(((latents - made).double().square().sum(dim=1) * weights).sum())


def test_one_level_becomes_the_means_of_its_latents() -> None:
    latents = torch.tensor([[0.0, 2.0], [2.0, 4.0], [5.0, 5.0]])
    codes = torch.tensor([[1], [1], [0]])
    fitted = fitted_together(latents, codes, torch.full((1, 3, 2), 9.0), torch.ones(3))
    assert fitted.tolist() == [[[5.0, 5.0], [1.0, 3.0], [9.0, 9.0]]]


@given(
    positions=st.integers(1, 40),
    levels=st.integers(1, 4),
    entries=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_the_error_never_grows_and_unused_entries_stay(
    positions: int, levels: int, entries: int, seed: int
) -> None:
    chance = torch.Generator().manual_seed(seed)
    latents = torch.randn(positions, 3, generator=chance)
    codes = torch.randint(entries, (positions, levels), generator=chance)
    books = torch.randn(levels, entries, 3, generator=chance)
    before = books.clone()
    weights = 0.1 + torch.rand(positions, generator=chance)
    fitted = fitted_together(latents, codes, books, weights)
    assert torch.equal(books, before)
    assert _error(latents, codes, fitted, weights) <= (1 + 1e-5) * _error(
        latents, codes, books, weights
    )
    for level in range(levels):
        unused = sorted(set(range(entries)) - set(codes[:, level].tolist()))
        assert torch.equal(fitted[level, unused], books[level, unused])


def test_filled_codebooks_are_nearer_than_by_k_means_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    latent = torch.randn(8, 6, 100, generator=torch.Generator().manual_seed(0))

    def error(fits: int) -> float:
        monkeypatch.setattr("distill.models.vqvae.quantizer._JOINT_FITS", fits)
        torch.manual_seed(0)
        filled = QuantizerWrapper(dim=6, levels=3, codebook_size=16)
        filled.initialise(latent)
        return float((filled.eval()(latent).quantized - latent).square().mean())

    assert error(fits=3) < error(fits=0)
