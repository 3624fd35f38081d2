"""Draws that would run along a recording are led away from it, by the runs that are reported."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from distill.errors import ConfigError
from distill.models.prior.copying import longest_shared_run
from distill.models.prior.drawing import Drawing
from distill.models.prior.novelty import Novelty
from distill.models.prior.sounds import CodedSound

STEP_S = 0.02  # nine steps are below 0.2 s


def known(*grids: list[list[int]]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(grid, dtype=torch.int32) for grid in grids)


def led(novelty: Novelty, wanted: Tensor, entries: int) -> Tensor:
    """What is drawn at temperature 0 where each step of `wanted` is likeliest."""
    drawn = []
    for step in wanted.tolist():
        codes: list[int] = []
        for code in step:
            logits = torch.zeros(entries, dtype=torch.float64)
            logits[code] = 1.0
            codes.append(Drawing(0).draw(novelty.steer(logits, codes), 0.5))
        novelty.take(tuple(codes))
        drawn.append(codes)
    return torch.tensor(drawn)


def run_steps(drawn: Tensor, grids: tuple[Tensor, ...], levels: int) -> int:
    return longest_shared_run(drawn, [CodedSound("a", grids)], STEP_S, levels=levels).steps


@pytest.mark.parametrize(("amount", "first", "every"), [(1.0, 9, 5), (0.5, 18, 10), (0.25, 36, 20)])
def test_a_recording_is_followed_as_far_as_novelty_lets(
    amount: float, first: int, every: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    grids = (torch.randint(0, 64, (200, 3), generator=generator, dtype=torch.int32),)
    drawn = led(Novelty(grids, STEP_S, (0.0, 0.0), amount), grids[0], 64)
    assert run_steps(drawn, grids, 1) == first
    assert run_steps(drawn, grids, 3) == every


def test_runs_that_held_out_recordings_share_too_are_let_be() -> None:
    generator = torch.Generator().manual_seed(0)
    grids = (torch.randint(0, 64, (200, 2), generator=generator, dtype=torch.int32),)
    drawn = led(Novelty(grids, STEP_S, (0.6, 0.24), 1.0), grids[0], 64)
    assert (run_steps(drawn, grids, 1), run_steps(drawn, grids, 2)) == (30, 12)


def test_a_hold_may_go_on_for_ever() -> None:
    grids = known([[1, 2]] * 100)
    drawn = led(Novelty(grids, STEP_S, (0.0, 0.0), 1.0), grids[0].long(), 8)
    assert drawn.tolist() == [[1, 2]] * 100


def test_where_every_code_would_go_on_the_likeliest_is_drawn() -> None:
    grids = known([[0], [0]] * 30, [[0], [1]] * 30, [[1], [0]] * 30, [[1], [1]] * 30)
    novelty = Novelty(grids, 0.2, (0.0, 0.0), 1.0)  # a step is too long already
    novelty.take((0,))
    logits = torch.tensor([0.0, 1.0])
    assert torch.equal(novelty.steer(logits, []), logits)


def test_branches_do_not_move_each_other() -> None:
    generator = torch.Generator().manual_seed(0)
    grids = (torch.randint(0, 64, (60, 2), generator=generator, dtype=torch.int32),)
    novelty = Novelty(grids, STEP_S, (0.0, 0.0), 1.0)
    led(novelty, grids[0][:4], 64)
    one = led(novelty.branch(), grids[0][4:], 64)
    assert torch.equal(one, led(novelty, grids[0][4:], 64))


codes = st.integers(0, 2)
sounds = st.lists(st.tuples(codes, codes), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(sounds, min_size=1, max_size=3), sounds)
def test_runs_are_those_that_are_reported(recordings: list, drawn: list) -> None:  # type: ignore[type-arg]
    grids = known(*([list(step) for step in sound] for sound in recordings))
    for run, levels in zip(Novelty(grids, STEP_S, (0.0, 0.0), 1.0)._runs, (1, 2), strict=True):
        longest = 0
        for step in drawn:
            run.take(step)
            longest = max(longest, int(run._lengths.max()))
        grid = torch.tensor(drawn)
        if levels == 1 or not _is_one_hold(grid):  # which is told in another way
            assert longest == run_steps(grid, grids, levels)


def _is_one_hold(grid: Tensor) -> bool:
    return all(torch.equal(one, other) for one, other in pairwise(grid))


def test_what_is_no_amount_of_novelty_is_refused() -> None:
    for amount in (-0.1, 1.1, float("nan"), "much", np.array([1.0, 2.0])):
        with pytest.raises(ConfigError, match=r"^novelty=.*: expected a number from 0 to 1$"):
            Drawing(novelty=amount)  # type: ignore[arg-type]
    assert Drawing(novelty=0.5).to_dict() == {"temperature": 1.0, "novelty": 0.5}
    assert "novelty" not in Drawing().to_dict()
