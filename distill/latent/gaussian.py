"""The Gaussian of a time step: how far it is from the prior."""

from __future__ import annotations

import torch
from torch import Tensor

from distill.arrays import as_tensor
from distill.errors import ShapeError


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of normal distributions from the standard one, in nats.

    Args:
        mean: (batch, dims, steps).
        log_variance: the same shape.

    Returns:
        The same shape, float32, >= 0.

    Raises:
        ShapeError: the shapes differ or are not 3-D, or hold other numbers than floating point.

    Source: Kingma and Welling 2014, appendix B.
    """
    mean, log_variance = as_tensor(mean, "mean"), as_tensor(log_variance, "log_variance")
    if mean.shape != log_variance.shape or mean.ndim != 3:
        raise ShapeError(
            f"mean {tuple(mean.shape)} and log_variance {tuple(log_variance.shape)}: expected two "
            "of (batch, dims, steps)"
        )
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + torch.expm1(log_variance) - log_variance)
