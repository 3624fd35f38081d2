"""CodeCounts: what counting alone knows of codes, as a measure for what a prior has learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_PSEUDO_COUNT = 0.5
"""Of every entry, so that one never seen is unlikely and not impossible."""


@dataclass(frozen=True)
class CodeCounts:
    """How often codes, and pairs of codes that follow one another, occur at each level."""

    singles: Tensor
    """(level, entry)."""
    pairs: tuple[tuple[Tensor, Tensor], ...]
    """Of each level the pairs that occur, `before * entries + after`, sorted, and how often."""
    followers: Tensor
    """(level, entry): how many different codes follow it."""
    followed: Tensor
    """(level, entry): how often any code follows it."""

    @classmethod
    def of(cls, sequences: Sequence[Tensor], levels: int, entries: int) -> CodeCounts:
        """Counts the codes of sounds.

        Args:
            sequences: (steps, level) each.
            levels: of the model.
            entries: of each of its codebooks.
        """
        pairs, singles, followers, followed = [], [], [], []
        for level in range(levels):
            columns = [codes[:, level].long() for codes in sequences]
            singles.append(torch.bincount(torch.cat(columns), minlength=entries))
            both = torch.cat([column[:-1] * entries + column[1:] for column in columns])
            keys, counts = torch.unique(both, return_counts=True)
            pairs.append((keys, counts))
            before = keys // entries
            followers.append(torch.bincount(before, minlength=entries))
            followed.append(torch.bincount(before, counts.double(), minlength=entries).long())
        return cls(
            torch.stack(singles), tuple(pairs), torch.stack(followers), torch.stack(followed)
        )

    def bits(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """What a sound costs by these counts.

        Args:
            codes: (steps, level).

        Returns:
            Bits of all steps, (level,) float64 each: by how often each code occurs, and by how
            often it follows the one before it, backing off to the first as by Witten and Bell 1991.
        """
        alone, paired = [], []
        for level, counts in enumerate(self.singles):
            column = codes[:, level].long()
            entries = len(counts)
            smoothed = (counts + _PSEUDO_COUNT) / (counts.sum() + _PSEUDO_COUNT * entries)
            single = smoothed.double()[column]
            before, after = column[:-1], column[1:]
            seen = self._pairs_seen(level, before * entries + after)
            fresh, total = self.followers[level][before], self.followed[level][before]
            backed = (seen + fresh * single[1:]) / (total + fresh).clamp(min=1)
            backed = torch.where(total > 0, backed, single[1:])
            alone.append(-single.log2().sum())
            paired.append(-backed.log2().sum() - single[0].log2())
        return torch.stack(alone), torch.stack(paired)

    def _pairs_seen(self, level: int, keys: Tensor) -> Tensor:
        known, counts = self.pairs[level]
        if not len(known):
            return torch.zeros(len(keys), dtype=torch.float64)
        places = torch.searchsorted(known, keys).clamp(max=len(known) - 1)
        return torch.where(known[places] == keys, counts[places], 0).double()


def uniform_bits(entries: int) -> float:
    """What a code costs where every entry is as likely as any other."""
    return math.log2(entries)
