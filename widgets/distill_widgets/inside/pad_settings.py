"""PadSettings: how the next sound of a `Generator` is made, as people set it."""

from __future__ import annotations

from typing import Any

import ipywidgets

from distill.models.prior.drawing import Drawing
from distill_widgets.inside.pad_board import LONGEST_S
from distill_widgets.page.controls import labelled

_HOTTEST = 2.0
_MOST_DIGITS = 19  # of a seed


class PadSettings:
    """Fields for temperature, novelty, length and seed.

    Args:
        drawing: what they begin with.
        seconds: the length that they begin with.
    """

    def __init__(self, drawing: Drawing, seconds: float) -> None:
        self.temperature = _slider("Temperature", drawing.temperature, _HOTTEST)
        self.novelty = _slider("Novelty", drawing.novelty, 1.0)
        self.seconds = labelled(
            ipywidgets.BoundedFloatText, "Seconds", value=seconds, min=0.1, max=LONGEST_S, step=0.5
        )
        self.seed = labelled(ipywidgets.Text, "Seed", continuous_update=False)

    @property
    def fields(self) -> list[ipywidgets.Widget]:
        """Below each other."""
        return [self.temperature, self.novelty, self.seconds, self.seed]

    @property
    def drawing(self) -> Drawing:
        """How boldly the next sound is drawn."""
        return Drawing(temperature=float(self.temperature.value), novelty=float(self.novelty.value))

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
