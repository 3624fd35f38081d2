"""Wanted: what new sounds are asked to be, told to a prior step by step."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from distill.arrays import as_float
from distill.config import PriorConfig
from distill.config.conditions import (
    BRIGHTEST_HZ,
    BRIGHTNESS,
    CLASS,
    DARKEST_HZ,
    LOUDEST_DB,
    LOUDNESS,
    POSITION,
    SOFTEST_DB,
)
from distill.config.fields import shown
from distill.errors import ConfigError, PriorError
from distill.models.prior.brightness import brightness_value
from distill.models.prior.conditions import UNKNOWN, loudness_value, position_value
from distill.models.prior.sounds import CodedSound
from distill.names import printable

MOST_LEVELS, MOST_NAMES = 32, 8
_MOST_SHOWN = 12
Classes = str | Sequence[str] | None
Loudness = float | Sequence[float] | None
Brightness = float | Sequence[float] | None


@dataclass(frozen=True)
class Wanted:
    """What a prior is told of the steps that it draws; of what it is not, it knows nothing."""

    conditions: tuple[str, ...] = ()
    """That the prior has."""
    classes: tuple[int, ...] = ()
    """Of the sounds that follow one another, in turn, from 1 on; () for any."""
    loudness_db: tuple[float, ...] = ()
    """Levels spread evenly over what is drawn, with straight lines between them; () for any."""
    begin: int = 0
    """Steps of the prompt."""
    steps: int | None = None
    """With the prompt; None where nobody knows when it ends."""
    longest: int = 0
    """Steps of the longest recording: further from its end no sound knows of it."""
    is_within: bool = False
    """Whether the steps lie within one sound, of whose begin and end nothing is told."""
    brightness_hz: tuple[float, ...] = ()
    """As the levels of loudness, with lines that are straight in octaves; () for any."""

    @property
    def asks(self) -> bool:
        """Whether a person asks for a class, a loudness or a brightness."""
        return bool(self.classes or self.loudness_db or self.brightness_hz)

    @property
    def unasked(self) -> Wanted:
        """The same without these."""
        return replace(self, classes=(), loudness_db=(), brightness_hz=())

    @property
    def within_a_sound(self) -> Wanted:
        """The same of steps within one sound; of one class, and nothing where nothing is asked.

        Raises:
            ConfigError: several classes, which would be those of one sound after the other.
        """
        if len(self.classes) > 1:
            raise ConfigError(
                f"{len(self.classes)} classes: a sound that is varied or filled has one"
            )
        return replace(self, is_within=True) if self.asks else NOTHING_WANTED

    def ends_at_its_end(self, step: int) -> bool:
        """Whether the sound of a step is to last until all is drawn, and no other begins."""
        if self.is_within or POSITION not in self.conditions or self.steps is None:
            return False
        return self.steps - step <= self.longest

    def values(self, step: int, since: int, sound: int) -> list[int]:
        """What is told of a step.

        Args:
            step: from the begin of all on.
            since: steps since its sound began.
            sound: number of that sound, from 0 on.
        """
        told: list[int] = []
        for name in self.conditions:
            if name == CLASS:
                told.append(self.classes[sound % len(self.classes)] if self.classes else UNKNOWN)
            elif name == LOUDNESS:
                level = self._along(self.loudness_db, step)
                told.append(UNKNOWN if level is None else int(loudness_value(level)))
            elif name == BRIGHTNESS:
                octaves = self._along([math.log2(hz) for hz in self.brightness_hz], step)
                told.append(UNKNOWN if octaves is None else int(brightness_value(2**octaves)))
            else:
                told += self._position(step, since)
        return told

    def _along(self, levels: Sequence[float], step: int) -> Tensor | None:
        """Where levels that are spread over what is drawn have come to at a step; None: nowhere."""
        is_behind = self.is_within and self.steps is not None and step >= self.steps
        if not levels or step < self.begin or is_behind:
            return None
        places = len(levels) - 1
        drawn = 0 if self.steps is None else max(1, self.steps - self.begin - 1)
        place = min(places, places * (step - self.begin) / drawn) if drawn else 0.0
        first = int(place)
        level, after = levels[first], levels[min(first + 1, places)]
        return torch.tensor(level + (place - first) * (after - level))

    def _position(self, step: int, since: int) -> list[int]:
        if self.is_within:
            return [UNKNOWN, UNKNOWN]
        if self.steps is None or not self.ends_at_its_end(step):
            return [int(position_value(torch.tensor(since))), UNKNOWN]
        both: Tensor = position_value(torch.tensor([since, self.steps - step]))
        return [int(value) for value in both]


NOTHING_WANTED = Wanted()


def wanted_of(
    config: PriorConfig,
    sounds: Sequence[CodedSound],
    classes: Classes = None,
    loudness: Loudness = None,
    brightness: Brightness = None,
    *,
    begin: int = 0,
    steps: int | None = None,
) -> Wanted:
    """What a person asks of new sounds, checked.

    Args:
        config: of the prior.
        sounds: what it learned from.
        classes: the name of a class, or of those that sounds are to have in turn; None for any.
        loudness: a level in dB beside that of the recordings on the average, or several that are
            spread evenly over what is drawn; None for any.
        brightness: a mean frequency in Hz, or several that are spread likewise; None for any.
        begin: steps of the prompt.
        steps: of prompt and sound; None where nobody knows.

    Raises:
        PriorError: it was trained without that condition; says how to train one with it.
        ConfigError: a class that nobody knows, with those that there are; or no such levels.
    """
    numbers = _numbers_of(config, classes)
    beside = "dB beside your recordings on the average"
    levels = _contour(config, LOUDNESS, loudness, "level", (SOFTEST_DB, LOUDEST_DB), beside)
    audible = DARKEST_HZ, BRIGHTEST_HZ
    bright = _contour(config, BRIGHTNESS, brightness, "mean frequency", audible, "Hz")
    if steps is None and max(len(levels), len(bright)) > 1:
        name = LOUDNESS if len(levels) > 1 else BRIGHTNESS
        raise ConfigError(
            f"{name}: several levels are spread over a sound of some length; name one level where "
            "nobody knows when it ends, as in a loop"
        )
    names = {config.classes[number - 1] for number in numbers}
    lengths = [len(x) for s in sounds if not names or s.group in names for x in s.grids]
    return Wanted(
        config.conditions, numbers, levels, begin, steps, max(lengths, default=0),
        brightness_hz=bright,
    )  # fmt: skip


def _numbers_of(config: PriorConfig, classes: Classes) -> tuple[int, ...]:
    if classes is None:
        return ()
    _check_has(config, CLASS)
    names = (classes,) if isinstance(classes, str) else classes
    if not isinstance(names, Sequence) or not 1 <= len(names) <= MOST_NAMES:
        raise ConfigError(
            f"classes={shown(repr(classes))}: expected a name, or up to {MOST_NAMES} of them"
        )
    for name in names:
        if name not in config.classes:
            raise ConfigError(_unknown_class(name, config.classes))
    return tuple(1 + config.classes.index(name) for name in names)


def _unknown_class(name: Any, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(name)[:60], known, n=1)
    hint = f"did you mean {printable(near[0])}? " if near else ""
    listed = ", ".join(map(printable, known[:_MOST_SHOWN]))
    more = f" and {len(known) - _MOST_SHOWN} more" if len(known) > _MOST_SHOWN else ""
    return f"class {shown(name)}: no such class; {hint}this prior knows {listed}{more}"


def _contour(
    config: PriorConfig, name: str, asked: Any, what: str, within: tuple[float, float], unit: str
) -> tuple[float, ...]:
    """A number, or several, all within a range; () where nobody asks."""
    if asked is None:
        return ()
    _check_has(config, name)
    low, high = within
    is_list = isinstance(asked, Sequence) and not isinstance(asked, str)
    found = [as_float(number) for number in (asked if is_list else (asked,))]
    numbers = tuple(x for x in found if x is not None and low <= x <= high)
    if len(numbers) != len(found) or not 1 <= len(numbers) <= MOST_LEVELS:
        raise ConfigError(
            f"{name}={shown(repr(asked))}: expected a {what} from {low:g} to {high:g} {unit}, or "
            f"up to {MOST_LEVELS}"
        )
    return numbers


def typed_levels(text: str) -> list[float]:
    """Levels of loudness in dB, as they are typed.

    Raises:
        ConfigError: something else than numbers with commas between them.
    """
    return _typed(text, f"loudness={shown(repr(text))}: expected levels in dB", "-40,0,-30")


def typed_brightness(text: str) -> list[float]:
    """Levels of brightness in Hz, as they are typed.

    Raises:
        ConfigError: something else than numbers with commas between them.
    """
    return _typed(text, f"brightness={shown(repr(text))}: expected frequencies in Hz", "500,4000")


def _typed(text: str, expected: str, example: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"{expected} with commas between them, as {example}") from error


def _check_has(config: PriorConfig, condition: str) -> None:
    if condition in config.conditions:
        return
    asked = ",".join((*config.conditions, condition))
    raise PriorError(
        f"this prior was trained without the condition {condition!r}; train one with it: distill "
        f"train-prior MODEL FOLDER --conditions {asked} --overwrite, in Python "
        f"get_adaptive_prior_config(..., conditions={(*config.conditions, condition)!r})"
    )
