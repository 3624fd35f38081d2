"""How well the dimensions of a latent space are used: sums over batches, and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from distill.errors import ShapeError
from distill.latent.gaussian import divergence

ACTIVE_VARIANCE = 0.01
"""A unit whose mean varies less than this over the data says nothing; Burda et al. 2015."""
THIN = 0.30
"""Below this share of active units a warning is worth while."""
COLLAPSING = 0.10
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
        ShapeError: the shapes differ or are not 3-D.
    """
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
class LatentHealth:
    """How the dimensions of a latent space are used over some sounds."""

    units: int
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
        return self.active_units / self.units

    @property
    def verdict(self) -> str:
        """healthy, thin or collapsing."""
        if self.active_share < COLLAPSING or not self.active_units:
            return "collapsing"
        return "thin" if self.active_share < THIN else "healthy"

    @property
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""
        if self.verdict == "healthy":
            return ""
        return (
            f"{self.active_units} of {self.units} latent units say anything about the sound: a "
            "lower kl_weight or more free_bits wakes the others, a smaller latent_dim would lose "
            "nothing"
        )


def latent_health(sums: Mapping[str, Tensor]) -> LatentHealth:
    """The summary of what `latent_sums` summed.

    Args:
        sums: of one batch or of many, added up.

    Raises:
        ShapeError: nothing was summed, or dimensions that do not match.

    Source: Burda et al. 2015, "Importance Weighted Autoencoders", for active units.
    """
    columns = [sums[name].double().cpu() for name in _SUMS]
    positions = float(sums["positions"])
    shapes = [tuple(column.shape) for column in columns]
    if not positions > 0 or len(set(shapes)) > 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise ShapeError(f"sums {shapes} over {positions:g} positions: expected (dims,) each")
    kl, mean, square = (column / positions for column in columns)
    active = square - mean.square() > ACTIVE_VARIANCE
    return LatentHealth(len(kl), int(active.sum()), tuple(kl.tolist()), float(kl.sum()))
