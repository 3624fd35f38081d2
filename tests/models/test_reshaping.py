"""What a sound lacks is made new: a gap that joins what follows, a loop without a seam."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch

from distill import LoadedVQModel, load_model_v2
from distill.errors import CodesError, ConfigError
from distill.models.prior.drawing import Drawing
from distill.models.prior.stream import CodeStream
from distill.models.use.joining import likeliest_join, likeliest_round, looped
from distill.training import TrainingResult
from tests.priors import random_codes, with_untrained_prior

STEP_S = 1024 / 48_000


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing."""
    return with_untrained_prior(load_model_v2(trained.model_path))


# --- fill ------------------------------------------------------------------------------------


def test_a_gap_is_filled_and_all_else_stays(model: LoadedVQModel) -> None:
    codes = random_codes(model, 60)
    gap = codes.indices
    gap[:, 20:40] = -1
    made = model.fill(codes.with_indices(gap), 20 * STEP_S, 40 * STEP_S, seed=1, draws=3)
    assert torch.equal(made.indices[:, :20], codes.indices[:, :20])
    assert torch.equal(made.indices[:, 40:], codes.indices[:, 40:])
    assert int(made.indices.min()) >= 0
    assert (made.samples, made.peak) == (codes.samples, codes.peak)
    again = model.fill(codes, 20 * STEP_S, 40 * STEP_S, seed=1, draws=3)
    assert torch.equal(made.indices, again.indices)
    other = model.fill(codes, 20 * STEP_S, 40 * STEP_S, seed=2, draws=3)
    assert not torch.equal(made.indices, other.indices)


@pytest.mark.parametrize(
    ("start_s", "end_s", "first", "last"),
    [
        (0, 0.001, 0, 1),
        (20.5 * STEP_S, 21.5 * STEP_S, 20, 22),
        (0, 59.4 * STEP_S, 0, 60),
        (58.0 * STEP_S, 59.4 * STEP_S, 58, 60),
    ],
)
def test_steps_that_a_gap_touches_are_drawn_anew(
    model: LoadedVQModel, start_s: float, end_s: float, first: int, last: int
) -> None:
    codes = random_codes(model, 60)
    made = model.fill(codes, start_s, end_s, seed=0, draws=2).indices
    changed = (made != codes.indices).any(dim=0).nonzero()[:, 0].tolist()
    assert changed and first <= min(changed) and max(changed) < last
    assert len(changed) >= (last - first) // 2


def test_of_several_ends_the_likeliest_joins_what_follows(model: LoadedVQModel) -> None:
    after = random_codes(model).indices.T

    def bits(draws: int, seed: int) -> float:
        stream = CodeStream(model.prior.module, Drawing(), seed)
        ends = likeliest_join(stream.branch(), 5, after, draws, may_end=False)
        for column in ends.tolist():
            stream.take(column)
        return stream.bits_of(after)

    costs = [[bits(draws, seed) for draws in range(1, 6)] for seed in range(6)]
    assert all(row == sorted(row, reverse=True) for row in costs)
    assert any(row[-1] < row[0] for row in costs)  # whatever model: not always the first


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [(-0.1, 0.2), (0.2, 0.1), (0.1, 0.1), (0.1, 99.0), (float("nan"), 0.1), ("a", 0.1), (0, None)],
)
def test_gaps_outside_a_sound_are_refused(model: LoadedVQModel, start_s: Any, end_s: Any) -> None:
    with pytest.raises(ConfigError, match=r"^a gap from .* s: expected two moments within the 0"):
        model.fill(random_codes(model), start_s, end_s)


def test_what_cannot_be_filled_is_refused(model: LoadedVQModel) -> None:
    codes = random_codes(model)
    with pytest.raises(CodesError, match=r"^codes of 2 of 3 levels"):
        model.fill(codes.first_levels(2), 0.1, 0.2)
    with pytest.raises(CodesError, match=r"^codes of the model 'unnamed' \(00000000\); this model"):
        model.fill(replace(codes, made_by="0" * 64, model_name=""), 0.1, 0.2)
    outside = codes.indices
    outside[0, 0] = -1
    with pytest.raises(CodesError, match=r"^codes with 1 places without a code"):
        model.fill(codes.with_indices(outside), 0.1, 0.2)
    with pytest.raises(ConfigError, match=r"^draws=0: expected a whole number from 1 to 1000"):
        model.fill(codes, 0.1, 0.2, draws=0)


# --- loop ------------------------------------------------------------------------------------


def test_a_loop_ends_with_the_step_with_which_it_begins(model: LoadedVQModel) -> None:
    codes = model.loop(0.5, seed=1, places=9)
    steps = round(0.5 / STEP_S)
    assert codes.steps == steps + 1 and codes.samples == steps * 1024
    assert torch.equal(codes.indices[:, 0], codes.indices[:, -1])
    assert torch.equal(codes.indices, model.loop(0.5, seed=1, places=9).indices)
    prompt = random_codes(model)
    after = model.loop(0.5, prompt=prompt, seed=1, places=9)
    assert after.peak == prompt.peak and not torch.equal(after.indices, codes.indices)
    assert model.loop(0.001, seed=0).steps == 2  # one step, round and round


def test_of_all_rounds_the_one_stays_whose_beginning_fits_behind_its_end(
    model: LoadedVQModel,
) -> None:
    def bits(seed: int, begin: int, round_: torch.Tensor) -> float:
        stream = CodeStream(model.prior.module, Drawing(), seed)
        for _ in range(begin + len(round_)):
            stream.next()
        return stream.bits_of(round_[:5])

    begins = []
    for seed in range(4):
        stream = CodeStream(model.prior.module, Drawing(), seed)
        drawn = torch.tensor([stream.next() for _ in range(20)])
        costs = [bits(seed, begin, drawn[begin : begin + 12]) for begin in range(8)]
        begins.append(costs.index(min(costs)))
        found = likeliest_round(CodeStream(model.prior.module, Drawing(), seed), 12, 8, 5)
        assert torch.equal(found, drawn[begins[-1] : begins[-1] + 12])
    assert any(begins)  # whatever model: not always the first


def test_repeated_it_has_no_seam(model: LoadedVQModel) -> None:
    codes = model.loop(0.5, seed=1, places=9)
    sound, rate = model.decode_loop(codes)
    assert (len(sound), rate) == (codes.samples, 48_000)
    jumps = sound.diff().abs()
    assert abs(float(sound[0] - sound[-1])) <= float(jumps.max())
    plain = model.decode(codes)[0]
    assert len(plain) == len(sound)


def test_the_end_of_a_round_fades_into_what_comes_before_it() -> None:
    time = torch.arange(4000, dtype=torch.float32)
    round_ = looped(time, 1000, 2000, 100)
    assert len(round_) == 2000 and torch.equal(round_[:1900], time[1000:2900])
    assert float(round_[-1]) == pytest.approx(999.0, abs=0.01)  # 1000 is where it begins
    assert len(looped(time, 10, 1, 100)) == 1


def test_loops_that_are_none_are_refused(model: LoadedVQModel) -> None:
    for seconds, said in (
        (0, "seconds=0: expected above 0"),
        (601, "seconds=601: a loop is up to"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            model.loop(seconds)
    one = model.codes_of(torch.ones(3, 1, dtype=torch.int64), 500, 0.5)
    for codes in (random_codes(model), one):
        with pytest.raises(CodesError, match=r"^these codes do not end with the step with which"):
            model.decode_loop(codes)
