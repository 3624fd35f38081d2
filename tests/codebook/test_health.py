from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn.metrics import mutual_info_score
from torch import Tensor

from distill.codebook.counts import (
    corrected_utilization,
    count_codes,
    dead_codes,
    entropy_bits,
    perplexity,
    utilization,
    utilization_ceiling,
)
from distill.codebook.health import LevelHealth, codebook_health, health_of_both
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


@calm
@given(counts=counted)
def test_entropy_by_bits_is_that_of_scipy_and_a_share(counts: np.ndarray) -> None:
    counts[:, 0] += 1
    entries = counts.shape[1]
    for row, level in zip(counts, codebook_health(_rows(counts)), strict=True):
        expected = stats.entropy(row, base=entries) if entries > 1 else 1.0
        assert level.entropy_share == pytest.approx(expected, abs=1e-9)
        assert 0 <= level.entropy_share <= 1


@calm
@given(samples=st.integers(0, 10_000), entries=st.integers(1, 600))
def test_what_used_can_reach_is_the_ceiling_of_so_many_codes(samples: int, entries: int) -> None:
    counts = torch.zeros(1, entries, dtype=torch.int64)
    counts[0, 0] = samples
    [level] = codebook_health(counts)
    missing = math.exp(samples * math.log1p(-1 / entries)) if entries > 1 else float(not samples)
    assert level.ceiling == pytest.approx(1 - missing, abs=1e-9)
    assert level.suffices == (samples >= 5 * entries)
    if level.suffices:
        assert level.ceiling > 0.99


def test_an_entry_is_dead_only_where_the_codes_suffice() -> None:
    counts = torch.zeros(2, 64, dtype=torch.int64)
    counts[0, 7], counts[1, 7] = 3, 320
    few, many = map(_texts, codebook_health(counts))
    assert few == {
        "level": "1 Structure", "codes": "3", "used": "2%", "at most": "5%",
        "entropy": "0.0 of 6 bits, 0%", "dead": "needs 320 codes", "replaced/step": "0.00",
        "verdict": "too few codes",
    }  # fmt: skip
    assert (many["codes"], many["at most"], many["dead"]) == ("320", "99%", "63 of 64")
    assert many["verdict"] == "collapsing"


def test_what_few_codes_have_chosen_is_in_use_all_the_same() -> None:
    counts = torch.ones(1, 64, dtype=torch.int64)
    counts[0, 32:] = 0
    [level] = codebook_health(counts)
    assert not level.suffices and level.verdict == "healthy" and level.advice == ""


def _texts(level: LevelHealth) -> dict[str, str]:
    return {cell.heading: cell.text for cell in level.cells()} | {"verdict": level.verdict}


@calm
@given(validation=st.integers(0, 50), training=st.integers(0, 50))
def test_an_epoch_is_judged_by_the_larger_count_with_the_other_beside_it(
    validation: int, training: int
) -> None:
    judged, trained = torch.tensor([[validation, 0]]), torch.tensor([[training // 2] * 2])
    [level] = health_of_both(judged, trained, [0.5])
    is_more = validation > 2 * (training // 2)
    more, fewer = (judged, trained) if is_more else (trained, judged)
    assert (level.over, level.samples) == (
        "validation" if is_more else "training", int(more.sum()),
    )  # fmt: skip
    assert level.utilization == utilization(more)[0] and level.churn == 0.5
    assert level.entropy_bits == entropy_bits(more)[0]
    assert level.other_samples == int(fewer.sum())
    assert level.other_utilization == utilization(fewer)[0]
    assert level.other_entropy_bits == entropy_bits(fewer)[0]
    assert len(level.beside()) == bool(fewer.sum())


def test_both_counts_stand_in_rows_of_the_same_columns() -> None:
    training, validation = torch.full((1, 4), 10), torch.tensor([[5, 0, 0, 0]])
    [level] = health_of_both(validation, training, [0.0])
    [beside] = level.beside()
    assert _texts(level)["codes"] == "40 training" and _texts(level)["dead"] == "0 of 4"
    shown = {cell.heading: cell.text for cell in beside}
    assert list(shown) == [cell.heading for cell in level.cells()]
    assert shown == {
        "level": "", "codes": "5 validation", "used": "25%", "at most": "76%",
        "entropy": "0.0 of 2 bits, 0%", "dead": "", "replaced/step": "",
    }  # fmt: skip


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
