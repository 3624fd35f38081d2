from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from distill.models.vae.statistics import LatentStatistics

DIMS = 3


def wandering(sequences: int, steps: int, seed: int = 0) -> Tensor:
    """A process whose moments are known: it keeps 0.9, 0.5 and nothing of the step before."""
    random = torch.Generator().manual_seed(seed)
    keep = torch.tensor([0.9, 0.5, 0.0])
    mix = torch.tensor([[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 2.0]])
    state = torch.randn(sequences, DIMS, generator=random)
    states = []
    for _ in range(steps):
        noise = torch.randn(sequences, DIMS, generator=random)
        state = keep * state + (1 - keep**2).sqrt() * noise
        states.append(state @ mix.T)
    return torch.stack(states, dim=-1) + torch.tensor([1.0, -2.0, 0.0])[:, None]


def learned(batches: int = 60) -> LatentStatistics:
    statistics = LatentStatistics(DIMS)
    for seed in range(batches):
        statistics.update(wandering(16, 40, seed))
    return statistics


def lag_one(latent: Tensor) -> np.ndarray:
    centred = (latent - latent.mean(dim=(0, 2), keepdim=True)).double().numpy()
    pairs = [(row[:, t + 1], row[:, t]) for row in centred for t in range(row.shape[1] - 1)]
    return np.mean([np.outer(after, before) for after, before in pairs], axis=0)


def test_the_averages_of_the_first_hundred_batches_are_plain_means() -> None:
    batches = [wandering(4, 10, seed) for seed in range(5)]
    statistics = LatentStatistics(DIMS)
    for batch in batches:
        statistics.update(batch)
    columns = torch.cat(batches).permute(0, 2, 1).reshape(-1, DIMS).double().numpy()
    assert statistics.first.numpy() == pytest.approx(columns.mean(axis=0), abs=1e-5)
    expected = np.cov(columns.T, bias=True)
    assert statistics.covariance.numpy() == pytest.approx(expected, abs=1e-4)
    assert int(statistics.batches) == 5


def test_new_latents_vary_and_follow_one_another_as_those_learned_from() -> None:
    new = learned().sample(400, 60, torch.Generator().manual_seed(7))
    real = wandering(400, 60, seed=99)
    assert new.shape == real.shape
    assert new.mean(dim=(0, 2)).numpy() == pytest.approx(real.mean(dim=(0, 2)).numpy(), abs=0.15)
    for moments in (lambda x: np.cov(x.permute(1, 0, 2).reshape(DIMS, -1)), lag_one):
        assert moments(new) == pytest.approx(moments(real), abs=0.25)


def test_before_anything_is_learned_they_are_the_prior() -> None:
    new = LatentStatistics(DIMS).sample(500, 20, torch.Generator().manual_seed(0))
    assert np.cov(new.permute(1, 0, 2).reshape(DIMS, -1)) == pytest.approx(np.eye(DIMS), abs=0.05)
    assert np.abs(lag_one(new)).max() < 0.05


def test_a_seed_gives_the_same_latents_again() -> None:
    statistics = learned(5)
    one, other, third = (
        statistics.sample(2, 9, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, other) and not torch.equal(one, third)


def test_a_batch_that_is_not_finite_changes_nothing() -> None:
    statistics = learned(3)
    before = {name: value.clone() for name, value in statistics.state_dict().items()}
    for bad in (float("nan"), float("inf")):
        batch = wandering(2, 5)
        batch[1, 2, 3] = bad
        statistics.update(batch)
    for name, value in statistics.state_dict().items():
        assert torch.equal(value, before[name])


def test_single_steps_do_not_follow_one_another() -> None:
    statistics = LatentStatistics(DIMS)
    for seed in range(200):
        statistics.update(wandering(64, 1, seed))
    assert torch.isfinite(statistics.sample(3, 50, torch.Generator().manual_seed(0))).all()


@pytest.mark.parametrize("lagged", [5.0, -5.0, 1.0])
def test_what_would_grow_for_ever_is_held(lagged: float) -> None:
    statistics = LatentStatistics(DIMS)
    statistics.lagged.copy_(torch.eye(DIMS) * lagged)
    new = statistics.sample(20, 2000, torch.Generator().manual_seed(0))
    assert float(new.abs().max()) < 20


def test_a_unit_that_never_moves_stays_where_it_is() -> None:
    statistics = LatentStatistics(2)
    for seed in range(3):
        batch = wandering(4, 20, seed)[:, :2]
        batch[:, 1] = 0.25
        statistics.update(batch)
    new = statistics.sample(5, 30, torch.Generator().manual_seed(0))
    assert new[:, 1].numpy() == pytest.approx(0.25, abs=1e-2)
