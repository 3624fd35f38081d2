"""Whether a run still gets better by validation, and what stopping it would lose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distill.words import counted

PLATEAU_EPOCHS = 4
"""Epochs without a gain that make a plateau: small validation sets go up and down by chance for two
or three, and the watch for overfitting speaks from three on."""
LEAST_GAIN = 0.005
"""Share of the validation loss that counts as better: less is no difference that anybody hears, and
some epochs of nearly every run gain that by chance. Gains of many epochs add up."""


@dataclass(frozen=True)
class Plateau:
    """Epochs in which validation has not become better.

    The best weights by validation are kept through every stop, pause and resume, whatever the
    family and the settings: so nothing that was learned is lost by stopping now.
    """

    epochs: int
    """How many, from `PLATEAU_EPOCHS` on."""
    best_epoch: int
    """Whose weights are kept, from 0: the very lowest validation loss, be it by a hair."""

    @property
    def while_running(self) -> str:
        """What a person may do about it, while there is something to stop."""
        return (
            f"no better for {counted(self.epochs, 'epoch')}; stopping now loses nothing: the "
            f"weights of epoch {self.best_epoch + 1}, the best by validation, are kept"
        )

    @property
    def afterwards(self) -> str:
        """The same of a run that has ended."""
        return (
            f"no better in its last {counted(self.epochs, 'epoch')}; the weights of epoch "
            f"{self.best_epoch + 1}, the best by validation, are kept"
        )


def plateau_of(epochs: Sequence[Any]) -> Plateau | None:
    """The plateau that a run is on; None while it gets better, or nobody can say.

    Args:
        epochs: events of all its epochs, of any family, in order.
    """
    lowest, since = math.inf, 0  # the loss that the next has to beat, and how many epochs ago
    for epoch in epochs:
        loss = epoch.val_loss
        since += 1
        if math.isinf(lowest) or loss < lowest - LEAST_GAIN * abs(lowest):
            lowest, since = (loss if math.isfinite(loss) else math.inf), 0
    best = next((epoch for epoch in reversed(epochs) if epoch.is_best), None)
    if since < PLATEAU_EPOCHS or best is None or not math.isfinite(best.val_loss):
        return None
    return Plateau(since, best.epoch)
