"""What is reported of a bottleneck at an epoch's end, and what of it has to survive a resume."""

from __future__ import annotations

import pytest
import torch

from distill.codebook.health import LevelHealth
from distill.family import family
from distill.training.engine.totals import EpochResult
from distill.training.session.watches import HealthWatch

NOTHING = {
    "counts": torch.zeros(1, 4, dtype=torch.int64),
    "replaced": torch.zeros(1, dtype=torch.int64),
}


def seen(*counts: int, replaced: int = 0, steps: int = 4) -> EpochResult:
    observed = {"counts": torch.tensor([counts]), "replaced": torch.tensor([replaced])}
    return EpochResult(observed=observed, steps=steps)


@pytest.fixture
def watch() -> HealthWatch:
    return HealthWatch(family("vqvae"), NOTHING, every_steps=10)


def reported(watch: HealthWatch, training: EpochResult) -> LevelHealth:
    [level] = watch.epoch(training, seen(1, 1, 0, 0), 4)
    return level


def test_an_epoch_counts_its_own_training(watch: HealthWatch) -> None:
    reported(watch, seen(9, 9, 9, 9))
    level = reported(watch, seen(20, 0, 0, 0, replaced=2))
    assert (level.over, level.samples, level.churn) == ("training", 20, 0.5)
    assert (level.dead_codes, level.verdict) == (3, "thin")
    assert (level.other_samples, level.other_utilization) == (2, 0.5)


def test_an_epoch_cut_short_counts_the_training_before_it_too(watch: HealthWatch) -> None:
    reported(watch, seen(9, 9, 0, 0, replaced=3))
    level = reported(watch, seen(0, 0, 2, 0, replaced=2, steps=1))
    assert (level.samples, level.dead_codes, level.churn) == (20, 1, 1.0)
    assert reported(watch, seen(5, 5, 5, 5)).samples == 20  # a whole one stands for itself


def test_the_first_epoch_cut_short_has_none_before_it(watch: HealthWatch) -> None:
    assert reported(watch, seen(3, 0, 0, 0, steps=1)).samples == 3


def test_what_was_counted_survives_a_resume(watch: HealthWatch) -> None:
    reported(watch, seen(9, 9, 0, 0))
    again = HealthWatch(family("vqvae"), NOTHING, every_steps=10)
    again.load_state_dict(watch.state_dict())
    cut = seen(0, 0, 2, 0, steps=1)
    assert reported(again, cut) == reported(watch, cut)


def test_a_checkpoint_of_an_earlier_version_counts_from_its_resume_on(watch: HealthWatch) -> None:
    state = watch.state_dict()
    earlier = {name: state[name] for name in ("window", "steps", "warned")}
    watch.load_state_dict(earlier)
    assert reported(watch, seen(3, 0, 0, 0, steps=1)).samples == 3
