from __future__ import annotations

import numpy as np
import pytest
import torch

from distill import VQVAEConfig
from distill.analysis.compare.bit_rates import entropy_bps, nominal_bps
from distill.codebook import entropy_bits

RNG = np.random.default_rng(0)


def test_nominal_bits_grow_by_a_level_at_a_time() -> None:
    config = VQVAEConfig(stride=2, levels=3, codebook_size=256)
    np.testing.assert_allclose(nominal_bps(config), [375, 750, 1125])
    assert nominal_bps(config)[-1] == config.bits_per_second


def test_weighed_by_length_the_mean_is_the_entropy_of_all_codes() -> None:
    codes = [RNG.integers(0, 5, (2, length)) for length in (3, 40, 11)]
    counts = np.array([[np.bincount(row, minlength=6) for row in grid] for grid in codes])
    lengths = np.array([grid.shape[1] for grid in codes])
    found = entropy_bps(counts, lengths, 50.0)
    together = entropy_bits(torch.from_numpy(counts.sum(axis=0))).cumsum(0) * 50
    np.testing.assert_allclose(np.average(found, axis=0, weights=lengths), together)
    shares = counts.sum(axis=0) / counts.sum(axis=(0, 2))[:, None]
    for file, grid in enumerate(codes):
        spent = [np.mean([-np.log2(shares[n, code]) for code in row]) for n, row in enumerate(grid)]
        np.testing.assert_allclose(found[file], np.cumsum(spent) * 50)


def test_one_code_for_everything_costs_nothing() -> None:
    counts = np.zeros((2, 1, 4))
    counts[:, 0, 2] = 7
    assert entropy_bps(counts, np.array([7, 7]), 40.0) == pytest.approx(np.zeros((2, 1)))
