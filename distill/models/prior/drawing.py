"""Drawing: how one code is drawn from logits, by one random number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from distill.arrays import as_count, as_float
from distill.config.fields import shown
from distill.errors import ConfigError

_MOST_ENTRIES = 65_536
_HIGHEST_TEMPERATURE = 1000.0
_COLDEST = 1e-6
"""Below this temperature the likeliest is taken, as with 0."""


@dataclass(frozen=True)
class Drawing:
    """How boldly codes are drawn.

    Raises:
        ConfigError: a value outside its range.
    """

    temperature: float = 1.0
    """0 takes the likeliest; 1 draws as was learned; above, more freely."""
    top_k: int | None = None
    """Draws among so many of the likeliest only."""
    top_p: float | None = None
    """Draws among the likeliest that together have this share; Holtzman et al. 2020."""
    novelty: float = 0.0
    """How short runs along recordings are kept: 0 not at all, 1 below what is called a copy."""

    def __post_init__(self) -> None:
        self._set("temperature", _number("temperature", self.temperature, _HIGHEST_TEMPERATURE))
        if self.top_k is not None:
            self._set("top_k", as_count(self.top_k, "top_k", _MOST_ENTRIES, error=ConfigError))
        if self.top_p is not None:
            share = _number("top_p", self.top_p, 1.0)
            if share == 0.0:
                raise ConfigError("top_p=0: expected above 0; temperature=0 takes the likeliest")
            self._set("top_p", share)
        self._set("novelty", _number("novelty", self.novelty, 1.0))

    def _set(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)  # frozen for everybody else

    @property
    def _takes_the_likeliest(self) -> bool:
        return self.temperature < _COLDEST

    def to_dict(self) -> dict[str, Any]:
        """What differs from drawing as was learned, by name."""
        values = {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        if self.novelty:
            values["novelty"] = self.novelty
        return {name: value for name, value in values.items() if value is not None}

    def draw(self, logits: Tensor, chance: float) -> int:
        """One code.

        Args:
            logits: (entry,) float64.
            chance: a random number, 0 to 1; the same one draws the same code.
        """
        if self._takes_the_likeliest:
            return int(logits.argmax())
        codes: Tensor | None = None
        if self.top_k is not None or self.top_p is not None:
            logits, codes = torch.sort(logits, descending=True, stable=True)
        sums = torch.softmax((logits - logits.max()) / self.temperature, dim=0).cumsum(0)
        kept = len(sums) if self.top_k is None else min(self.top_k, len(sums))
        if self.top_p is not None:
            kept = min(kept, int((sums < self.top_p * sums[-1]).sum()) + 1)
        sums = sums[:kept]
        place = int(torch.searchsorted(sums, chance * float(sums[-1]), right=True))
        place = min(place, kept - 1)
        return place if codes is None else int(codes[place])

    def happens(self, logit: float, chance: float) -> bool:
        """Whether something of this logit happens, as the end of a sound."""
        if self._takes_the_likeliest:
            return logit > 0
        return chance < 1 / (1 + math.exp(-max(-700.0, min(700.0, logit))))


def _number(name: str, value: Any, most: float) -> float:
    number = as_float(value)
    if number is None or not 0.0 <= number <= most:
        raise ConfigError(f"{name}={shown(repr(value))}: expected a number from 0 to {most:g}")
    return number
