"""The bar that long work shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from tqdm.auto import tqdm

_Item = TypeVar("_Item")


def bar(
    items: Iterable[_Item], total: int, what: str, unit: str, progress: bool
) -> Iterable[_Item]:
    """The items, with a bar where it takes longer than half a second and is asked for."""
    shown: Iterable[_Item] = tqdm(
        items, total=total, desc=what, unit=unit, delay=0.5, leave=False, disable=not progress
    )
    return shown
