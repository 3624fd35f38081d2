from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from distill import CheckpointEvent, RunFolder, VQStepMetrics
from distill.training.run.preparation import begin_run
from distill.training.run.writer import hold_run
from distill.training.session.monitor import Monitor
from distill.training.watch.event_lines import Event
from distill.training.watch.follower import Follower


def step(number: int) -> VQStepMetrics:
    return VQStepMetrics(0, number, 1.0, 0.9, 0.1, 1e-3, 1.0, 0.5, float(number))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    begin_run(tmp_path / "run", {"name": "run"})
    return tmp_path / "run"


def test_events_arrive_once_in_order_replayed_then_live(run: Path) -> None:
    got: list[Event] = []
    ended = threading.Event()
    with hold_run(run) as writer:
        for number in range(5):
            writer.append(step(number))
        follower = Follower(RunFolder(run), got.append, trainer_ended=ended.is_set)
        follower.start()
        follower.wait_until_caught_up()
        assert [event.step for event in got] == list(range(5))
        for number in range(5, 50):
            writer.append(step(number))
        ended.set()
        assert follower.wait(10)
    assert [event.step for event in got] == list(range(50))
    assert list(follower.history.steps["step"]) == list(range(50))


def test_a_slow_callback_holds_up_nobody(run: Path) -> None:
    ended, gate = threading.Event(), threading.Event()
    with hold_run(run) as writer:
        follower = Follower(RunFolder(run), lambda _: gate.wait(), trainer_ended=ended.is_set)
        follower.start()
        for number in range(20):
            writer.append(step(number))
        assert RunFolder(run).read_events()[0] == [step(number) for number in range(20)]
        gate.set()
        ended.set()
        assert follower.wait(10)


def test_a_raising_callback_is_called_once_and_following_goes_on(run: Path) -> None:
    calls: list[Event] = []

    def broken(event: Event) -> None:
        calls.append(event)
        raise RuntimeError("no")

    with hold_run(run) as writer:
        for number in range(5):
            writer.append(step(number))
    follower = Follower(RunFolder(run), broken, trainer_ended=lambda: True)
    follower.start()
    assert follower.wait(10)
    assert len(calls) == 1
    assert follower.history.step_count == 5


def test_what_is_done_again_after_a_crash_is_not_reported_again(run: Path) -> None:
    got: list[Event] = []
    with hold_run(run) as writer, Monitor(writer):
        for number in range(10):
            writer.append(step(number))
            if number == 5:
                size = writer.sync_events()
                writer.append(CheckpointEvent(0, 6, "checkpoints/step-000006.ckpt", True))
    ended = threading.Event()
    follower = Follower(RunFolder(run), got.append, trainer_ended=ended.is_set)
    follower.start()
    follower.wait_until_caught_up()
    with hold_run(run) as writer, Monitor(writer):
        writer.rewind_events(size)
        for number in range(6, 13):
            writer.append(step(number))
        for _ in range(100):
            if follower.history.step_count == 13:
                break
            time.sleep(0.05)
        ended.set()
        assert follower.wait(10)
    assert list(follower.history.steps["step"]) == list(range(13))
    assert [e.step for e in got if isinstance(e, VQStepMetrics)] == list(range(13))
    assert sum(isinstance(event, CheckpointEvent) for event in got) == 1


def test_closing_ends_the_thread(run: Path) -> None:
    follower = Follower(RunFolder(run), None, trainer_ended=lambda: False)
    follower.start()
    assert follower.is_following
    follower.close()
    follower.close()
    assert not follower.is_following and not follower.has_ended
