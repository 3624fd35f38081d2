"""Pad: a generated sound, and what it was asked to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distill.codebook.codes import Codes
from distill.models.prior.copying import SharedRun
from distill.models.prior.drawing import Drawing
from distill_widgets.inside.pad_told import ANY, Told


@dataclass(frozen=True)
class Asked:
    """A sound that is to be drawn."""

    number: int
    """From 1; no other pad ever has it."""
    made: str
    """How, in words."""
    seconds: float
    """About its length."""
    seed: int
    """What is drawn of it is drawn with this seed, ..."""
    drawing: Drawing
    """... and as boldly as this."""
    told: Told = ANY
    """What it is asked to be."""
    weights: str = ""
    """Of a run: which they are that draw it."""
    loops: bool = False
    """Whether it ends where it begins, and is to be repeated."""

    @property
    def settings(self) -> dict[str, Any]:
        """As the methods of a model take them."""
        return {"seed": self.seed, **self.drawing.to_dict(), **self.told.to_dict()}


@dataclass(frozen=True)
class Pad:
    """A generated sound."""

    asked: Asked
    codes: Codes
    shared: SharedRun
    """What it has copied."""
    kept: bool = False

    @property
    def number(self) -> int:
        """See `Asked`."""
        return self.asked.number
