"""What the models minimise."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from distill.errors import ShapeError
from distill.latent.gaussian import divergence

_RESOLUTIONS = ((2, 0.5), (4, 0.5))  # (pooling, weight) beside full resolution at weight 1


def multi_resolution_l1(reconstruction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference at full, half and quarter resolution in time and frequency.

    The coarse terms ask for the right energy in a region where the fine detail is lost anyway.

    Args:
        reconstruction: (batch, n_mels, frames) log-mel.
        target: the same shape.

    Returns:
        A scalar; 0 for equal inputs.

    Raises:
        ShapeError: the shapes differ or are not 3-D.
    """
    if reconstruction.shape != target.shape or target.ndim != 3:
        raise ShapeError(
            f"reconstruction {tuple(reconstruction.shape)} and target {tuple(target.shape)}: "
            "expected two of (batch, n_mels, frames)"
        )
    error = (reconstruction.float() - target.float())[:, None]
    loss = error.abs().mean()
    for pooling, weight in _RESOLUTIONS:
        if min(error.shape[-2:]) >= pooling:
            loss = loss + weight * F.avg_pool2d(error, pooling).abs().mean()
    return loss


def vqvae_loss(
    reconstruction: Tensor,
    target: Tensor,
    commitment: Tensor,
    *,
    commitment_weight: float = 0.25,
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of an RVQ-VAE; the codebooks themselves follow by moving averages.

    Args:
        reconstruction: (batch, n_mels, frames) log-mel.
        target: the same shape.
        commitment: unweighted, any shape; its sum counts.
        commitment_weight: applied here, once, and nowhere else.

    Returns:
        Scalars (total, reconstruction part, weighted commitment part).

    Raises:
        ShapeError: `reconstruction` and `target` do not match.
    """
    distance = multi_resolution_l1(reconstruction, target)
    penalty = commitment_weight * commitment.sum()
    return distance + penalty, distance, penalty


def annealed(weight: float, progress: float, warmup: float) -> float:
    """A weight that grows in a straight line from 0 over the first part of a training.

    Args:
        weight: reached when the warm-up ends.
        progress: share of the budget used, 0 to 1.
        warmup: share of the budget over which it grows; 0 for none.

    Source: Bowman et al. 2016, "Generating Sentences from a Continuous Space".
    """
    return weight * min(1.0, progress / warmup) if warmup > 0 else weight


def vae_loss(
    reconstruction: Tensor,
    target: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    *,
    kl_weight: float = 1e-3,
    free_bits: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of a VAE: distance, and what the latents say beyond the prior.

    Args:
        reconstruction: (batch, n_mels, frames) log-mel.
        target: the same shape.
        mean: (batch, dims, steps).
        log_variance: the same shape.
        kl_weight: of the sum over dimensions, applied here and nowhere else.
        free_bits: nats that each dimension may use at no cost, on the average of the batch.

    Returns:
        Scalars (total, reconstruction part, weighted KL part).

    Raises:
        ShapeError: `reconstruction` and `target`, or `mean` and `log_variance`, do not match.

    Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow",
    for the free bits.
    """
    distance = multi_resolution_l1(reconstruction, target)
    nats = divergence(mean, log_variance).mean(dim=(0, 2))
    penalty = kl_weight * nats.clamp(min=free_bits).sum()
    return distance + penalty, distance, penalty
