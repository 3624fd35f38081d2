"""Codes for latents, by the library's search over all levels, in few shapes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_POSITIONS, _MANY_POSITIONS = 256, 2048


def search(quantizer: nn.Module, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Quantizes without learning; each position is coded by itself.

    The library gets one of two shapes, as it works out anew, in a tenth of a second, what to do
    with each that it has not seen.

    Args:
        quantizer: the library's `ResidualVQ`, in eval mode.
        columns: (batch, steps, dim).

    Returns:
        What was quantized, (batch, steps, dim), and its codes, (batch, steps, level) int64.
    """
    batch, steps, dim = columns.shape
    made = [_coded(quantizer, rows) for rows in _pieces(columns.reshape(-1, dim))]
    quantized, codes = (torch.cat(parts) for parts in zip(*made, strict=True))
    return quantized.reshape(batch, steps, dim), codes.reshape(batch, steps, -1)


def _pieces(rows: Tensor) -> list[Tensor]:
    many = len(rows) // _MANY_POSITIONS * _MANY_POSITIONS
    return [
        *(torch.split(rows[:many], _MANY_POSITIONS) if many else ()),
        *(torch.split(rows[many:], _POSITIONS) if many < len(rows) or not many else ()),
    ]


def _coded(quantizer: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
    whole = F.pad(rows, (0, 0, 0, -len(rows) % _POSITIONS))
    quantized, codes, _ = quantizer(whole[None])
    return quantized[0, : len(rows)], codes[0, : len(rows)]
