"""Conditions: what a prior can be told of a sound, each in steps that it has a vector for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from distill.config.fields import shown
from distill.errors import ConfigError

CLASS, LOUDNESS, POSITION, BRIGHTNESS = "class", "loudness", "position", "brightness"
CONDITIONS = (CLASS, LOUDNESS, POSITION)
"""The folder that a recording lies in; how loud each step is; how far it is from begin and end:
what a prior learns with where nobody says it."""
ALL_CONDITIONS = (*CONDITIONS, BRIGHTNESS)
"""These, and how bright each step is. The order is that of what a prior has learned, and stays."""

MOST_CLASSES, LONGEST_CLASS = 200, 60
SOFTEST_DB, LOUDEST_DB, LOUDNESS_STEP_DB = -60.0, 12.0, 3.0
"""Loudness beside that of the recordings on the average; what is beyond is taken as the last."""
LOUDNESSES = 1 + round((LOUDEST_DB - SOFTEST_DB) / LOUDNESS_STEP_DB)
DARKEST_HZ, BRIGHTEST_HZ, BRIGHTNESS_STEP_OCTAVES = 62.5, 16_000.0, 0.25
"""The mean frequency of a step, in minor thirds; what is beyond is taken as the last."""
BRIGHTNESSES = 1 + round(math.log2(BRIGHTEST_HZ / DARKEST_HZ) / BRIGHTNESS_STEP_OCTAVES)
POSITIONS = 32
"""Distances to begin and end, each 1.41 times as far as the one before: up to 46,000 steps."""


def checked_conditions(conditions: Any) -> tuple[str, ...]:
    """Names of conditions, in the order of `ALL_CONDITIONS`.

    Raises:
        ConfigError: another name, one twice, or no list of names.
    """
    expected = f"expected some of {', '.join(ALL_CONDITIONS)}, each once"
    if isinstance(conditions, str) or not isinstance(conditions, Sequence):
        raise ConfigError(f"conditions={shown(repr(conditions))}: {expected}")
    for name in conditions:
        if name not in ALL_CONDITIONS or conditions.count(name) > 1:
            raise ConfigError(f"conditions: {shown(repr(name))}: {expected}")
    return tuple(name for name in ALL_CONDITIONS if name in conditions)


def checked_classes(classes: Any, conditions: Sequence[str]) -> tuple[str, ...]:
    """Names of classes.

    Raises:
        ConfigError: too many, too long, one twice, or classes without the condition.
    """
    if isinstance(classes, str) or not isinstance(classes, Sequence):
        raise ConfigError(f"classes={shown(repr(classes))}: expected names of folders")
    if classes and CLASS not in conditions:
        raise ConfigError(f"classes without the condition {CLASS!r}: add it to conditions")
    if len(classes) > MOST_CLASSES:
        raise ConfigError(f"{len(classes)} classes: expected at most {MOST_CLASSES}")
    for name in classes:
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CLASS:
            raise ConfigError(
                f"classes: {shown(repr(name))}: expected a name of 1 to {LONGEST_CLASS} signs"
            )
    if len(set(classes)) < len(classes):
        raise ConfigError("classes: one of them comes twice")
    return tuple(classes)


def condition_sizes(conditions: Sequence[str], classes: int) -> tuple[int, ...]:
    """How many values each column of conditions has beside "unknown", which is 0.

    Args:
        conditions: names, in the order of `ALL_CONDITIONS`.
        classes: how many there are.

    Example:
        >>> condition_sizes(("class", "position"), 5)
        (5, 32, 32)
    """
    columns = {
        CLASS: (classes,),
        LOUDNESS: (LOUDNESSES,),
        POSITION: (POSITIONS, POSITIONS),
        BRIGHTNESS: (BRIGHTNESSES,),
    }
    return tuple(size for name in conditions for size in columns[name])
