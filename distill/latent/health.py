"""How well the dimensions of a latent space are used: sums over batches, and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from msgspec import Meta
from torch import Tensor

from distill.arrays import as_tensor
from distill.errors import ShapeError
from distill.health_rows import HEALTHY, Cell, Curve, Health, Profile
from distill.latent.gaussian import divergence
from distill.markup import number

ACTIVE_VARIANCE = 0.01
"""A unit whose mean varies less than this over the data says nothing; Burda et al. 2015."""
_SUMS = ("kl", "mean", "square")


def latent_sums(mean: Tensor, log_variance: Tensor) -> dict[str, Tensor]:
    """What `latent_health` needs to know of a batch; sums of several batches are those of all.

    Args:
        mean: (batch, dims, steps).
        log_variance: the same shape.

    Returns:
        Sums over batch and time on the same device: `kl` in nats, `mean` and `square` of the mean,
        (dims,) each; `positions`, how many were summed, a scalar.

    Raises:
        ShapeError: the shapes differ or are not 3-D, or hold other numbers than floating point.
    """
    mean, log_variance = as_tensor(mean, "mean"), as_tensor(log_variance, "log_variance")
    kl = divergence(mean, log_variance).detach()
    mean = mean.detach().float()
    return {
        "kl": kl.sum(dim=(0, 2)),
        "mean": mean.sum(dim=(0, 2)),
        "square": mean.square().sum(dim=(0, 2)),
        "positions": torch.tensor(float(mean[:, 0].numel()), device=mean.device),
    }


def no_latent_sums(dims: int) -> dict[str, Tensor]:
    """`latent_sums` of no batch at all, on the CPU, in double precision."""
    zeros = {name: torch.zeros(dims, dtype=torch.float64) for name in _SUMS}
    return {**zeros, "positions": torch.zeros((), dtype=torch.float64)}


@dataclass(frozen=True)
class LatentHealth(Health):
    """How the dimensions of a latent space are used over some sounds."""

    parts: ClassVar[str] = "Latents"
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("KL, nats a step", lambda health: health.total_kl),
    )

    units: Annotated[int, Meta(ge=1, le=4096)]
    """Dimensions there are."""
    active_units: int
    """Those whose mean varies over the data: the others say nothing."""
    kl: tuple[float, ...]
    """Nats a time step that each dimension says."""
    total_kl: float
    """Nats a time step that all of them say together."""

    @property
    def active_share(self) -> float:
        """Active units among all, 0 to 1."""
        return min(1.0, self.active_units / self.units)

    @property
    def used(self) -> float:
        """The share of active units."""
        return self.active_share

    @property
    def profile(self) -> Profile:
        """What each dimension says, those that say most first."""
        most = sorted(self.kl, key=lambda nats: nats if nats == nats else 0.0, reverse=True)
        return Profile("KL of each dimension, nats a step, largest first", tuple(most))

    @property
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""
        if self.verdict == HEALTHY:
            return ""
        return (
            f"{self.active_units} of {self.units} latent units say anything about the sound: a "
            "lower kl_weight or more free_bits wakes the others, a smaller latent_dim would lose "
            "nothing"
        )

    def cells(self) -> tuple[Cell, ...]:
        """The share of active units, how many those are, and what all of them say."""
        return (
            Cell("bottleneck", "latents"),
            Cell("used", number(self.used, ".0%"), share=self.used),
            Cell("active", f"{number(self.active_units)} of {number(self.units)}"),
            Cell("KL, nats/step", number(self.total_kl, ".2f")),
        )


def latent_health(sums: Mapping[str, Tensor]) -> LatentHealth:
    """The summary of what `latent_sums` summed.

    Args:
        sums: of one batch or of many, added up.

    Raises:
        ShapeError: nothing was summed, or dimensions that do not match, or no numbers.

    Source: Burda et al. 2015, "Importance Weighted Autoencoders", for active units.
    """
    columns = [as_tensor(sums[name], name).detach().double().cpu() for name in _SUMS]
    positions = float(sums["positions"])
    shapes = [tuple(column.shape) for column in columns]
    if not positions > 0 or len(set(shapes)) > 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise ShapeError(f"sums {shapes} over {positions:g} positions: expected (dims,) each")
    kl, mean, square = (column / positions for column in columns)
    active = square - mean.square() > ACTIVE_VARIANCE
    return LatentHealth(len(kl), int(active.sum()), tuple(kl.tolist()), float(kl.sum()))
