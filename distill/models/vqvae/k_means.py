"""Entries for latents of which some count for more than others, level by level."""

from __future__ import annotations

import torch
from torch import Tensor

from distill.models.vqvae.search import search

_ROUNDS = 10


def k_means(points: Tensor, weights: Tensor, entries: int) -> Tensor:
    """Entries near to points, by Lloyd's rounds from distinct points that chance takes by weight.

    Args:
        points: (position, dim).
        weights: (position,), more than 0.
        entries: how many.

    Returns:
        (entry, dim); where there are fewer distinct points than entries, some are the same.
    """
    distinct, which = torch.unique(points, dim=0, return_inverse=True)  # silence is all the same
    chances = torch.zeros_like(distinct[:, 0]).index_add_(0, which, weights)
    first = torch.multinomial(chances, entries, replacement=len(distinct) < entries)
    book = distinct[first]
    for _ in range(_ROUNDS):
        codes = search(book[None], points, beam=1)[:, 0]
        book = weighted_means(points, weights, codes, book)
    return book


def weighted_means(points: Tensor, weights: Tensor, codes: Tensor, book: Tensor) -> Tensor:
    """Means of the points of each entry, (entry, dim); entries that no point has are as they were.

    Args:
        points: (position, dim).
        weights: (position,).
        codes: (position,) int64, the entry of each.
        book: (entry, dim), as they were.
    """
    counts = torch.zeros_like(book[:, 0]).index_add_(0, codes, weights)
    sums = torch.zeros_like(book).index_add_(0, codes, points * weights[:, None])
    used = counts > 0
    return torch.where(used[:, None], sums / counts.where(used, 1.0)[:, None], book)
