from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from distill import PriorConfig
from distill.config import VQVAEConfig
from distill.models.prior.start import StartingPrior, write_starting_prior
from tests.tools.test_base_training import ends_as_if_it_had_not_been_killed
from tools.base.learning import train
from tools.base.material import plan
from tools.base_prior import corpora
from tools.base_prior.corpora import CodedCorpus, corpus_path, plan_corpus, read_corpus
from tools.base_prior.learning import PriorLearner, PriorPlan
from tools.base_prior.make import _refuse_others, base_digest

CONFIG = PriorConfig(
    levels=2, codebook_size=16, code_dim=4, width=8, segment_steps=8, batch_size=4, dropout=0.1
)
PLAN = PriorPlan(steps=5, warmup_steps=2, checkpoint_every=2, judge_every=2)


def coded(number: int, entries: int) -> CodedCorpus:
    draws = torch.Generator().manual_seed(number)

    def grids(count: int) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.randint(entries, (steps, 2), generator=draws) for steps in range(9, 9 + count)
        )

    return CodedCorpus(
        torch.randn(2, entries, 4, generator=draws).half().float(), grids(2), grids(2)
    )


def learner(plan: PriorPlan = PLAN) -> PriorLearner:
    """Over ten corpora, whose codebooks are not all of one size."""
    return PriorLearner(CONFIG, plan, [coded(number, 16 >> number % 2) for number in range(10)])


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    again = ends_as_if_it_had_not_been_killed(learner, tmp_path)
    assert [point["step"] for point in again.state_dict()["curve"]] == [2, 4, 5]
    other = learner(replace(PLAN, learning_rate=0.5))
    with pytest.raises(
        ValueError, match=r"another plan \(learning_rate 0.002, now 0.5\): give the"
    ):
        next(train(other, tmp_path / "killed"))


def test_what_belongs_to_the_entries_of_one_codebook_is_not_learned(tmp_path: Path) -> None:
    made = learner()
    list(train(made, tmp_path))
    path = write_starting_prior(tmp_path / "base.distill", made.module, "5" * 64, {})
    assert not StartingPrior.described(path).misfit(CONFIG)
    assert all(float(head.bias) == 0.0 and head.free is None for head in made.module.heads)


def test_a_corpus_is_what_its_number_and_the_seed_say() -> None:
    clips = plan(1200.0, 0)
    plans = [plan_corpus(number, clips, 7) for number in range(6)]
    assert plans == [plan_corpus(number, clips[::-1], 7) for number in range(6)]
    assert len({each.clips for each in plans}) == 6
    assert plans != [plan_corpus(number, clips, 8) for number in range(6)]
    for each in plans:
        assert len(each.clips) == len(each.copies) == len(set(each.clips)) > 0


def test_a_corpus_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = coded(3, 16)
    corpora._write(corpus_path(tmp_path, 0), one)
    found = read_corpus(corpus_path(tmp_path, 0))
    assert torch.equal(found.codebooks, one.codebooks)
    for ours, theirs in zip(found.own + found.copies, one.own + one.copies, strict=True):
        assert torch.equal(ours, theirs)
    assert (len(found.own), len(found.copies)) == (2, 2)


def test_what_was_begun_with_other_options_is_left_alone(tmp_path: Path) -> None:
    """Another base above all: codes of the one before would pass for codes of it."""
    _refuse_others(tmp_path / "fine", {"base": "1", "seed": 7})
    _refuse_others(tmp_path / "fine", {"base": "1", "seed": 7})
    with pytest.raises(ValueError, match=r"fine: was begun with another base: give the same"):
        _refuse_others(tmp_path / "fine", {"base": "2", "seed": 7})


def test_each_shape_has_a_base_of_its_own() -> None:
    digests = [
        base_digest(VQVAEConfig(stride=shape.stride, levels=shape.levels))
        for shape in corpora.SHAPES.values()
    ]
    assert len(set(digests)) == 2
