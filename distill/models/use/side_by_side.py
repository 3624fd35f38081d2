"""Several sounds at a time, each in a thread of its own, that wait for nothing and nobody.

The threads of one operation meet at its end, a thousand times a second: on one sound, whose
operations are small, two gain little over one, and beside busy programs they mostly wait for the
one that has no core just now. Two sounds in a thread each share the cores as any two programs do
(benchmarks/shared_machine.py, encode).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain, islice
from typing import TypeVar

import torch

from distill.models.use.workers import Workers, result_of

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

MOST = 4
"""Sounds under way at once, and one more is ready; each has a share of torch's threads."""
LONG_S = 600.0
"""Longer sounds are worked on one by one: each may take gigabytes."""


def side_by_side(
    work: Callable[[_Item], _Made],
    items: Iterable[_Item],
    *,
    device: torch.device | str = "cpu",
    most: int = MOST,
) -> Generator[_Made, None, None]:
    """What is made of items, in their order, several at a time on the processor's cores.

    One item alone, or work on another device, is done in the calling thread. Closing the iterator,
    or an error that it raises, interrupts what is under way.

    Args:
        work: may run in several threads at once; an error it raises ends everything.
        items: taken by the calling thread, few more than are under way.
        device: where the work is done.
        most: items at a time.
    """
    threads = torch.get_num_threads()
    workers = min(threads, most)
    items = iter(items)
    first = list(islice(items, 2))
    is_alone = len(first) < 2
    everything = chain(_let_go_of(first), items)
    if workers < 2 or is_alone or torch.device(device).type != "cpu":
        yield from map(work, everything)
        return
    with Workers(workers, max(1, threads // workers)) as under_way:
        waiting: deque[Future[_Made]] = deque()
        for item in everything:
            waiting.append(under_way.begin(work, item))
            if len(waiting) > workers:
                yield result_of(waiting.popleft())
        while waiting:
            yield result_of(waiting.popleft())


def _let_go_of(items: list[_Item]) -> Iterator[_Item]:
    while items:
        yield items.pop(0)
