from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from distill import RunFolder
from distill.training.run.preparation import begin_run
from distill.training.watch import front_ends
from distill.training.watch.front_ends import call_while_waiting, while_waiting
from distill.training.watched_run import WatchedRun


@pytest.fixture(autouse=True)
def own_callbacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(front_ends, "_callbacks", [])
    yield


def test_each_is_called_once_a_moment_however_often_it_was_given() -> None:
    called: list[str] = []

    def first() -> None:
        called.append("first")

    for callback in (first, lambda: called.append("second"), first):
        call_while_waiting(callback)
    while_waiting()
    while_waiting()
    assert called == ["first", "second"] * 2


def test_one_that_raises_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    called: list[str] = []

    def broken() -> None:
        called.append("broken")
        raise ValueError("no kernel")

    call_while_waiting(broken)
    call_while_waiting(lambda: called.append("sound"))
    with caplog.at_level(logging.ERROR):
        while_waiting()
        while_waiting()
    assert called == ["broken", "sound", "sound"]
    assert "could not work while a run was waited for" in caplog.text
    assert "no kernel" in caplog.text


def test_who_waits_for_a_run_calls_them(tmp_path: Path) -> None:
    called: list[str] = []
    call_while_waiting(lambda: called.append("front end"))
    begin_run(tmp_path / "run", {"model_type": "vqvae"})
    run = WatchedRun(RunFolder(tmp_path / "run"), None)
    run.trainer = Alive()
    run.follow()
    assert not run.wait(0.5, progress=False)
    run.close()
    assert called


class Alive:
    """A trainer that has not reported yet."""

    is_alive = True
