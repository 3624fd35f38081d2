from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch.distributions import Normal, kl_divergence

from distill.errors import ShapeError
from distill.models import annealed, multi_resolution_l1, vae_loss, vqvae_loss


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


def test_divergence_is_weighted_once_and_summed_over_dimensions() -> None:
    mel, random = torch.randn(3, 16, 8), torch.Generator().manual_seed(0)
    mean, log_variance = (torch.randn(3, 5, 4, generator=random) for _ in range(2))
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    total, distance, penalty = vae_loss(mel, mel, mean, log_variance, kl_weight=0.5)
    assert float(distance) == 0.0
    assert float(penalty) == float(total)
    assert float(penalty) == pytest.approx(0.5 * float(expected.mean(dim=(0, 2)).sum()), rel=1e-5)


def test_free_bits_cost_the_same_but_pull_no_more() -> None:
    mel = torch.randn(2, 16, 8)
    mean = torch.tensor([0.1, 2.0])[:, None].expand(2, 2, 4).clone().requires_grad_()
    _, _, penalty = vae_loss(mel, mel, mean, torch.zeros(2, 2, 4), kl_weight=1, free_bits=0.5)
    assert float(penalty.detach()) == pytest.approx(0.5 + 2.0)  # 0.005 nats are free; 2 are not
    penalty.backward()
    assert mean.grad is not None
    assert float(mean.grad[:, 0].abs().max()) == 0
    assert float(mean.grad[:, 1].abs().min()) > 0


@given(
    weight=st.floats(0, 10), progress=st.floats(0, 1), more=st.floats(0, 1), warmup=st.floats(0, 1)
)
def test_the_weight_grows_to_its_full_value_and_stays(
    weight: float, progress: float, more: float, warmup: float
) -> None:
    now, later = (annealed(weight, place, warmup) for place in (progress, max(progress, more)))
    assert 0 <= now <= later <= weight
    if progress >= warmup:
        assert now == weight


def test_half_way_through_the_warm_up_half_the_weight_counts() -> None:
    assert annealed(4.0, 0.1, 0.2) == pytest.approx(2.0)
    assert annealed(4.0, 0.0, 0.2) == 0.0
    assert annealed(4.0, 0.0, 0.0) == 4.0
