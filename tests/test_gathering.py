"""Threads gathered on half of the cores for a moment."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given, strategies as st

from distill import gathering
from distill.gathering import GatheringChoice, gather, never_gathered

MILLION = 10**6
CROWDED, FREE = (40 * MILLION, 60 * MILLION), (65 * MILLION, 35 * MILLION)

needs_two_cores = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)


def test_gathers_at_once_and_ever_more_seldom_while_it_does_not_help() -> None:
    choice = GatheringChoice()
    gathered = [poll for poll in range(300) if choice.see(*CROWDED)]
    assert gathered[:6] == [0, 1, 3, 7, 15, 31]
    assert {later - poll for poll, later in itertools.pairwise(gathered[6:])} == {64}


@given(st.lists(st.booleans(), max_size=200))
def test_never_where_cores_are_free_and_always_at_once_after_that(crowded: list[bool]) -> None:
    choice, before = GatheringChoice(), False
    for now in crowded:
        gathers = choice.see(*(CROWDED if now else FREE))
        if not now or not before:
            assert gathers == now
        before = now


@needs_two_cores
@pytest.mark.parametrize("turn", [0, 1])
def test_threads_are_on_half_of_the_cores_and_then_where_they_were(turn, monkeypatch) -> None:
    cores, over, own = sorted(os.sched_getaffinity(0)), threading.Event(), threading.Event()
    elsewhere = {cores[0]}
    found = []

    def kept_on_one_core() -> None:
        os.sched_setaffinity(0, elsewhere)
        own.set()
        over.wait()
        found.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=kept_on_one_core)
    thread.start()
    own.wait()
    later = threading.Thread(target=over.wait)

    def look(_: float) -> None:
        found.append(os.sched_getaffinity(0))
        later.start()

    monkeypatch.setattr(gathering.time, "sleep", look)
    assert gather(turn)
    assert os.sched_getaffinity(later.native_id) == set(cores)
    over.set()
    thread.join()
    later.join()
    middle = len(cores) // 2
    half = set(cores[:middle] if turn % 2 else cores[-middle:])
    assert found == [half, elsewhere]
    assert os.sched_getaffinity(0) == set(cores)


@needs_two_cores
def test_a_process_started_meanwhile_has_all_cores() -> None:
    began = threading.Event()
    real = gathering.time.sleep

    def sleep(seconds: float) -> None:
        began.set()
        real(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering.time, "sleep", sleep)
        thread = threading.Thread(target=gather, args=(0, 0.2))
        thread.start()
        began.wait()
        with never_gathered():
            code = "import os; print(len(os.sched_getaffinity(0)))"
            printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        thread.join()
    assert int(printed.stdout) == len(os.sched_getaffinity(0))


def test_one_core_cannot_be_halved(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert not gather(0)
