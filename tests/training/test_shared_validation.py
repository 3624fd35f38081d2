"""Processes share a validation: together they judge every sound once, and say what one would."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from distill import AudioCorpus, TrainingConfig
from distill.training.engine.engine import Engine, Reporter
from distill.training.engine.loop import judge_epoch
from distill.training.engine.processes import Processes
from distill.training.engine.totals import EpochTotals
from distill.training.run.request import RunRequest
from distill.training.session.assembly import assemble


@pytest.fixture
def engine(any_config: TrainingConfig, corpus: AudioCorpus) -> Engine:
    config = dataclasses.replace(any_config, batch_size=1, validation_fraction=0.5)
    request = RunRequest.of(config, corpus, name="run", device="cpu")
    split = corpus.split(config.validation_fraction)
    made, _ = assemble(request, split, lambda _task: Reporter())
    made.task.prepare()
    return made


def judged(engine: Engine, rank: int, ranks: int) -> EpochTotals:
    task, totals = engine.task, EpochTotals(engine.task.nothing_observed())
    judge_epoch(task, task.validation(rank, ranks), totals, Processes(engine.fabric))
    return totals


def summed(parts: list[EpochTotals]) -> EpochTotals:
    """As the processes add up theirs."""
    total, *others = parts
    for other in others:
        total.observed.add(other.observed.fetched())
        total.sums = {name: value + other.sums.get(name, 0.0) for name, value in total.sums.items()}
        total.weight, total.steps = total.weight + other.weight, total.steps + other.steps
    return total


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_shares_together_are_the_whole(engine: Engine, ranks: int) -> None:
    whole = judged(engine, 0, 1)
    assert whole.steps > ranks  # or there would be nothing to share
    shares = [judged(engine, rank, ranks) for rank in range(ranks)]
    assert max(share.steps for share in shares) < whole.steps
    shared = summed(shares)
    assert (shared.steps, shared.weight) == (whole.steps, whole.weight)
    one, many = whole.result(), shared.result()
    assert many.loss == pytest.approx(one.loss, rel=1e-6)
    assert many.parts == pytest.approx(one.parts, rel=1e-6)
    for name, value in one.observed.items():
        torch.testing.assert_close(many.observed[name], value, rtol=1e-6, atol=1e-9)


def test_more_processes_than_batches(engine: Engine) -> None:
    """The last ones have nothing to judge, and what they have adds nothing."""
    whole = judged(engine, 0, 1)
    ranks = whole.steps + 2
    shares = [judged(engine, rank, ranks) for rank in range(ranks)]
    assert [share.steps for share in shares] == [1] * whole.steps + [0, 0]
    result: Any = summed(shares).result()
    assert result.loss == pytest.approx(whole.result().loss, rel=1e-6)
