"""What the models minimise."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from distill.errors import ShapeError

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
