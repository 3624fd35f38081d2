"""A process of ours spins for as long as the machine is its own, and gives cores up beside others.

What it is worth is timed by `benchmarks/shared_machine.py`; here is what can be seen without a
clock: the choice, the threads that stand for it, and results that stay what they were.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from distill.training.engine import waiting
from distill.training.engine.contention import Contention
from distill.training.engine.waiting import (
    FairWaiting,
    SpinChoice,
    _ballast_size,
    expect_company,
)

BUSY, CALM = 0.7, 0.1
"""Cores: beside a program that is busy all the time, and beside a page that draws."""
polls = st.lists(st.sampled_from([BUSY, CALM]), max_size=300)

STEPS = """
import sys
from distill.threads import spin_at_first
from distill.training.engine import waiting
assert spin_at_first() or "{way}" == "alone"
import torch
torch.manual_seed(0)
ballast = waiting._Ballast()
tasks = lambda: len(list(__import__("pathlib").Path("/proc/self/task").iterdir()))
layer = torch.nn.Conv1d(32, 32, 5)
sounds = torch.randn(8, 32, 4000)
for step in range(6):
    if "{way}" == "held" and step == 2:
        before = tasks()
        ballast.hold()
        while tasks() < before + 2:
            pass
    if "{way}" == "held" and step == 4:
        ballast.release()
    loss = layer(sounds).square().mean()
    layer.zero_grad()
    loss.backward()
    with torch.no_grad():
        layer.weight -= 0.01 * layer.weight.grad
print(layer.weight.double().sum().item().hex(), layer.weight.flatten()[:9].tolist())
"""


@given(polls)
def test_it_is_brief_after_any_two_busy_polls_in_a_row(taken: list[float]) -> None:
    choice, before = SpinChoice(), CALM
    for cores in taken:
        brief = choice.see(cores)
        assert brief or [before, cores] != [BUSY, BUSY]
        before = cores


@given(st.lists(st.lists(st.just(CALM), min_size=1, max_size=5), max_size=20))
def test_single_bursts_leave_it_long(between: list[list[float]]) -> None:
    choice = SpinChoice()
    assert not any(choice.see(cores) for calm in between for cores in [BUSY, *calm])


@given(polls)
def test_enough_calm_ends_it_whatever_was_before(taken: list[float]) -> None:
    choice = SpinChoice()
    for cores in [*taken, *[CALM] * waiting._MOST_CALM_POLLS]:
        choice.see(cores)
    assert not choice.brief


def test_a_neighbour_who_comes_and_goes_does_not_make_it_swing() -> None:
    choice, changes, was = SpinChoice(), 0, False
    for number in range(600):
        now = choice.see(BUSY if number % 6 < 2 else CALM)
        changes, was = changes + (now is not was), now
    assert choice.brief
    assert changes <= 3


def test_one_who_came_back_late_is_met_afresh() -> None:
    choice = SpinChoice()
    for _ in range(2):
        assert [choice.see(BUSY) for _ in range(2)] == [False, True]
        assert [choice.see(CALM) for _ in range(3)] == [True, True, False]
        assert not any(choice.see(CALM) for _ in range(100))


@given(st.integers(1, 200), st.integers(1, 400))
def test_the_ballast_is_the_least_that_is_more_than_the_cores(threads: int, cores: int) -> None:
    count = _ballast_size(threads, cores)
    if threads == 1:
        assert count == 0  # nobody to wait for
        return
    managed = threads + count * (threads - 1)
    assert managed > cores
    assert count == 1 or managed - (threads - 1) <= cores


class Counted(Contention):
    """Says what a test wants it to have counted."""

    now = CALM

    def times_ns(self) -> tuple[int, int]:
        return 10**9, 10**9 if self.now == BUSY else 0


def names() -> set[str]:
    import threading

    return {thread.name for thread in threading.enumerate()}


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.fixture
def spins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "spins_at_first", lambda: True)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)


def test_the_ballast_lives_while_others_want_the_cores(
    spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FairWaiting(poll_s=0.01, measure=Counted):
        assert "distill-ballast" not in names()
        monkeypatch.setattr(Counted, "now", BUSY)
        until(lambda: "distill-ballast" in names())
        monkeypatch.setattr(Counted, "now", CALM)
        until(lambda: "distill-ballast" not in names())
        monkeypatch.setattr(Counted, "now", BUSY)
        until(lambda: "distill-ballast" in names())
    assert not names() & {"distill-ballast", "distill-waiting"}


def test_who_is_told_of_company_takes_turns_at_once_and_for_that_long(
    spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_company()  # nobody is there to hear it
    monkeypatch.setattr(Counted, "now", BUSY)  # company is, and that is no reason to wait longer
    with FairWaiting(poll_s=60, measure=Counted) as one:
        expect_company(30)
        until(lambda: "distill-ballast" in names())
        assert not one._choice.brief
    assert not names() & {"distill-ballast", "distill-waiting"}
    monkeypatch.setattr(Counted, "now", CALM)
    with FairWaiting(poll_s=0.01, measure=Counted):
        expect_company(2)  # longer than a busy machine lets a thread wait
        until(lambda: "distill-ballast" in names())
        until(lambda: "distill-ballast" not in names())


def test_threads_are_gathered_while_others_crowd_them(
    spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []

    def gathered(turn: int) -> bool:
        turns.append(turn)
        return True

    monkeypatch.setattr(waiting, "gather", gathered)
    monkeypatch.setattr(Counted, "now", BUSY)
    with FairWaiting(poll_s=0.002, measure=Counted):
        until(lambda: len(turns) >= 3)
        assert "distill-ballast" in names()
        monkeypatch.setattr(Counted, "now", CALM)
        until(lambda: "distill-ballast" not in names())
    assert turns[:3] == [0, 1, 2]


def test_a_process_that_hardly_runs_changes_nothing(
    spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Paused(Counted):
        def times_ns(self) -> tuple[int, int]:
            asked.append(1)
            return 1000, 50_000

    with FairWaiting(poll_s=0.001, measure=Paused):
        until(lambda: len(asked) > 5)
        assert "distill-ballast" not in names()


def test_nothing_runs_where_threads_sleep_anyway() -> None:
    with FairWaiting(poll_s=0.001):
        assert "distill-waiting" not in names()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux counts this")
def test_a_step_is_the_same_to_the_bit_however_threads_wait() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OMP_", "GOMP_", "KMP_"))
    } | {"OMP_NUM_THREADS": "2"}
    said = []
    for way, chosen in (("alone", {"GOMP_SPINCOUNT": "1000"}), ("free", {}), ("held", {})):
        done = subprocess.run(
            [sys.executable, "-c", STEPS.replace("{way}", way)],
            env=environment | chosen, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1] == said[2]
    assert said[0].startswith(("0x", "-0x"))
