from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn.metrics import mutual_info_score
from torch import Tensor

from distill.codebook.health import (
    LevelHealth,
    codebook_health,
    corrected_utilization,
    count_codes,
    dead_codes,
    entropy_bits,
    perplexity,
    utilization,
    utilization_ceiling,
)
from distill.errors import ShapeError

calm = settings(deadline=None)  # a busy machine is no failure

ENTRIES = 8
counted = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=st.integers(0, 500)
)
coded = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(0, 15)),
    elements=st.integers(-1, ENTRIES - 1),
)


def _rows(counts: np.ndarray) -> Tensor:
    return torch.from_numpy(counts)


@calm
@given(codes=coded)
def test_counts_are_those_of_a_plain_loop(codes: np.ndarray) -> None:
    counts = count_codes(_rows(codes), ENTRIES)
    assert counts.dtype == torch.int64
    for level in range(codes.shape[1]):
        tally = Counter(codes[:, level].flatten().tolist())
        assert counts[level].tolist() == [tally[entry] for entry in range(ENTRIES)]


@calm
@given(codes=coded)
def test_leading_dimensions_do_not_matter(codes: np.ndarray) -> None:
    one_sound = torch.cat(list(_rows(codes)), dim=-1)
    assert torch.equal(count_codes(one_sound, ENTRIES), count_codes(_rows(codes), ENTRIES))
    nested = _rows(codes)[:, None]
    assert torch.equal(count_codes(nested, ENTRIES), count_codes(_rows(codes), ENTRIES))


def test_codes_of_one_dimension_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^indices \(5,\): expected \(\.\.\., level, step\)$"):
        count_codes(torch.zeros(5, dtype=torch.int64), ENTRIES)


def test_a_code_beyond_the_codebook_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"^index 8: expected below 8, the codebook size$"):
        count_codes(torch.tensor([[0, 8], [1, 2]]), ENTRIES)


@calm
@given(counts=counted)
def test_use_and_disuse_are_those_of_a_plain_loop(counts: np.ndarray) -> None:
    used = [sum(value > 0 for value in row) for row in counts.tolist()]
    entries = counts.shape[1]
    assert dead_codes(_rows(counts)).tolist() == [entries - number for number in used]
    assert utilization(_rows(counts)).tolist() == pytest.approx([n / entries for n in used])


@calm
@given(counts=counted)
def test_entropy_is_that_of_scipy(counts: np.ndarray) -> None:
    counts[:, 0] += 1
    bits = stats.entropy(counts, base=2, axis=1)
    np.testing.assert_allclose(entropy_bits(_rows(counts)).numpy(), bits, atol=1e-9)
    np.testing.assert_allclose(perplexity(_rows(counts)).numpy(), 2.0**bits, rtol=1e-9)


def test_entropy_is_what_codes_tell_about_themselves() -> None:
    codes = np.random.default_rng(0).integers(0, ENTRIES, (2, 200)) ** 2 % ENTRIES
    found = entropy_bits(count_codes(_rows(codes), ENTRIES))
    expected = [mutual_info_score(row, row) / np.log(2) for row in codes]
    assert found.tolist() == pytest.approx(expected)


@calm
@given(counts=counted)
def test_perplexity_lies_between_collapse_and_all_entries(counts: np.ndarray) -> None:
    found = perplexity(_rows(counts))
    assert (found >= 1 - 1e-9).all()
    assert (found <= counts.shape[1] + 1e-9).all()


def test_perplexity_of_collapse_is_1_and_of_even_use_all() -> None:
    counts = torch.tensor([[9, 0, 0, 0], [3, 3, 3, 3], [0, 5, 0, 5], [0, 0, 0, 0]])
    assert perplexity(counts).tolist() == pytest.approx([1.0, 4.0, 2.0, 1.0])


@pytest.mark.parametrize(("samples", "entries"), [(1, 4), (3, 3), (5, 2), (0, 3), (4, 1)])
def test_the_ceiling_is_the_mean_over_all_possible_codes(samples: int, entries: int) -> None:
    codes = itertools.product(range(entries), repeat=samples)
    expected = np.mean([len(set(code)) / entries for code in codes])
    found = utilization_ceiling(torch.tensor([samples]), entries)
    assert found.tolist() == pytest.approx([expected])


@calm
@given(counts=counted)
def test_correction_only_ever_raises_and_stays_a_share(counts: np.ndarray) -> None:
    corrected = corrected_utilization(_rows(counts))
    assert (corrected >= utilization(_rows(counts)) - 1e-12).all()
    assert (corrected <= 1).all()


def test_few_codes_are_judged_by_what_few_codes_can_show() -> None:
    counts = torch.zeros(3, 100, dtype=torch.int64)
    counts[0, :10] = 1
    counts[1, :10] = 1000
    corrected = corrected_utilization(counts).tolist()
    assert corrected == pytest.approx([1.0, 0.1, 0.0])


@pytest.mark.parametrize(
    "measure", [utilization, corrected_utilization, entropy_bits, dead_codes, codebook_health]
)
@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (2, 0)])
def test_counts_of_other_shapes_are_refused(
    measure: Callable[[Tensor], object], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError, match=r"^counts \(.*\): expected \(level, entry\)$"):
        measure(torch.zeros(shape))


def test_health_gathers_every_measure() -> None:
    counts = torch.tensor([[5, 5, 0, 0], [10, 0, 0, 0]])
    assert codebook_health(counts, churn=[0.0, 1.5]) == (
        LevelHealth(0, "Structure", 4, 10, 0.5, *_corrected(0.5), 2.0, 1.0, 2, 0.0),
        LevelHealth(1, "Detail", 4, 10, 0.25, *_corrected(0.25), 1.0, 0.0, 3, 1.5),
    )
    assert [level.churn for level in codebook_health(counts)] == [0.0, 0.0]


def _corrected(used: float) -> tuple[Any]:
    return (pytest.approx(used / (1 - 0.75**10)),)


@pytest.mark.parametrize(
    ("used", "verdict"),
    [(100, "healthy"), (30, "healthy"), (29, "thin"), (10, "thin"), (9, "collapsing")],
)
def test_the_verdict_follows_the_share_in_use(used: int, verdict: str) -> None:
    counts = torch.zeros(2, 100, dtype=torch.int64)
    counts[:, :used] = 10_000
    level = codebook_health(counts)[1]
    assert level.verdict == verdict
    expected = (
        f"level 2 (Detail) uses {used}% of its entries: "
        "fewer levels or a smaller codebook would lose nothing"
    )
    assert level.advice == ("" if verdict == "healthy" else expected)
