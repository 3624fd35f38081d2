"""Codes for latents: a beam search over the levels of a residual quantizer."""

from __future__ import annotations

import torch
from torch import Tensor

BEAM = 8
"""Candidates kept at each level: the same bits, nearer to the latent than the nearest entry of one
level after the other."""
_MOST_DISTANCES = 2**24  # at once, 64 MB


def search(codebooks: Tensor, columns: Tensor, beam: int = BEAM) -> Tensor:
    """Codes whose entries add up to nearly the latents; each position is coded by itself.

    What is kept at a level is what is nearest so far, and of the last level the nearest of all. The
    library's own search adds up the distances of all levels, which is not what is heard, and needs
    a tenth of a second to work out what to do with a shape that is new.

    Args:
        codebooks: (level, entry, dim).
        columns: (position, dim).
        beam: candidates kept; 1 takes the nearest entry of each level.

    Returns:
        (position, level) int64.
    """
    at_once = max(1, _MOST_DISTANCES // (beam * codebooks.shape[1]))
    return torch.cat([_searched(codebooks, part, beam) for part in torch.split(columns, at_once)])


def _searched(codebooks: Tensor, columns: Tensor, beam: int) -> Tensor:
    left = columns[:, None]  # (position, candidate, dim): what the levels so far do not say
    codes = torch.empty((len(columns), 1, 0), dtype=torch.int64, device=columns.device)
    for entries in codebooks:
        errors = entries.square().sum(1) - 2 * left @ entries.T + left.square().sum(2, keepdim=True)
        flat = errors.flatten(1)
        chosen = flat.topk(min(beam, flat.shape[1]), largest=False).indices
        parent, entry = chosen // len(entries), chosen % len(entries)
        left = _rows(left, parent) - entries[entry]
        codes = torch.cat([_rows(codes, parent), entry[..., None]], dim=2)
    return codes[:, 0]


def _rows(numbers: Tensor, which: Tensor) -> Tensor:
    """(position, row, …) and (position, wanted) to (position, wanted, …)."""
    return numbers.gather(1, which[..., None].expand(-1, -1, numbers.shape[2]))
