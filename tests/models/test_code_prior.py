"""The parts of a prior: what it sees, what counting knows, how codes are drawn, what is shared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from distill.config import PriorConfig
from distill.errors import ConfigError
from distill.models.prior.copying import longest_shared_run
from distill.models.prior.counts import CodeCounts
from distill.models.prior.drawing import Drawing
from distill.models.prior.model import NOTHING, CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.stream import CodeStream
from distill.models.prior.usual import UsualRuns, usual_runs

calm = settings(deadline=None, max_examples=50)
SMALL = PriorConfig(levels=3, codebook_size=16, code_dim=4, width=8, dropout=0.0)
grids = st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=1, max_size=14)


@pytest.fixture
def prior() -> CodePrior:
    torch.manual_seed(0)
    made = CodePrior(SMALL).eval()
    made.use_codebooks(torch.randn(3, 16, 4))
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return made


def window(steps: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 16, (1, 1 + steps, 3), generator=generator)
    codes[:, 0] = NOTHING
    return codes


@pytest.mark.parametrize(("step", "level"), [(4, 0), (4, 2), (9, 1)])
def test_nothing_is_known_of_what_comes_later(prior: CodePrior, step: int, level: int) -> None:
    codes = window(9)
    other = codes.clone()
    other[0, step, level] = (codes[0, step, level] + 1) % 16
    with torch.no_grad():
        (one, one_ends), (two, two_ends) = prior(codes), prior(other)
    for own, (before, after) in enumerate(zip(one, two, strict=True)):
        changes = [bool(x) for x in (before != after).any(dim=-1)[0]]
        first = step - 1 + (own <= level)  # the same step for the levels above, else the next
        assert not any(changes[:first]) and (all(changes[first : first + 1]))
    assert torch.equal(one_ends[:, :step], two_ends[:, :step])


def test_step_by_step_it_says_what_it_says_of_the_whole(prior: CodePrior) -> None:
    codes = window(6)
    with torch.no_grad():
        logits, ends = prior.double()(codes)
        stream = CodeStream(prior, Drawing(), seed=0)
        for step, column in enumerate(codes[0, 1:].tolist()):
            own, vectors = stream._prior, stream._prior.vectors(torch.tensor(column))
            assert torch.allclose(own.ends(stream._seen)[0], ends[0, step])
            for level, head in enumerate(own.heads):
                said = head(stream._seen, vectors[:level], own.entries[level])
                assert torch.allclose(said, logits[level][0, step])
            stream.take(column)


def test_what_follows_costs_what_the_whole_says_and_the_stream_stays(prior: CodePrior) -> None:
    codes = window(7)
    with torch.no_grad():
        logits, ends = prior.double()(codes)
    stream = CodeStream(prior, Drawing(), seed=0)
    for column in codes[0, 1:5].tolist():
        stream.take(column)
    expected = 0.0
    for step in (4, 5, 6):
        expected -= math.log2(1 - float(torch.sigmoid(ends[0, step])))
        for level in range(3):
            chance = logits[level][0, step].softmax(-1)[codes[0, step + 1, level]]
            expected -= math.log2(float(chance))
    assert stream.bits_of(codes[0, 5:]) == pytest.approx(expected)
    assert stream.bits_of(codes[0, 5:6]) < stream.bits_of(codes[0, 5:])
    branch, other = stream.branch(), stream.branch()
    assert branch.next() != other.next()  # one source of chance
    assert stream.bits_of(codes[0, 5:]) == pytest.approx(expected)


def test_where_no_sound_may_end_none_does(prior: CodePrior) -> None:
    with torch.no_grad():
        prior.ends.bias.fill_(100.0)
    ended, whole = (CodeStream(prior, Drawing(), 0) for _ in range(2))
    for _ in range(9):
        ended.next(), whole.next(may_end=False)
    assert (ended._steps, whole._steps) == (1, 9)  # of the sound that they are in


def test_the_same_seed_draws_the_same_and_given_levels_stay(prior: CodePrior) -> None:
    def drawn(seed: int) -> list[tuple[int, ...]]:
        stream = CodeStream(prior, Drawing(), seed)
        return [stream.next() for _ in range(30)]

    assert drawn(1) == drawn(1) != drawn(2)
    stream = CodeStream(prior, Drawing(), 0)
    assert [stream.next((5,))[0] for _ in range(10)] == [5] * 10
    assert next(prior.parameters()).dtype == torch.float32  # a copy computes


# --- counts ----------------------------------------------------------------------------------


def naive_bits(known: Sequence[Sequence[int]], column: Sequence[int]) -> tuple[float, float]:
    singles = Counter(code for sound in known for code in sound)
    pairs = Counter(pair for sound in known for pair in pairwise(sound))
    total = sum(singles.values())

    def single(code: int) -> float:
        return (singles[code] + 0.5) / (total + 0.5 * 4)

    alone = paired = -math.log2(single(column[0]))
    for before, after in pairwise(column):
        count = sum(n for pair, n in pairs.items() if pair[0] == before)
        kinds = len([pair for pair in pairs if pair[0] == before])
        backed = (pairs[before, after] + kinds * single(after)) / (count + kinds) if count else 0.0
        alone -= math.log2(single(after))
        paired -= math.log2(backed or single(after))
    return alone, paired


@calm
@given(known=st.lists(grids, min_size=1, max_size=3), judged=grids)
def test_counting_is_what_a_naive_count_is(
    known: list[list[list[int]]], judged: list[list[int]]
) -> None:
    counts = CodeCounts.of([torch.tensor(sound) for sound in known], 2, 4)
    alone, paired = counts.bits(torch.tensor(judged))
    for level in range(2):
        expected = naive_bits(
            [[step[level] for step in sound] for sound in known], [step[level] for step in judged]
        )
        assert (float(alone[level]), float(paired[level])) == pytest.approx(expected)


# --- drawing ---------------------------------------------------------------------------------


def test_how_boldly_codes_are_drawn() -> None:
    logits = torch.tensor([0.0, 3.0, 2.0, -1.0], dtype=torch.float64)
    assert {Drawing(0).draw(logits, x / 10) for x in range(10)} == {1}
    assert {Drawing(top_k=2).draw(logits, x / 100) for x in range(100)} == {1, 2}
    assert {Drawing(top_p=0.6).draw(logits, x / 100) for x in range(100)} == {1}
    assert {Drawing(1000).draw(logits, x / 100) for x in range(100)} == {0, 1, 2, 3}
    assert Drawing(0).happens(0.1, 0.99) and not Drawing(0).happens(-0.1, 0.0)
    assert Drawing().happens(1e9, 0.99) and not Drawing().happens(-1e9, 1e-9)


@calm
@given(
    logits=st.lists(st.floats(-50, 50), min_size=1, max_size=9),
    chance=st.floats(0, 1, exclude_max=True),
    top_k=st.none() | st.integers(1, 20),
    top_p=st.none() | st.floats(1e-9, 1),
    temperature=st.floats(0, 1000),
)
def test_what_is_drawn_is_always_a_code(
    logits: list[float], chance: float, top_k: int | None, top_p: float | None, temperature: float
) -> None:
    drawing = Drawing(temperature, top_k, top_p)
    values = torch.tensor(logits, dtype=torch.float64)
    assert 0 <= drawing.draw(values, chance) < len(logits)


def test_shares_are_those_of_the_logits() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    drawn = Counter(Drawing().draw(logits, (x + 0.5) / 1000) for x in range(1000))
    assert [drawn[code] for code in range(3)] == [500, 300, 200]


@pytest.mark.parametrize("temperature", [5e-324, 1e-308, 1e-12, 1e-6, 1e-3])
def test_next_to_0_the_likeliest_is_taken(temperature: float) -> None:
    logits = torch.tensor([-400.0, 300.0, 299.0, -1e5], dtype=torch.float64)
    for drawing in (Drawing(temperature), Drawing(temperature, 3), Drawing(temperature, None, 0.9)):
        assert {drawing.draw(logits, chance) for chance in (0.0, 0.5, 0.999999)} == {1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-0.1,), "^temperature=-0.1: expected a number from 0 to 1000$"),
        ((float("nan"),), "^temperature=nan: expected a number from 0 to 1000$"),
        (("hot",), "^temperature='hot': expected a number from 0 to 1000$"),
        ((1.0, 0), "^top_k=0: expected a whole number from 1 to 65536$"),
        ((1.0, None, 0.0), "^top_p=0: expected above 0; temperature=0 takes the likeliest$"),
        ((1.0, None, 1.5), "^top_p=1.5: expected a number from 0 to 1$"),
    ],
)
def test_settings_out_of_range_are_refused(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Drawing(*values)  # type: ignore[arg-type]


# --- copying ---------------------------------------------------------------------------------


def without_held(columns: list[list[int]]) -> list[list[int]]:
    """Without the steps that are equal to the four before them."""
    return [
        column
        for at, column in enumerate(columns)
        if at < 4 or any(columns[at - n] != column for n in range(1, 5))
    ]


def naive_run(ours: list[list[int]], theirs: list[list[list[int]]]) -> int:
    if any(ours == [grid[0]] * len(ours) and grid == [grid[0]] * len(grid) for grid in theirs):
        return len(ours)  # both are one held step from end to end
    ours, theirs = without_held(ours), [without_held(grid) for grid in theirs]
    best = 0
    for grid in theirs:
        for i in range(len(ours)):
            for j in range(len(grid)):
                n = 0
                while i + n < len(ours) and j + n < len(grid) and ours[i + n] == grid[j + n]:
                    n += 1
                best = max(best, n)
    return best


few = st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), min_size=1, max_size=20)


@calm
@given(ours=few, theirs=st.lists(few, min_size=1, max_size=3))
def test_the_longest_run_is_what_a_naive_search_finds(
    ours: list[list[int]], theirs: list[list[list[int]]]
) -> None:
    sounds = [CodedSound(f"{n}.wav", (torch.tensor(grid),)) for n, grid in enumerate(theirs)]
    run = longest_shared_run(torch.tensor(ours), sounds, 0.5, levels=2)
    assert run.steps == naive_run(ours, theirs)
    if run.steps:
        here, there = int(run.begins_s / 0.5), int(run.recording_s / 0.5)
        grid = theirs[int(run.recording.removesuffix(".wav"))]
        assert ours[here] == grid[there]


def test_a_copy_with_a_pause_of_another_length_is_found_whole() -> None:
    codes = torch.randint(0, 99, (40, 3), generator=torch.Generator().manual_seed(1))
    ours, theirs = (
        torch.cat([codes[:20], codes[19:20].expand(pause, 3), codes[20:]]) for pause in (60, 9)
    )
    for levels in (1, 3):
        run = longest_shared_run(ours, [CodedSound("a.wav", (theirs,))], 0.02, levels=levels)
        assert (run.steps, run.is_copy) == (43, True)  # a hold counts for four of its steps


def test_a_hold_from_end_to_end_is_a_copy_of_the_same_hold_alone() -> None:
    hold = torch.tensor([[5, 6, 7]]).expand(400, 3)
    run = longest_shared_run(hold, [CodedSound("hum.wav", (hold[:300],))], 0.02, levels=3)
    assert (run.steps, run.recording, run.is_copy) == (400, "hum.wav", True)
    hum = torch.cat([hold, torch.tensor([[5, 6, 8]])])
    for other in (hold + 1, hum):
        run = longest_shared_run(hold, [CodedSound("a.wav", (other,))], 0.02, levels=3)
        assert run.steps <= 4


def test_a_copy_of_a_changed_copy_is_named_with_what_was_changed() -> None:
    codes = torch.randint(0, 99, (60, 3), generator=torch.Generator().manual_seed(1))
    sound = CodedSound("kick.wav", (codes[:30], codes[:35], codes[20:]))
    run = longest_shared_run(codes[40:], [sound], 0.02, levels=3)
    assert (run.steps, run.recording, run.changed) == (20, "kick.wav", "at 1.09 of its speed")
    assert run.recording_s == pytest.approx(20 * 0.02 / (23 / 25)) and run.begins_s == 0.0
    assert run.is_copy
    assert str(run) == (
        "a copy: levels 1 to 3 of 0.40 s from 0.00 s on stands in kick.wav at 0.43 s, at 1.09 of "
        "its speed"
    )
    usual = longest_shared_run(codes[40:], [sound], 0.02, usual_s=0.5)
    assert not usual.is_copy and "; 9 in 10 held-out recordings share up to 0.50 s" in str(usual)


def test_silence_in_both_is_no_copy() -> None:
    silence = torch.zeros(500, 2, dtype=torch.int64)
    assert longest_shared_run(silence, [CodedSound("a.wav", (silence,))], 0.02).steps == 4


def test_one_held_out_double_makes_no_copy_usual() -> None:
    generator = torch.Generator().manual_seed(1)
    learned = [torch.randint(0, 99, (60, 3), generator=generator) for _ in range(3)]
    others = [torch.randint(0, 99, (40, 3), generator=generator) for _ in range(9)]
    others[4][:5] = learned[1][7:12]
    others[5][:3] = learned[1][7:10]
    sounds = tuple(CodedSound(f"{n}.wav", (grid,)) for n, grid in enumerate(learned))
    usual = usual_runs((*others, learned[0][9:50]), sounds, 0.02)
    assert usual.seconds == pytest.approx((0.1, 0.1)) and usual.length_s == pytest.approx(0.802)
    assert usual_runs((others[4],), sounds, 0.02).seconds == pytest.approx((0.1, 0.1))
    nothing = usual_runs((), sounds, 0.02)
    assert nothing == usual_runs((others[4],), sounds[:1], 0.02) == UsualRuns()


@pytest.mark.parametrize("entries", [4, 16])
def test_a_longer_sound_shares_a_longer_run_by_chance(entries: int) -> None:
    generator = torch.Generator().manual_seed(1)

    def sounds(count: int, steps: int) -> list[Tensor]:
        return [torch.randint(0, entries, (steps, 1), generator=generator) for _ in range(count)]

    learned = tuple(CodedSound(f"{n}.wav", (grid,)) for n, grid in enumerate(sounds(8, 400)))
    usual = usual_runs(tuple(sounds(20, 100)), learned, 1.0)
    per_doubling = 1 / math.log2(entries)  # a run goes on by chance once in so many entries
    assert usual.doubling_s == pytest.approx((per_doubling, per_doubling), rel=0.1)
    expected = usual.seconds[0] + 6 * usual.doubling_s[0]
    assert usual.of_length(6400.0)[0] == pytest.approx(expected)
    found = sorted(longest_shared_run(grid, learned, 1.0).seconds for grid in sounds(9, 6400))
    assert abs(found[4] - expected) <= 1
    assert usual.of_length(50.0) == usual.of_length(100.0) == usual.seconds
    assert UsualRuns((0.2, 0.1)).of_length(1e6) == (0.2, 0.1)  # as earlier versions knew it


def test_the_silence_that_two_sounds_end_with_is_no_copy() -> None:
    codes = torch.randint(0, 99, (80, 3), generator=torch.Generator().manual_seed(1))
    silence = torch.tensor([[1, 2, 3]]).expand(30, 3)
    one, two = (torch.cat([part, codes[:1], silence]) for part in (codes[:40], codes[40:]))
    run = longest_shared_run(one, [CodedSound("a.wav", (two,))], 0.02, levels=3)
    assert (run.steps, run.is_copy) == (5, False)


def test_nothing_shared_is_said() -> None:
    run = longest_shared_run(torch.ones(3, 2), [CodedSound("a.wav", (torch.zeros(3, 2),))], 0.02)
    assert (run.steps, run.is_copy) == (0, False)
    assert str(run) == "no copy: nothing of level 1 stands in your recordings"
