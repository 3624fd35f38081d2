"""Convolution blocks over (batch, channels, time)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNeXtBlock(nn.Module):
    """A residual block: depthwise convolution over time, then a small network at each time.

    Source: Liu et al. 2022, "A ConvNet for the 2020s", in one dimension.
    """

    def __init__(self, channels: int, *, kernel_size: int = 7, expansion: int = 3) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels
        )
        self.norm = nn.LayerNorm(channels)
        self.up = nn.Linear(channels, expansion * channels)
        self.down = nn.Linear(expansion * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to the same shape."""
        h = self.depthwise(x).transpose(1, 2)
        h = self.down(F.gelu(self.up(self.norm(h)))) * self.scale
        return x + h.transpose(1, 2)


class Downsample(nn.Module):
    """Strided convolution: time must be a multiple of `stride`."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv1d(channels, channels, 2 * stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to (batch, channels, time / stride)."""
        left = self.stride // 2
        return self.conv(F.pad(x, (left, self.stride - left)))


class Upsample(nn.Module):
    """Transposed convolution, the mirror of `Downsample`."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.ConvTranspose1d(channels, channels, 2 * stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to (batch, channels, time * stride)."""
        left = self.stride // 2
        return self.conv(x)[..., left : left + x.shape[-1] * self.stride]
