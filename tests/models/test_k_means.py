"""Entries for latents that count for more or less."""

from __future__ import annotations

import torch
from hypothesis import given, strategies as st

from distill.models.vqvae.k_means import k_means, weighted_means


def _drawn(positions: int, entries: int, seed: int) -> tuple[torch.Tensor, ...]:
    chance = torch.Generator().manual_seed(seed)
    points = torch.randn(positions, 3, generator=chance)
    weights = 0.1 + torch.rand(positions, generator=chance)
    return points, weights, torch.randn(entries, 3, generator=chance)


SIZES = {"positions": st.integers(1, 40), "entries": st.integers(1, 9), "seed": st.integers(0, 999)}


@given(**SIZES)
def test_a_whole_weight_is_as_many_points(positions: int, entries: int, seed: int) -> None:
    points, weights, book = _drawn(positions, entries, seed)
    times = (10 * weights).round()
    codes = torch.arange(positions) % entries
    repeats = times.long()
    many = weighted_means(
        points.repeat_interleave(repeats, dim=0),
        torch.ones(int(repeats.sum())),
        codes.repeat_interleave(repeats),
        book,
    )
    torch.testing.assert_close(weighted_means(points, times, codes, book), many)


@given(**SIZES)
def test_entries_end_near_points_and_none_is_lost(positions: int, entries: int, seed: int) -> None:
    points, weights, _ = _drawn(positions, entries, seed)
    torch.manual_seed(seed)
    book = k_means(points, weights, entries)
    assert book.shape == (entries, 3) and torch.isfinite(book).all()
    assert (book >= points.min(dim=0).values - 1e-5).all()
    assert (book <= points.max(dim=0).values + 1e-5).all()


def test_silence_takes_one_entry() -> None:
    sounds = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    points = torch.cat([sounds, torch.zeros(500, 3)])
    torch.manual_seed(0)
    book = k_means(points, torch.ones(len(points)), 64)
    assert len(book.unique(dim=0)) >= 60


def test_what_counts_for_more_has_the_entries() -> None:
    near, far = torch.zeros(50, 3), torch.full((50, 3), 9.0)
    near += 0.1 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    weights = torch.cat([torch.ones(50), torch.full((50,), 1e-6)])
    book = k_means(torch.cat([near, far]), weights, 8)
    assert int((book.mean(dim=1) < 1).sum()) >= 7
