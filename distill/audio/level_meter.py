"""Measures a sound while it is decoded: offset, channels that cancel, samples that cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SILENCE_PEAK = 1e-4
"""-80 dBFS: a sound that never exceeds it is silence. 16-bit dither stays below it."""
IMPOSSIBLE = 1e10
"""No sound is this loud, not even whole numbers of 32 bits kept as floating point."""
LOUD = 4.0
"""Beyond this (+12 dBFS) a lone peak is looked into."""
LONE = 1 / 30, 8
"""A peak is lone where fewer samples than this come within this share of it."""

_HOPS_PER_S = 50
_ALL_HOPS = 250  # five seconds
_HOP_SAMPLES = 1 << 20  # of all channels together
_CANCELS = 0.2
_CANCELLED_SHARE = 0.25
_OFFSET_SHARE = 0.005


@dataclass(frozen=True)
class Levels:
    """What was measured over a whole sound."""

    peak: float
    """Largest absolute sample of any channel."""
    peak_at: int
    """The frame it is in, where it is beyond `LOUD`."""
    highest: float
    lowest: float
    """Of the mono sound."""
    offset: float
    """The constant part of the mono sound; 0 where it is none to speak of."""
    best_channel: int
    cancels: bool
    """Whether mixing the channels takes away what is in them."""


class Meter:
    """Takes the blocks of a sound in order and measures them, however they are cut."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._hop = max(16, min(sample_rate // _HOPS_PER_S, _HOP_SAMPLES // channels))
        self._channels = channels
        self._rest = np.zeros((0, channels + (channels > 1)), np.float32)
        self._hops = 0
        self._means: list[np.ndarray] = []
        self._energy = np.zeros(channels)
        self._cancelled = self._total = 0.0
        self._peak, self._peak_at, self._frames = 0.0, 0, 0
        self._highest, self._lowest = -np.inf, np.inf

    def add(self, block: np.ndarray, mono: np.ndarray) -> None:
        """Takes the next (frames, channels) and their mix, (frames,); both finite."""
        highest, lowest = float(block.max()), float(block.min())
        if (loudest := max(highest, -lowest)) > self._peak:
            self._peak = loudest
            if loudest > LOUD:
                at = int(np.abs(block).argmax()) // self._channels
                self._peak_at = self._frames + at
        self._frames += len(block)
        if self._channels > 1:
            highest, lowest = float(mono.max()), float(mono.min())
        self._highest, self._lowest = max(self._highest, highest), min(self._lowest, lowest)
        if self._channels > 1:  # the mix is measured like one channel more
            block = np.concatenate([block, mono[:, None]], axis=1)
        block = np.concatenate([self._rest, block]) if len(self._rest) else block
        hops = len(block) // self._hop
        self._rest = block[hops * self._hop :].copy()
        if hops:
            whole = block[: hops * self._hop].reshape(hops, self._hop, block.shape[1])
            self._measure(self._sample(whole))

    def _sample(self, hops: np.ndarray) -> np.ndarray:
        """Which hops are measured: the first ones all, of what comes later every fourth."""
        numbers = self._hops + np.arange(len(hops))
        self._hops += len(hops)
        if numbers[-1] < _ALL_HOPS:
            return hops
        chosen: np.ndarray = hops[(numbers < _ALL_HOPS) | (numbers % 4 == 0)]
        return chosen

    def _measure(self, hops: np.ndarray) -> None:
        if not len(hops):
            return
        rows = np.ascontiguousarray(hops.transpose(0, 2, 1), dtype=np.float64)
        means = rows.mean(axis=2)
        self._means.append(means[:, -1])
        if self._channels == 1:
            return
        energy = np.einsum("hcn,hcn->hc", rows, rows) / rows.shape[2]
        energy = np.maximum(energy - means**2, 0.0)
        energy, mix = energy[:, :-1], energy[:, -1]
        self._energy += energy.sum(axis=0)
        each = energy.mean(axis=1)
        self._total += float(each.sum())
        self._cancelled += float(each[mix * self._channels < _CANCELS * each].sum())

    def levels(self) -> Levels:
        """The measure of all that was added."""
        if len(self._rest) and not self._means:  # shorter than a hop
            self._measure(self._rest[None])
        highest, lowest = (self._highest, self._lowest) if self._frames else (0.0, 0.0)
        return Levels(
            peak=self._peak,
            peak_at=self._peak_at,
            highest=highest,
            lowest=lowest,
            offset=self._offset(highest, lowest),
            # The first of those that are about equally loud: which one is chosen is no accident.
            best_channel=int(np.argmax(self._energy >= 0.98 * self._energy.max())),
            cancels=self._cancelled > _CANCELLED_SHARE * self._total,
        )

    def _offset(self, highest: float, lowest: float) -> float:
        """What all hops have in common: a drum's own unevenness is not in its tail."""
        if not self._means:
            return 0.0
        means = np.concatenate(self._means)
        middle = float(np.median(means))
        deviations = np.abs(means - middle)
        spread = 1.4826 * float(np.median(deviations))
        near = float(means[deviations <= 3 * spread].mean())
        swing = max(highest - near, near - lowest)
        # Where a slow swing has its hops on two sides, the middle one is on either.
        everywhere = abs(float(means.mean()) - near) <= 0.5 * abs(near)
        certain = everywhere and (len(means) >= 3 or abs(near) > 10 * swing)
        if not certain or abs(near) <= 4 * spread / len(means) ** 0.5:
            return 0.0
        return near if abs(near) > _OFFSET_SHARE * swing else 0.0
