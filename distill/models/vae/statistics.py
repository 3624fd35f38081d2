"""LatentStatistics: what the latents of the training sounds are like, kept with the weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, distributed as dist, nn

_SLOWEST = 0.01  # share of a new batch in the averages, once a hundred have been seen
_RIDGE = 1e-6
_LONGEST_MEMORY = 0.999


class LatentStatistics(nn.Module):
    """Running averages of the latents and of how each step follows the one before.

    They are kept as BatchNorm keeps its averages: in the model's state, so that every checkpoint
    and every file can make new sounds that resemble its corpus. Before anything is learned they are
    those of the prior, a standard normal distribution of independent steps.
    """

    first: Tensor
    second: Tensor
    lagged: Tensor
    batches: Tensor

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.register_buffer("first", torch.zeros(dims))
        self.register_buffer("second", torch.eye(dims))
        self.register_buffer("lagged", torch.zeros(dims, dims))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, latent: Tensor) -> None:
        """Averages over one more batch, of all processes; one that holds NaN or Inf changes
        nothing.

        Args:
            latent: (batch, dims, steps).
        """
        latent = latent.detach().float()
        after, before = latent[..., 1:], latent[..., :-1]
        new = (
            latent.mean(dim=(0, 2)),
            torch.einsum("bit,bjt->ij", latent, latent) / latent[:, 0].numel(),
            torch.einsum("bit,bjt->ij", after, before) / max(1, after[:, 0].numel()),
        )
        averaged = _over_processes(new)
        usable = torch.stack([torch.isfinite(value).all() for value in averaged]).all()
        share = usable / (self.batches + 1.0).clamp(max=1 / _SLOWEST)
        for average, value in zip((self.first, self.second, self.lagged), averaged, strict=True):
            average.lerp_(torch.where(usable, value, average), share)
        self.batches += usable

    @property
    def covariance(self) -> Tensor:
        """Covariance of the latents of one step, (dims, dims) float64 on the CPU."""
        mean = self.first.double().cpu()
        return _symmetric(self.second.double().cpu() - torch.outer(mean, mean))

    @torch.no_grad()
    def sample(self, count: int, steps: int, generator: torch.Generator) -> Tensor:
        """New latents that vary, and follow one another, as those of the training sounds.

        A linear process of order one: each step is drawn to where the one before leads, and pushed
        by noise that keeps the covariance as it is.

        Args:
            count: sequences.
            steps: of each.
            generator: of random numbers, on the CPU.

        Returns:
            (count, dims, steps) float32 on the CPU.
        """
        mean, covariance, follow = self.first.double().cpu(), self.covariance, self._follow()
        noise = _root(covariance - follow @ covariance @ follow.T)
        shape = steps, len(mean), count
        pushes = torch.randn(shape, generator=generator, dtype=torch.float64)
        state = _root(covariance) @ pushes[0]
        states = [state]
        for push in pushes[1:]:
            state = follow @ state + noise @ push
            states.append(state)
        return (torch.stack(states).permute(2, 1, 0) + mean[:, None]).float()

    def _follow(self) -> Tensor:
        """The matrix that leads from one step to the next, (dims, dims); never away from the mean
        for ever.
        """
        mean, covariance = self.first.double().cpu(), self.covariance
        lagged = self.lagged.double().cpu() - torch.outer(mean, mean)
        scale = covariance.diagonal().mean().clamp(min=_RIDGE)
        ridge = _RIDGE * scale * torch.eye(len(mean), dtype=torch.float64)
        follow = torch.linalg.solve(covariance + ridge, lagged, left=False)
        memory = float(torch.linalg.eigvals(follow).abs().max())
        return follow * min(1.0, _LONGEST_MEMORY / max(memory, _RIDGE))


def _over_processes(values: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Means over all processes that train together, so that each keeps the same averages."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return tuple(values)
    together = torch.cat([value.flatten() for value in values])
    dist.all_reduce(together)
    sizes = [value.numel() for value in values]
    parts = torch.split(together / dist.get_world_size(), sizes)
    return tuple(part.view_as(value) for part, value in zip(parts, values, strict=True))


def _symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.T) / 2


def _root(covariance: Tensor) -> Tensor:
    """A matrix whose product with its transpose is the covariance, negative variances left out."""
    values, vectors = torch.linalg.eigh(_symmetric(covariance))
    return vectors * values.clamp(min=0).sqrt()
