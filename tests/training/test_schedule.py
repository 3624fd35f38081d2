from __future__ import annotations

import pytest

from distill import TrainingConfig
from distill.training.engine.schedule import Budget, learning_rate


@pytest.mark.parametrize(
    ("config", "done", "expected"),
    [
        (TrainingConfig(max_epochs=10), {"epochs": 9, "steps": 99, "seconds": 1e6}, None),
        (TrainingConfig(max_epochs=10), {"epochs": 10, "steps": 99, "seconds": 0}, "max_epochs"),
        (TrainingConfig(max_steps=99), {"epochs": 9, "steps": 99, "seconds": 0}, "max_steps"),
        (TrainingConfig(max_seconds=5), {"epochs": 9, "steps": 9, "seconds": 5}, "max_seconds"),
        (TrainingConfig(), {"epochs": 9, "steps": 9, "seconds": 299}, None),
        (TrainingConfig(), {"epochs": 9, "steps": 9, "seconds": 300}, "max_seconds"),
    ],
)
def test_the_first_limit_reached_ends_a_run(
    config: TrainingConfig, done: dict[str, int], expected: str | None
) -> None:
    assert Budget.of(config).ended(**done) == expected


def test_progress_follows_the_nearest_limit_and_never_passes_one() -> None:
    budget = Budget(epochs=10, steps=1000, seconds=60.0)
    assert budget.progress(epochs=1, steps=500, seconds=6) == 0.5
    assert budget.progress(epochs=1, steps=5, seconds=600) == 1.0


def test_the_rate_warms_up_peaks_and_falls_to_two_percent() -> None:
    config = TrainingConfig(learning_rate=1.0, warmup_steps=50)
    first = learning_rate(config, step=0, progress=0.0)
    peak = learning_rate(config, step=60, progress=0.05)
    last = learning_rate(config, step=10_000, progress=1.0)
    assert first == pytest.approx(1 / 51)
    assert peak > 0.98
    assert last == pytest.approx(0.02)


def test_a_short_run_is_warm_after_a_tenth_of_its_budget() -> None:
    config = TrainingConfig(learning_rate=1.0, warmup_steps=50)
    assert learning_rate(config, step=3, progress=0.1) > 0.95


def test_a_model_that_learns_on_does_so_at_its_share_of_the_rate() -> None:
    config = TrainingConfig(learning_rate=1.0, fine_tuning_share=0.25)
    for step, progress in ((0, 0.0), (60, 0.05), (10_000, 1.0)):
        whole = learning_rate(config, step=step, progress=progress)
        share = learning_rate(config, step=step, progress=progress, fine_tuning=True)
        assert share == pytest.approx(0.25 * whole)
