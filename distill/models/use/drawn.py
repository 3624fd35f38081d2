"""What is drawn from a prior, on its way to `Codes`: seeds, grids, loudness."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from distill.arrays import as_float, as_int
from distill.codebook.codes import NO_CODE, Codes
from distill.config.fields import shown
from distill.errors import CodesError, ConfigError
from distill.models.file.digest import digest_of, part_of

_PEAK = 0.7
"""Loudness of a sound that never was: recordings were learned at a peak of 1."""
_MOST_SEEDS = 2**63
LONGEST_S = 24 * 3600.0


def grid_of(steps: Iterator[tuple[int, ...]], count: int) -> Tensor:
    """The next steps as (level, steps) int32: an hour of them is two megabytes.

    Args:
        steps: a code a level each; where they end early, so does the grid.
        count: how many; one at least is taken.
    """
    first, more = next(steps), itertools.islice(steps, max(0, count - 1))
    grid = torch.empty(len(first), max(1, count), dtype=torch.int32)
    for place, column in enumerate(itertools.chain([first], more)):
        grid[:, place] = torch.tensor(column, dtype=torch.int32)
    return grid[:, : place + 1]


def without_gaps(grid: Tensor) -> Tensor:
    """A grid of codes as it is.

    Raises:
        CodesError: there are places without a code.
    """
    if bool((grid == NO_CODE).any()):
        raise CodesError(
            f"codes with {int((grid == NO_CODE).sum())} places without a code ({NO_CODE}): a prior "
            "knows whole codes only; fill them, as with an entry's number"
        )
    return grid


def loudness_like(codes: Codes | None) -> float:
    """The loudness of a sound that is gone on from; the usual one where there is none."""
    return codes.peak if codes is not None and codes.peak > 0 else _PEAK


def codes_digest(codes: Codes) -> str:
    """SHA-256 of a grid of codes, by which a prompt is known again."""
    return digest_of([part_of(("codes", codes.indices))], {})


def fresh_seed() -> int:
    """A seed by chance, short enough to be written down."""
    return secrets.randbelow(2**31)


def checked_seed(seed: Any, *, count: int = 1) -> int:
    """A seed in any form of a whole number; None: one by chance.

    Args:
        seed: the first one.
        count: how many in a row are needed.

    Raises:
        ConfigError: no whole number of at least 0, or one beyond 63 bits.
    """
    if seed is None:
        return fresh_seed()
    number = as_int(seed)
    if number is None or not 0 <= number <= _MOST_SEEDS - count:
        most = f" to {_MOST_SEEDS - count}" if number is not None and number > 0 else " on"
        raise ConfigError(f"seed={shown(repr(seed))}: expected a whole number from 0{most}")
    return number


def checked_seconds(seconds: Any) -> float:
    """A length of a sound.

    Raises:
        ConfigError: not above 0, or above a day.
    """
    length = as_float(seconds)
    if length is None or not 0 < length <= LONGEST_S:
        raise ConfigError(
            f"seconds={shown(repr(seconds))}: expected above 0, up to {LONGEST_S:g} (a day)"
        )
    return length
