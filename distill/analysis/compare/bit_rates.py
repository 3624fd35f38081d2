"""What codes cost: their bits if all entries were alike, and if they are counted first."""

from __future__ import annotations

import numpy as np

from distill.config import VQVAEConfig


def nominal_bps(config: VQVAEConfig) -> np.ndarray:
    """Bits a second of the first 1 … Q levels, every code written with equal length: (level,)."""
    return np.array([config.bits_per_second_of(levels + 1) for levels in range(config.levels)])


def entropy_bps(counts: np.ndarray, lengths: np.ndarray, steps_per_second: float) -> np.ndarray:
    """Bits a second that an ideal code, built from the uses in all counts, would spend on each.

    Args:
        counts: uses of each entry in some sounds, (sound, level, entry).
        lengths: steps of each sound, (sound,).
        steps_per_second: of the code grid.

    Returns:
        (sound, level), with the first 1 … Q levels. A sound that says what others seldom say
        costs more than the mean; weighed by length, the mean is the entropy of all codes together.

    Source: Shannon 1948; for one sound the cross-entropy to the codes of all.
    """
    together = counts.sum(axis=0)
    shares = together / together.sum(axis=1, keepdims=True)
    bits = -np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    spent = (counts * bits).sum(axis=2) / lengths[:, None]
    return spent.cumsum(axis=1) * steps_per_second
