"""Work on a long sound with somebody attending: a bar that moves, and an end when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm.auto import tqdm

_Item = TypeVar("_Item")


def attended(
    items: Iterable[_Item],
    what: str,
    total: int,
    *,
    progress: bool,
    stop: Callable[[], bool] | None,
    size: Callable[[_Item], int] = lambda _: 1,
) -> Iterator[_Item]:
    """The same items, until somebody has had enough.

    Args:
        items: worked out as they are asked for.
        what: is done, in a word or two.
        total: of all sizes together.
        progress: shows a bar when it takes longer than half a second.
        stop: asked after each item.
        size: of an item.
    """
    with tqdm(
        total=total, desc=what, bar_format="{desc}: {percentage:3.0f} %|{bar}| {remaining} left",
        delay=0.5, leave=False, disable=not progress,
    ) as bar:  # fmt: skip
        for item in items:
            yield item
            bar.update(size(item))
            if stop is not None and stop():
                return
