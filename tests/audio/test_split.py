from __future__ import annotations

import hashlib
import random

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

from distill.audio.split import split_by_content
from distill.errors import CorpusError

calm = settings(deadline=None)  # a busy machine is no failure

Lengths = dict[str, int]
FRACTION = 0.25


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _draw(digest: str) -> float:
    return int(digest, 16) / float(16 ** len(digest))


def _validation(lengths: Lengths, fraction: float = FRACTION) -> set[str]:
    digests = list(lengths)
    waveforms = [torch.zeros(lengths[digest]) for digest in digests]
    split = split_by_content(waveforms, digests, fraction)
    return {digests[index] for index in split.validation_files}


corpora = st.dictionaries(
    st.integers(0, 10**6).map(_digest), st.integers(1, 50), min_size=2, max_size=30
)


@calm
@given(lengths=corpora, fraction=st.floats(0.0, 0.5))
def test_every_file_is_on_one_side_and_neither_is_empty(lengths: Lengths, fraction: float) -> None:
    digests = list(lengths)
    waveforms = [torch.full((lengths[d],), float(i)) for i, d in enumerate(digests)]
    split = split_by_content(waveforms, digests, fraction)
    sides = [[int(w[0]) for w in side] for side in (split.training, split.validation)]
    assert sides[1] == list(split.validation_files)
    assert sorted(sides[0] + sides[1]) == list(range(len(digests)))
    assert sides[0] == sorted(sides[0])
    assert 0 < sum(map(len, split.validation)) <= sum(map(len, split.training))


@calm
@given(lengths=corpora, order=st.randoms(use_true_random=False))
def test_order_decides_nothing(lengths: Lengths, order: random.Random) -> None:
    shuffled = list(lengths.items())
    order.shuffle(shuffled)
    assert _validation(dict(shuffled)) == _validation(lengths)


@calm
@given(before=corpora, added=corpora)
def test_adding_files_moves_none_away_from_the_edges(before: Lengths, added: Lengths) -> None:
    before = dict.fromkeys(before, 10)
    after = {**before, **dict.fromkeys(added, 10)}
    for lengths in (before, after):
        assume(0 < sum(_draw(digest) < FRACTION for digest in lengths) <= len(lengths) // 2)
    assert _validation(after) & before.keys() == _validation(before)


@calm
@given(lengths=corpora)
def test_a_digest_below_the_fraction_is_judged_by(lengths: Lengths) -> None:
    lengths = dict.fromkeys(lengths, 10)
    expected = {digest for digest in lengths if _draw(digest) < FRACTION}
    assume(0 < len(expected) <= len(lengths) // 2)
    assert _validation(lengths) == expected


def test_about_the_fraction_is_chosen_of_many() -> None:
    chosen = _validation({_digest(number): 10 for number in range(4000)}, 0.1)
    assert 0.08 < len(chosen) / 4000 < 0.12


def test_with_no_low_digest_the_lowest_is_judged_by() -> None:
    lengths = {"c" * 64: 10, "b" * 64: 10, "d" * 64: 10}
    assert _validation(lengths) == {"b" * 64}


def test_a_sound_longer_than_all_others_together_trains() -> None:
    lengths = {"0" * 64: 100, "f" * 64: 10, "e" * 64: 10}
    assert _validation(lengths) == {"e" * 64}


def test_a_lone_file_is_cut_in_time() -> None:
    waveform = torch.arange(100)
    split = split_by_content([waveform], ["a" * 64], 0.2, minimum_samples=20)
    assert torch.equal(split.training[0], waveform[:80])
    assert torch.equal(split.validation[0], waveform[80:])
    assert split.validation_files == (0,)


@pytest.mark.parametrize(("fraction", "minimum"), [(0.2, 21), (0.0, 1)])
def test_a_lone_file_too_short_to_cut_is_used_on_both_sides(fraction: float, minimum: int) -> None:
    waveform = torch.arange(100)
    split = split_by_content([waveform], ["a" * 64], fraction, minimum_samples=minimum)
    assert split.training[0] is split.validation[0] is waveform


def test_nothing_cannot_be_split() -> None:
    with pytest.raises(CorpusError, match=r"^nothing to split: the corpus holds no sound$"):
        split_by_content([], [], 0.1)
