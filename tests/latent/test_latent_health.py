from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from distill.errors import ShapeError
from distill.latent import LatentHealth, latent_health, latent_sums, no_latent_sums
from distill.latent.gaussian import divergence


def gaussians(seed: int, batch: int, dims: int, steps: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    scale = torch.linspace(0, 2, dims)[:, None]
    mean = torch.randn(batch, dims, steps, generator=random) * scale + scale
    return mean, torch.randn(batch, dims, steps, generator=random)


shapes = {
    "seed": st.integers(0, 10_000),
    "batch": st.integers(1, 5),
    "dims": st.integers(1, 6),
    "steps": st.integers(1, 9),
}


@settings(max_examples=40, deadline=None)
@given(**shapes)
def test_the_divergence_is_that_of_torch_distributions(**shape: int) -> None:
    mean, log_variance = gaussians(**shape)
    one, prior = Normal(mean.double(), (log_variance.double() / 2).exp()), Normal(0.0, 1.0)
    expected = kl_divergence(one, prior)
    torch.testing.assert_close(
        divergence(mean, log_variance).double(), expected, atol=1e-5, rtol=1e-5
    )
    assert (divergence(mean, log_variance) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(**shapes)
def test_health_is_that_of_a_naive_loop(**shape: int) -> None:
    mean, log_variance = gaussians(**shape)
    means, variances = mean.double().numpy(), log_variance.double().exp().numpy()
    active, kl = 0, []
    for unit in range(shape["dims"]):
        column, spread = means[:, unit].ravel(), variances[:, unit].ravel()
        active += column.var() > 0.01
        pairs = zip(column, spread, strict=True)
        kl.append(np.mean([(m * m + v - 1 - np.log(v)) / 2 for m, v in pairs]))
    health = latent_health(latent_sums(mean, log_variance))
    assert (health.units, health.active_units) == (shape["dims"], active)
    assert health.kl == pytest.approx(kl, rel=1e-4, abs=1e-5)
    assert health.total_kl == pytest.approx(sum(kl), rel=1e-4, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(**shapes, at=st.integers(0, 5))
def test_sums_of_parts_are_those_of_the_whole(at: int, **shape: int) -> None:
    mean, log_variance = gaussians(**shape)
    total = no_latent_sums(shape["dims"])
    for part in (slice(0, at), slice(at, None)):
        if len(mean[part]):
            sums = latent_sums(mean[part], log_variance[part])
            total = {name: value + sums[name].double() for name, value in total.items()}
    whole = latent_sums(mean, log_variance)
    assert set(total) == set(whole)
    for name, value in whole.items():
        torch.testing.assert_close(total[name].float(), value)


@pytest.mark.parametrize(
    ("active", "verdict"),
    [(10, "healthy"), (3, "healthy"), (2, "thin"), (1, "thin"), (0, "collapsing")],
)
def test_the_verdict_follows_the_share_of_active_units(active: int, verdict: str) -> None:
    mean = torch.zeros(4, 10, 50)
    mean[:, :active] = torch.randn(4, active, 50)
    health = latent_health(latent_sums(mean, torch.zeros_like(mean)))
    assert (health.active_units, health.verdict) == (active, verdict)
    expected = (
        f"{active} of 10 latent units say anything about the sound: a lower kl_weight or more "
        "free_bits wakes the others, a smaller latent_dim would lose nothing"
    )
    assert health.advice == ("" if verdict == "healthy" else expected)


def test_a_single_unit_is_healthy_or_collapsed() -> None:
    assert LatentHealth(1, 1, (1.0,), 1.0).verdict == "healthy"
    assert LatentHealth(1, 0, (0.0,), 0.0).verdict == "collapsing"


def test_a_mean_that_does_not_vary_says_nothing_however_far_it_is() -> None:
    mean = torch.full((2, 1, 30), 5.0)
    health = latent_health(latent_sums(mean, torch.zeros_like(mean)))
    assert health.active_units == 0 and health.total_kl == pytest.approx(12.5)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5)])
def test_shapes_that_do_not_match_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^mean \(.*\) and log_variance \(.*\): expected two of"):
        latent_sums(torch.zeros(shape), torch.zeros(2, 3, 4))


def test_health_of_nothing_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"^sums .* over 0 positions: expected \(dims,\) each$"):
        latent_health(no_latent_sums(4))
