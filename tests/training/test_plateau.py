from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from hypothesis import example, given, strategies as st
from rich.console import Console

from distill import VQMetricsHistory
from distill.cli.live import TrainingDisplay
from distill.training.watch.event_lines import EpochMetrics, VQEpochMetrics
from distill.training.watch.plateau import LEAST_GAIN, PLATEAU_EPOCHS, plateau_of

from .test_history import epoch, step


def epochs(losses: list[float], *, first: int = 0) -> list[VQEpochMetrics]:
    """As the engine reports them: best is whoever is lower than all before, the first anyhow."""
    made, lowest = [], math.inf
    for number, loss in enumerate(losses, first):
        judged = loss if math.isfinite(loss) else math.inf
        made.append(epoch(number, 0.5, loss, judged < lowest or not made))
        lowest = min(lowest, judged)
    return made


LOSSES = st.lists(
    st.floats(-5, 5, width=32) | st.sampled_from([math.nan, math.inf, 0.3, 0.2999]), max_size=24
)


def beaten(losses: list[float]) -> list[int]:
    """Numbers of the epochs that were better by `LEAST_GAIN`, found by trying every one."""
    found: list[int] = []
    for number, loss in enumerate(losses):
        if math.isfinite(loss):
            before = losses[found[-1]] if found else None
            if before is None or before - loss > LEAST_GAIN * abs(before):
                found.append(number)
    return found


@given(LOSSES)
@example([0.3] * 5)
@example([0.3, 0.2999, 0.2998, 0.2997, 0.2996])
@example([math.nan] * 9)
@example([math.nan] * 9 + [1.0])
@example([0.0] * 6)
def test_a_plateau_is_said_of_the_epochs_since_the_last_better_one(losses: list[float]) -> None:
    found, better = plateau_of(epochs(losses)), beaten(losses)
    since = len(losses) - 1 - better[-1] if better else 0
    assert (found is not None) == (since >= PLATEAU_EPOCHS)
    if found is not None:
        finite = [loss for loss in losses if math.isfinite(loss)]
        assert found.epochs == since
        assert losses[found.best_epoch] == min(finite)  # the very lowest is kept, be it by a hair


@given(LOSSES, st.integers(0, 3))
def test_it_is_the_same_whatever_family_reports(losses: list[float], first: int) -> None:
    ours = epochs(losses, first=first)
    others = [
        EpochMetrics(
            "vae", e.epoch, e.step, e.train_loss, {}, e.val_loss, {}, e.is_best, 0.1, 1.0
        )
        for e in ours
    ]  # fmt: skip
    assert plateau_of(others) == plateau_of(ours)


def test_slow_gains_add_up() -> None:
    steadily = [math.exp(-0.002 * number) for number in range(40)]
    assert all(plateau_of(epochs(steadily[:n])) is None for n in range(40))


def test_every_place_says_the_same() -> None:
    said = (
        "no better for 4 epochs; stopping now loses nothing: the weights of epoch 1, the best by "
        "validation, are kept"
    )
    history = VQMetricsHistory()
    console = Console(file=io.StringIO(), force_terminal=False, width=300)
    screen = Console(file=io.StringIO(), force_terminal=True, width=200)
    with TrainingDisplay(console=console) as lines, TrainingDisplay(console=screen) as live:
        for event in (step(0), *epochs([0.3, 0.31, 0.3, 0.32, 0.3])):
            for taker in (history, lines, live):
                taker.update(event)
    assert history.plateau is not None and history.plateau.while_running == said
    printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [said in line for line in printed] == [False] * 4 + [True]
    assert said in screen.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("gap", [b"nonsense\n", b'{"event":"VQEpochMetrics"}\n'])
def test_nothing_is_said_where_lines_are_missing(gap: bytes) -> None:
    history = VQMetricsHistory()
    for event in epochs([0.3] * 6):
        history.update(replace(event))
    assert history.plateau is not None
    history.update_lines([gap])
    assert history.plateau is None
