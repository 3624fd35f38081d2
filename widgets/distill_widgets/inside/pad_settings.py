"""PadSettings: how the next sound of a `Generator` is made, as people set it."""

from __future__ import annotations

from typing import Any

import ipywidgets

from distill.config import PriorConfig
from distill.config.conditions import (
    BRIGHTEST_HZ,
    BRIGHTNESS,
    CLASS,
    DARKEST_HZ,
    LOUDEST_DB,
    LOUDNESS,
    SOFTEST_DB,
)
from distill.markup import plain
from distill.models.prior.drawing import Drawing
from distill.models.prior.wanted import typed_brightness, typed_levels
from distill_widgets.inside.contour_field import ContourField
from distill_widgets.inside.pad_board import LONGEST_S
from distill_widgets.inside.pad_told import ANY, Told
from distill_widgets.page.controls import labelled

_HOTTEST = 2.0
_MOST_DIGITS = 19  # of a seed


class PadSettings:
    """Fields for temperature, novelty, length and seed; for class, loudness and brightness, where a
    prior can be told of them, else None.

    Args:
        drawing: what they begin with.
        seconds: the length that they begin with.
        config: of the prior.
        told: what these begin with.
    """

    def __init__(
        self, drawing: Drawing, seconds: float, config: PriorConfig, told: Told = ANY
    ) -> None:
        self.temperature = _slider("Temperature", drawing.temperature, _HOTTEST)
        self.novelty = _slider("Novelty", drawing.novelty, 1.0)
        self.seconds = labelled(
            ipywidgets.BoundedFloatText, "Seconds", value=seconds, min=0.1, max=LONGEST_S, step=0.5
        )
        self.seed = labelled(ipywidgets.Text, "Seed", continuous_update=False)
        knows = config.conditions
        self.kind = _kind(config, told) if CLASS in knows else None
        self.loudness = _loudness(told) if LOUDNESS in knows else None
        self.brightness = _brightness(told) if BRIGHTNESS in knows else None

    @property
    def fields(self) -> list[ipywidgets.Widget]:
        """Below each other."""
        told = [self.kind, self.loudness, self.brightness]
        known = [field for field in told if field is not None]
        return [self.temperature, self.novelty, *known, self.seconds, self.seed]

    @property
    def drawing(self) -> Drawing:
        """How boldly the next sound is drawn."""
        return Drawing(temperature=float(self.temperature.value), novelty=float(self.novelty.value))

    @property
    def told(self) -> Told:
        """What the next sound is asked to be.

        Raises:
            ConfigError: levels that are no numbers.
        """
        kind, loud, bright = map(_chosen, (self.kind, self.loudness, self.brightness))
        return Told(
            kind,
            tuple(typed_levels(loud)) if loud.strip() else (),
            tuple(typed_brightness(bright)) if bright.strip() else (),
        )

    @property
    def length_s(self) -> float:
        """Of the next sound."""
        return float(self.seconds.value)

    @property
    def typed_seed(self) -> Any:
        """The seed, None where there is none; what is no number is refused where it is used."""
        typed = str(self.seed.value).strip()
        is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS
        return int(typed) if is_number else typed or None


def _slider(label: str, value: float, most: float) -> Any:
    return labelled(
        ipywidgets.FloatSlider, label, value=value, min=0.0, max=max(most, value), step=0.05,
        readout_format=".2f",
    )  # fmt: skip


def _chosen(field: Any) -> str:
    return "" if field is None else str(field.value or "")


def _kind(config: PriorConfig, told: Told) -> Any:
    kinds = [("any", ""), *((plain(name), name) for name in config.classes)]
    return labelled(ipywidgets.Dropdown, "Class", options=kinds, value=told.kind)


def _loudness(told: Told) -> ContourField:
    return ContourField(
        "Loudness in dB", ", ".join(f"{level:g}" for level in told.loudness_db),
        (SOFTEST_DB, LOUDEST_DB), "dB", placeholder="-40, 0, -30",
        hint="beside your recordings on the average, from begin to end; empty: any",
    )  # fmt: skip


def _brightness(told: Told) -> ContourField:
    return ContourField(
        "Brightness in Hz", ", ".join(f"{hz:g}" for hz in told.brightness_hz),
        (DARKEST_HZ, BRIGHTEST_HZ), "Hz", in_octaves=True, placeholder="500, 4000",
        hint="the mean frequency, from begin to end; empty: any",
    )  # fmt: skip
