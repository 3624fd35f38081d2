"""What a prior can be told of a sound: learned from recordings, and asked for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st

from distill import PriorConfig
from distill.config.conditions import CONDITIONS
from distill.models.prior.conditions import (
    contour,
    learned_conditions,
    loudness_value,
    position_value,
    step_powers,
    with_conditions,
)
from distill.models.prior.drawing import Drawing
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.stream import CodeStream, _guided
from distill.models.prior.wanted import Wanted, wanted_of
from distill.training.tasks.code_windows import CodeWindows

SMALL = PriorConfig(
    levels=1,
    codebook_size=16,
    code_dim=4,
    width=32,
    dropout=0.0,
    conditions=CONDITIONS,
    classes=("bell", "kick"),
)


def sounds_of_codes() -> list[CodedSound]:
    """Sounds that begin with 0, end with 1, and are 2 and 3 (bell) or 4 and 5 (kick) between: the
    second of these where they are loud.
    """
    made = []
    for length, share, (kind, low, high), turned in itertools.product(
        range(6, 14), (0.0, 0.3, 0.6), (("bell", 2, 3), ("kick", 4, 5)), (False, True)
    ):
        loud = (torch.arange(length) >= share * length) != turned
        codes = torch.where(loud, high, low)
        codes[0], codes[-1] = 0, 1
        db = torch.where(loud, 0.0, -30.0)
        made.append(CodedSound(kind, (codes[:, None],), kind, db))
    return made


@pytest.fixture(scope="module")
def taught() -> CodePrior:
    """A small prior that has learned these."""
    torch.manual_seed(0)
    prior = CodePrior(SMALL)
    prior.use_codebooks(torch.randn(1, 16, 4))
    sounds = sounds_of_codes()
    windows = CodeWindows(
        [sound.codes for sound in sounds], steps=12, batch_size=32,
        conditions=learned_conditions(SMALL, sounds),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(prior.parameters(), lr=0.01)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=250)
    for _ in range(250):
        codes, told = windows.batch_with_conditions()
        logits, _ = prior(codes, told)
        target = codes[:, 1:, 0].flatten()
        F.cross_entropy(logits[0].flatten(0, 1), target, ignore_index=-1).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        slower.step()
        optimizer.zero_grad()
    return prior.eval()


def drawn(prior: CodePrior, count: int, *asked: Any) -> list[int]:
    wanted = wanted_of(SMALL, sounds_of_codes(), *asked, steps=count)
    stream = CodeStream(prior, Drawing(temperature=0.3), 1, wanted=wanted)
    return [stream.next()[0] for _ in range(count)]


def test_new_sounds_are_of_the_class_and_as_loud_as_was_asked(taught: CodePrior) -> None:
    for kind, soft, loud in (("kick", 4, 5), ("bell", 2, 3)):
        assert drawn(taught, 10, kind, -30.0)[1:-1].count(soft) >= 6
        assert drawn(taught, 10, kind, 0.0)[1:-1].count(loud) >= 6
        for levels, first in (([0.0, -30.0], loud), ([-30.0, 0.0], soft)):
            made = drawn(taught, 10, kind, levels)
            assert made[:5].count(first) > made[5:].count(first)


def test_an_end_is_expected_where_it_is_told_of(taught: CodePrior) -> None:
    sounds = sounds_of_codes()
    gains = []
    for sound, told in zip(sounds, learned_conditions(SMALL, sounds), strict=True):
        codes = F.pad(sound.codes, (0, 0, 1, 0), value=-1)[None]
        told = told[None, : sound.steps].long()
        untold = told * torch.tensor([1, 1, 0, 0])  # of its class and loudness alone
        with torch.no_grad():
            of_end, of_none = (
                taught(codes, x)[0][0][0, -1].log_softmax(0)[1] for x in (told, untold)
            )
        gains.append(float(of_end - of_none))
    assert sum(gains) / len(gains) > 0.1


def test_each_condition_can_be_left_out(taught: CodePrior) -> None:
    free = drawn(taught, 10, None, None)
    assert sum(code in {2, 3, 4, 5} for code in free[1:-1]) >= 6
    endless = CodeStream(taught, Drawing(temperature=0.3), 1)
    assert {endless.next()[0] for _ in range(12)} <= set(range(6))


def test_step_by_step_it_is_told_what_the_whole_is_told(taught: CodePrior) -> None:
    sound = sounds_of_codes()[0]
    wanted = Wanted(CONDITIONS, (1,), (-30.0, -9.0), steps=sound.steps, longest=99)
    told = torch.tensor([wanted.values(n, n, 0) for n in range(sound.steps)])
    codes = F.pad(sound.codes, (0, 0, 1, 0), value=-1)[None]
    with torch.no_grad():
        whole = taught.double()(codes, told[None])[0][0]
        unknown = taught(codes)[0][0]
        stream = CodeStream(taught, Drawing(), 0, wanted=wanted)
        expected = F.cross_entropy(whole[0, 2:], sound.codes[2:, 0], reduction="sum")
        for step, column in enumerate(sound.codes.tolist()):
            if step == 2:
                rest = stream.bits_of(sound.codes[2:]) * torch.log(torch.tensor(2.0)).item()
                assert rest > float(expected)  # and that it does not end
            assert torch.allclose(stream._prior.heads[0](
                stream._seen, [], stream._prior.entries[0]), whole[0, step])  # fmt: skip
            stream.take(column)
    taught.float()
    assert not torch.allclose(whole, unknown)


def test_what_is_asked_for_counts_more_than_by_itself_and_branches_agree(taught: CodePrior) -> None:
    told, untold = torch.tensor([1.0, 0.0, 0.0]), torch.zeros(3)
    assert torch.allclose(_guided(untold, untold), untold.log_softmax(0))
    gains = [float(x.softmax(0)[0]) for x in (untold, told, _guided(told, untold))]
    assert gains[0] < gains[1] < gains[2]
    wanted = wanted_of(SMALL, sounds_of_codes(), "kick", None, steps=12)
    stream = CodeStream(taught, Drawing(temperature=0), 1, wanted=wanted)
    stream.next()
    branch = stream.branch()
    assert [branch.next() for _ in range(5)] == [stream.next() for _ in range(5)]


def test_of_longer_sounds_than_were_learned_the_end_is_told_late() -> None:
    wanted = Wanted(CONDITIONS, steps=100, longest=9)
    assert [wanted.ends_at_its_end(step) for step in (0, 90, 91, 99)] == [False, False, True, True]
    assert wanted.values(90, 4, 0)[-1] == 0 != wanted.values(91, 5, 0)[-1]
    assert [Wanted(("class",), (1, 2)).values(9, 0, n) for n in range(3)] == [[1], [2], [1]]
    after = Wanted(("loudness",), (), (-60.0, 12.0), begin=3, steps=8)
    assert [after.values(step, 0, 0)[0] for step in range(8)] == [0, 0, 0, 1, 7, 13, 19, 25]


# --- from recordings -------------------------------------------------------------------------


def test_loudness_is_that_of_each_step_beside_the_average() -> None:
    quiet, loud = torch.full((4096,), 0.1), torch.full((4000,), 1.0)
    powers = step_powers(torch.cat([quiet, loud]), 1024, 8)
    assert powers[:4].tolist() == pytest.approx([0.01] * 4)
    assert powers[-1] == pytest.approx(928 / 1024)  # silence behind its end
    assert contour(powers, 0.1)[:1].tolist() == pytest.approx([-10.0], abs=1e-4)
    config = replace(SMALL, spectrogram=replace(SMALL.spectrogram, hop_length=256), stride=4)
    sounds = [CodedSound(name, (torch.zeros(n, 1),)) for name, n in (("a", 4), ("b", 4))]
    one, two = with_conditions(config, sounds, (quiet, loud), ("kick", ""))
    assert (one.group, two.group) == ("kick", "")
    assert one.loudness_db is not None and two.loudness_db is not None
    assert float((two.loudness_db - one.loudness_db)[0]) == pytest.approx(20.0, abs=1e-4)


def test_copies_are_told_of_as_their_recording_and_the_quieter_one_as_quieter() -> None:
    levels = torch.linspace(-40.0, 0.0, 50)
    grids = tuple(torch.zeros(n, 1) for n in (50, 54, 46, 60, 42, 50))
    rows = learned_conditions(SMALL, [CodedSound("a", grids, "kick", levels)])
    assert [len(row) for row in rows] == [len(grid) + 1 for grid in grids]
    assert all(row[:, 0].unique().tolist() == [2] for row in rows)
    assert all(abs(int(row[0, 1]) - int(rows[0][0, 1])) <= 1 for row in rows[:5])
    assert int(rows[0][25, 1]) - int(rows[5][25, 1]) == 2  # 6 dB
    assert rows[1][[0, -1], 2:].tolist() == [[1, 12], [12, 1]]


@settings(deadline=None, max_examples=30)
@given(length=st.integers(1, 40), steps=st.integers(4, 20), seed=st.integers(0, 99))
def test_a_window_is_told_of_just_its_steps_or_nothing(length: int, steps: int, seed: int) -> None:
    sound = CodedSound("a", (torch.arange(length)[:, None],), "bell", torch.zeros(length))
    [rows] = learned_conditions(SMALL, [sound])
    windows = CodeWindows(
        [sound.codes], steps=steps, batch_size=16, seed=seed, conditions=[rows]
    )  # fmt: skip
    codes, told = windows.batch_with_conditions()
    for window, columns in zip(codes[:, 1:, 0], told.unbind(0), strict=True):
        known = columns.any(dim=0)
        for step, code in enumerate(window.tolist()):
            if code >= 0:
                wanted = rows[code] * known
                assert torch.equal(columns[step], wanted.long())
    assert torch.equal(
        codes, CodeWindows([sound.codes], steps=steps, batch_size=16, seed=seed).batch()
    )


def test_some_windows_are_told_all_some_nothing() -> None:
    sound = CodedSound("a", (torch.arange(30)[:, None],), "bell", torch.zeros(30))
    rows = learned_conditions(SMALL, [sound])
    _, told = CodeWindows(
        [sound.codes], steps=8, batch_size=400, conditions=rows
    ).batch_with_conditions()
    known = told.any(dim=1)
    assert 80 < int((~known.any(dim=1)).sum()) < 140 and 30 < int(known.all(dim=1).sum()) < 100
    assert all(120 < int(column.sum()) < 280 for column in known.T)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_further_away_is_never_told_as_nearer(one: int, two: int) -> None:
    near, far = (int(position_value(torch.tensor(n))) for n in sorted((one, two)))
    assert 1 <= near <= far <= 32
    assert loudness_value(torch.tensor([-99.0, -60.0, 12.0, 99.0])).tolist() == [1, 1, 25, 25]


# --- asked for, and kept ---------------------------------------------------------------------
