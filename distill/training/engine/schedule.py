"""How far a run is, and the learning rate that goes with it: pure functions of what was done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distill.config import TrainingConfig

_FLOOR = 0.02
_LONGEST_WARMUP = 0.1  # of the budget: a run of a few seconds must not end while warming up


@dataclass(frozen=True)
class Budget:
    """What ends a run; None means no such limit."""

    epochs: int | None
    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, config: TrainingConfig) -> Budget:
        """The budget a config asks for."""
        return cls(config.max_epochs, config.max_steps, config.budget_s)

    def progress(self, *, epochs: float, steps: int, seconds: float) -> float:
        """Share used, 0 to 1, of whichever limit is nearest.

        Example:
            >>> Budget(epochs=10, steps=None, seconds=60.0).progress(epochs=2, steps=9, seconds=30)
            0.5
        """
        shares = [
            done / limit
            for done, limit in ((epochs, self.epochs), (steps, self.steps), (seconds, self.seconds))
            if limit is not None
        ]
        return min(1.0, max(shares, default=0.0))

    def ended(self, *, epochs: int, steps: int, seconds: float) -> str | None:
        """The limit that is reached, by its name in the config, or None."""
        if self.epochs is not None and epochs >= self.epochs:
            return "max_epochs"
        if self.steps is not None and steps >= self.steps:
            return "max_steps"
        if self.seconds is not None and seconds >= self.seconds:
            return "max_seconds"
        return None


def learning_rate(
    config: TrainingConfig, *, step: int, progress: float, fine_tuning: bool = False
) -> float:
    """Linear warm-up, then a cosine down to 2 % at the end of the budget.

    Args:
        config: names the peak rate and the warm-up.
        step: optimiser steps done.
        progress: share of the budget used.
        fine_tuning: whether a trained model learns on, at a share of the rate.
    """
    warm = max((step + 1) / (config.warmup_steps + 1), progress / _LONGEST_WARMUP)
    cosine = _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))
    peak = config.learning_rate * (config.fine_tuning_share if fine_tuning else 1.0)
    return peak * min(1.0, warm) * cosine
