"""Several sounds at a time: in their order, with shared threads, and an end when it is asked."""

from __future__ import annotations

import _thread
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import load_model_v2
from distill.models.use.side_by_side import side_by_side
from distill.models.use.workers import in_one_thread
from distill.training import TrainingResult

WITHIN_S = 20.0


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(waits: list[int], most: int) -> None:
    def work(item: tuple[int, int]) -> int:
        time.sleep(item[1] / 1000)
        return item[0]

    assert list(side_by_side(work, enumerate(waits), most=most)) == list(range(len(waits)))


def test_two_are_under_way_at_once_and_few_more_are_taken() -> None:
    both, taken = threading.Barrier(2), []

    def items() -> Iterator[int]:
        for number in range(8):
            taken.append(number)
            yield number

    def work(number: int) -> tuple[int, int, str]:
        both.wait(WITHIN_S)  # would fail where one waits for the other
        return number, torch.get_num_threads(), threading.current_thread().name

    results = side_by_side(work, items())
    number, threads, thread = next(results)
    assert number == 0 and len(taken) <= 4
    assert threads == 1 and thread != threading.current_thread().name
    assert torch.get_num_threads() == 2
    assert [number for number, *_ in results] == list(range(1, 8))
    begun_later: list[int] = []
    later = threading.Thread(target=lambda: begun_later.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert begun_later == [2]


@pytest.mark.parametrize(
    ("items", "device", "most"), [([1], "cpu", 4), ([1, 2, 3], "meta", 4), ([1, 2], "cpu", 1)]
)
def test_what_gains_nothing_is_done_in_the_calling_thread(
    items: list[int], device: str, most: int
) -> None:
    def work(_: int) -> threading.Thread:
        return threading.current_thread()

    found = list(side_by_side(work, items, device=device, most=most))
    assert found == [threading.current_thread()] * len(items)


def test_an_error_ends_what_is_under_way_and_what_has_not_begun() -> None:
    ended, begun, both = threading.Event(), [], threading.Barrier(2)

    def work(number: int) -> None:
        begun.append(number)
        try:
            if number < 2:
                both.wait(WITHIN_S)
            if number == 0:
                raise ValueError("the first")
            _busy()
        finally:
            if number == 1:
                ended.set()

    with pytest.raises(ValueError, match="the first"):
        list(side_by_side(work, range(9)))
    assert ended.is_set() and set(begun) <= {0, 1, 2, 3}
    assert not _threads()


def test_who_stops_asking_interrupts_what_is_under_way() -> None:
    second = threading.Event()

    def work(number: int) -> int:
        if number:
            second.set()
            _busy()
        else:
            second.wait(WITHIN_S)
        return number

    results = side_by_side(work, range(3))
    with pytest.raises(KeyboardInterrupt):
        _interrupted_after(0.5, results)
    assert not _threads()


def test_a_loop_that_breaks_off_leaves_nothing_under_way() -> None:
    results = side_by_side(lambda number: _busy() if number else number, range(5))
    with pytest.raises(ValueError, match="broke off"), contextlib.closing(results):
        for number in results:
            assert number == 0
            raise ValueError("broke off")
    assert not _threads()


def test_threads_that_cannot_begin_are_an_error_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = torch.set_num_threads

    def refused(count: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("no room for threads")
        real(count)

    monkeypatch.setattr(torch, "set_num_threads", refused)
    with pytest.raises(RuntimeError, match="no room for threads"):
        list(side_by_side(str, range(4)))
    assert not _threads() and torch.get_num_threads() == 2


def test_what_a_model_makes_is_to_the_bit_what_one_thread_makes(trained: TrainingResult) -> None:
    model = load_model_v2(trained.model_path)
    model.refinements = 2
    generator = torch.Generator().manual_seed(1)
    sounds = [0.1 * torch.randn(9000 + 700 * n, generator=generator) for n in range(6)]

    def work(sound: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return model.encode(sound, 48_000).indices, model.reconstruct(sound, 48_000)[0]

    torch.set_num_threads(1)
    alone = [work(sound) for sound in sounds]
    torch.set_num_threads(2)
    for found, expected in zip(side_by_side(work, sounds), alone, strict=True):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def _interrupted_after(seconds: float, results: Iterator[int]) -> None:
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    try:
        list(results)
    finally:
        timer.cancel()


def _busy() -> None:
    """Python that ends by an interrupt alone, or after long."""
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        time.sleep(0.001)
    raise AssertionError("was not interrupted")


def _threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("distill-sound")]


def test_one_thread_does_it_and_takes_its_errors_with_it() -> None:
    def work() -> tuple[int, str]:
        return torch.get_num_threads(), threading.current_thread().name

    threads, thread = in_one_thread(work)
    assert threads == 1 and thread != threading.current_thread().name
    assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError):
        in_one_thread(lambda: 1 / 0)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has threads that are nice")
def test_what_nobody_waits_for_leaves_the_others_as_nice_as_they_are() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = nice()
    assert in_one_thread(nice, idly=True) == 19
    assert in_one_thread(nice) == nice() == before


def test_where_nobody_may_be_nicer_it_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", refused, raising=False)
    assert in_one_thread(lambda: 7, idly=True) == 7
