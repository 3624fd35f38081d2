from __future__ import annotations

import numpy as np
import pytest
import torch

from distill.errors import ShapeError
from distill.models import multi_resolution_l1, vqvae_loss


def naive(reconstruction: np.ndarray, target: np.ndarray) -> float:
    error = reconstruction - target
    total = np.abs(error).mean()
    for size in (2, 4):
        bands, frames = (length // size for length in error.shape[1:])
        cut = error[:, : bands * size, : frames * size]
        pooled = cut.reshape(len(cut), bands, size, frames, size).mean(axis=(2, 4))
        total += 0.5 * np.abs(pooled).mean()
    return float(total)


@pytest.mark.parametrize("frames", [24, 23, 5])
def test_equals_a_naive_loop(frames: int) -> None:
    random = torch.Generator().manual_seed(0)
    one, other = (torch.randn(3, 16, frames, generator=random) for _ in range(2))
    expected = naive(one.numpy(), other.numpy())
    assert float(multi_resolution_l1(one, other)) == pytest.approx(expected, rel=1e-5)


def test_a_single_frame_is_judged_at_full_resolution_only() -> None:
    one, other = torch.zeros(1, 16, 1), torch.ones(1, 16, 1)
    assert float(multi_resolution_l1(one, other)) == 1.0


def test_commitment_is_weighted_once() -> None:
    mel = torch.randn(1, 16, 8)
    total, distance, penalty = vqvae_loss(mel, mel, torch.tensor([1.0, 3.0]), commitment_weight=0.5)
    assert (float(total), float(distance), float(penalty)) == (2.0, 0.0, 2.0)


def test_shapes_must_match() -> None:
    with pytest.raises(ShapeError, match=r"reconstruction \(1, 16, 8\) and target \(1, 16, 9\)"):
        multi_resolution_l1(torch.zeros(1, 16, 8), torch.zeros(1, 16, 9))
