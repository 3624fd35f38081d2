"""Uses of codebook entries, (level, entry), and what they say: pure functions on counts."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from distill.arrays import as_int, as_tensor, as_whole_numbers
from distill.errors import ShapeError

MOST_ENTRIES = 1 << 20
"""Of a codebook; counting those of more would take gigabytes."""


def count_codes(indices: Tensor, entries: int) -> Tensor:
    """How often each entry was chosen.

    Args:
        indices: (..., level, step) codes; -1, "no code", is not counted.
        entries: size of each codebook.

    Returns:
        (level, entry) int64.

    Raises:
        ShapeError: fewer than two dimensions, or an index beyond the codebook.
    """
    indices = as_whole_numbers(indices, "indices")
    size = as_int(entries)
    if size is None or not 1 <= size <= MOST_ENTRIES:
        raise ShapeError(
            f"entries={entries!r}: expected the size of a codebook, 1 to {MOST_ENTRIES}"
        )
    entries = size
    if indices.ndim < 2 or not indices.shape[-2]:
        raise ShapeError(f"indices {tuple(indices.shape)}: expected (..., level, step)")
    levels = indices.shape[-2]
    flat = indices.movedim(-2, 0).reshape(levels, -1)
    if flat.numel() and int(flat.max()) >= entries:
        raise ShapeError(f"index {int(flat.max())}: expected below {entries}, the codebook size")
    return count_checked_codes(flat, entries)


def count_checked_codes(codes: Tensor, entries: int) -> Tensor:
    """`count_codes` of codes that a quantizer has made; does not wait for the device.

    Args:
        codes: (level, code) int64, each below `entries`; -1 is not counted.
        entries: size of each codebook.
    """
    levels = codes.shape[0]
    nowhere = levels * entries
    keys = codes + entries * torch.arange(levels, device=codes.device)[:, None]
    keys = torch.where(codes >= 0, keys, nowhere).reshape(-1)
    counts = torch.zeros(nowhere + 1, dtype=torch.int64, device=codes.device)
    counts.scatter_add_(0, keys, torch.ones_like(keys))
    return counts[:nowhere].reshape(levels, entries)


def utilization(counts: Tensor) -> Tensor:
    """Share of entries used at least once, (level,) in [0, 1].

    Args:
        counts: uses of each entry, (level, entry).
    """
    return (checked_counts(counts) > 0).double().mean(dim=1)


def utilization_ceiling(samples: Tensor, entries: int) -> Tensor:
    """Utilization a perfectly uniform code would show: 1 - (1 - 1/entries)^samples.

    Args:
        samples: codes seen, any shape.
        entries: size of the codebook.
    """
    return 1 - (1 - 1 / entries) ** samples.double()


def corrected_utilization(counts: Tensor) -> Tensor:
    """Utilization relative to its ceiling, (level,) in [0, 1]; 0 where nothing was seen."""
    ceiling = utilization_ceiling(checked_counts(counts).sum(dim=1), counts.shape[1])
    used = utilization(counts)
    return torch.where(ceiling > 0, used / ceiling.clamp(min=1e-12), used).clamp(max=1.0)


def entropy_bits(counts: Tensor) -> Tensor:
    """Shannon entropy of each level's codes, (level,) in [0, log2(entries)]."""
    share = checked_counts(counts).double()
    share = share / share.sum(dim=1, keepdim=True).clamp(min=1)
    return (0.0 - torch.special.xlogy(share, share).sum(dim=1)) / math.log(2)  # 0, never -0


def perplexity(counts: Tensor) -> Tensor:
    """Effective number of entries in use at each level.

    Args:
        counts: uses of each entry, (level, entry), >= 0.

    Returns:
        (level,) in [1, entries]; 1 means collapse.

    Raises:
        ShapeError: counts is not 2-D.

    Source: exp of the Shannon entropy of the code distribution; van den Oord et al. 2017.
    """
    return 2 ** entropy_bits(counts)


def dead_codes(counts: Tensor) -> Tensor:
    """Entries never used, (level,) int64."""
    return (checked_counts(counts) == 0).sum(dim=1)


def checked_counts(counts: Tensor) -> Tensor:
    """Counts as they are.

    Raises:
        ShapeError: not (level, entry), or what is no count.
    """
    shape = tuple(getattr(counts, "shape", ()))
    if len(shape) != 2 or 0 in shape:
        raise ShapeError(f"counts {shape}: expected (level, entry)")
    if isinstance(counts, Tensor) and counts.is_floating_point():
        counts = as_tensor(counts, "counts").float()
    else:
        counts = as_whole_numbers(counts, "counts")
    if not (torch.isfinite(counts) & (counts >= 0)).all():
        raise ShapeError("counts holds what is no count: a negative number, NaN or Inf")
    return counts
