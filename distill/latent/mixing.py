"""Latents on the way from one sound to another."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.latent.latents import Latents


def mixed(a: Latents, b: Latents, amount: float) -> Latents:
    """Latents between two others of one model: values, length and loudness in a straight line.

    Both are stretched in time to the new length first. An amount of 0 gives `a` itself, 1 gives
    `b`.

    Args:
        a: of the same dimensions, rate and steps as `b`.
        b: see `a`.
        amount: from 0 to 1.
    """
    if amount in (0, 1):
        return b if amount else a
    steps = max(1, round(_between(a.steps, b.steps, amount)))
    values = torch.lerp(_stretched(a.tensor(), steps), _stretched(b.tensor(), steps), amount)
    return replace(
        a,
        values=values.numpy(),
        samples=_samples(a, b, amount, steps),
        peak=_between(a.peak, b.peak, amount),
    )


def _samples(a: Latents, b: Latents, amount: float, steps: int) -> int:
    """Length of the sound: a sample less than its steps last, at most."""
    most = round(steps * a.step_seconds * a.sample_rate) - 1
    return min(round(_between(a.samples, b.samples, amount)), most)


def _stretched(values: Tensor, steps: int) -> Tensor:
    """(dims, steps) at another number of steps, the first and the last where they were."""
    if values.shape[1] in (1, steps):
        return values.expand(-1, steps)
    return F.interpolate(values[None], steps, mode="linear", align_corners=True)[0]


def _between(one: float, other: float, amount: float) -> float:
    return one + amount * (other - one)
