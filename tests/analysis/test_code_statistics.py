"""Against naive loops and scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from distill.analysis.atlas.statistics import (
    histogram_similarity,
    neighbours,
    pair_counts,
    principal_axes,
    transition_counts,
)
from distill.errors import AtlasError

RNG = np.random.default_rng(0)


def test_pairs_are_counted_one_by_one() -> None:
    first, second = (RNG.integers(0, 7, 200).astype(np.uint16) for _ in range(2))
    expected = np.zeros((7, 7), dtype=int)
    for one, other in zip(first, second, strict=True):
        expected[one, other] += 1
    np.testing.assert_array_equal(pair_counts(first, second, 7), expected)


def test_a_large_codebook_has_pairs_beyond_two_bytes() -> None:
    codes = np.array([4000, 4000], dtype=np.uint16)
    table = pair_counts(codes, codes, 4096)
    assert table[4000, 4000] == table.sum() == 2
    with pytest.raises(AtlasError, match="pairs of 9000 entries: a table of at most 8192 × 8192"):
        pair_counts(codes, codes, 9000)


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_transitions_stay_within_files(lengths: list[int], seed: int) -> None:
    starts = np.cumsum([0, *lengths])
    codes = np.random.default_rng(seed).integers(0, 4, starts[-1]).astype(np.uint16)
    expected = np.zeros((4, 4), dtype=int)
    for begin, end in itertools.pairwise(starts):
        for place in range(begin, end - 1):
            expected[codes[place], codes[place + 1]] += 1
    found = transition_counts(codes, starts, 4)
    np.testing.assert_array_equal(found, expected)
    assert found.sum() == starts[-1] - len(lengths)


def test_files_are_alike_by_the_shares_of_their_codes() -> None:
    counts = np.zeros((3, 2, 4))
    counts[0] = [[2, 2, 0, 0], [1, 0, 0, 3]]
    counts[1] = counts[0] * 5
    counts[2] = [[0, 0, 1, 1], [0, 4, 0, 0]]
    similar = histogram_similarity(counts)
    np.testing.assert_allclose(similar, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-12)
    counts = RNG.integers(0, 5, (4, 2, 6)) + 1
    found = histogram_similarity(counts)
    for i in range(4):
        for j in range(4):
            levels = []
            for level in range(2):
                p, q = (counts[n, level] / counts[n, level].sum() for n in (i, j))
                levels.append(sum(np.sqrt(a * b) for a, b in zip(p, q, strict=True)))
            assert found[i, j] == pytest.approx(np.mean(levels))


def test_principal_axes_are_scikit_learns_up_to_the_sign() -> None:
    vectors = RNG.normal(size=(40, 6)) @ np.diag([5, 3, 1, 1, 1, 1])
    found = principal_axes(vectors.astype(np.float32))
    expected = PCA(2).fit_transform(vectors)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-4, atol=1e-4)
    farthest = np.abs(found).argmax(axis=0)
    assert (found[farthest, [0, 1]] > 0).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (5, 1), (4, 3)])
def test_few_or_equal_vectors_have_a_place_too(shape: tuple[int, int]) -> None:
    for vectors in (RNG.normal(size=shape), np.ones(shape)):
        found = principal_axes(vectors)
        assert found.shape == (shape[0], 2)
        assert np.isfinite(found).all()


def test_neighbours_are_scikit_learns() -> None:
    vectors = RNG.normal(size=(1500, 5)).astype(np.float32)  # more than one slice
    found, distances = neighbours(vectors, 4)
    expected_distances, expected = NearestNeighbors(n_neighbors=5).fit(vectors).kneighbors()
    np.testing.assert_array_equal(found, expected[:, :4])
    np.testing.assert_allclose(distances, expected_distances[:, :4], rtol=1e-4)


def test_equal_vectors_are_neighbours_at_no_distance() -> None:
    found, distances = neighbours(np.ones((3, 2), dtype=np.float32), 2)
    assert [sorted(row) for row in found.tolist()] == [[1, 2], [0, 2], [0, 1]]
    assert not distances.any()
