"""CountMix: what counting knows at its best, as a measure for what a prior has learned.

Of each code it counts what followed the same context, for several contexts: nothing, the codes
before it at its level, that of the level above in the same step, and pairs and triples of these.
Each backs off to the context with one code less, as by Witten and Bell 1991; how much each counts,
level by level, is fitted to recordings of which none was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_PLACES = {"before": (1, 0), "before that": (2, 0), "above": (0, 1), "above, before": (1, 1)}
"""Of a code in a context: steps before, and levels above."""
_CHAINS = (
    ("before", "before that"),
    ("before", "above"),
    ("above", "before"),
    ("above", "above, before"),
    ("above", "before", "before that"),
)
"""What contexts grow by; each of their beginnings is a context too."""
_ROUNDS = 50  # of fitting: no figure moves after twenty


@dataclass(frozen=True)
class CountMix:
    """Counts of a corpus, and how much each context counts."""

    grids: tuple[Tensor, ...]
    levels: int
    entries: int
    weights: tuple[Tensor, ...]
    """Of each level, one for each of its contexts."""

    @classmethod
    def of(
        cls, counted: Sequence[Tensor], fitted: Sequence[Tensor], levels: int, entries: int
    ) -> CountMix:
        """Counts some sounds and fits the weights to others, which then count too.

        Args:
            counted: (steps, level) each.
            fitted: likewise.
            levels: of the model.
            entries: of each of its codebooks.
        """
        weights = []
        for level in range(levels):
            chances = _chances(counted, fitted, level, entries)
            weight = torch.full((len(chances),), 1 / len(chances), dtype=torch.float64)
            for _ in range(_ROUNDS):
                shares = weight[:, None] * chances
                weight = (shares / shares.sum(dim=0)).mean(dim=1)
            weights.append(weight)
        return cls((*counted, *fitted), levels, entries, tuple(weights))

    def bits(self, grids: Sequence[Tensor]) -> list[float]:
        """Bits that a step of other sounds costs, level by level."""
        return [
            float(-(weight @ _chances(self.grids, grids, level, self.entries)).log2().mean())
            for level, weight in enumerate(self.weights)
        ]


def _contexts(level: int) -> list[tuple[str, ...]]:
    """Of a level, each after the one with a code less."""
    found: dict[tuple[str, ...], None] = {(): None}
    for chain in _CHAINS:
        for length in range(1, len(chain) + 1):
            if all(_PLACES[name][1] <= level for name in chain[:length]):
                found[chain[:length]] = None
    return list(found)


def _chances(
    counted: Sequence[Tensor], judged: Sequence[Tensor], level: int, entries: int
) -> Tensor:
    """(context, steps of all judged): how likely the codes of a level are in each context."""
    places = [name for name, (_, above) in _PLACES.items() if above <= level]
    known, new = (
        {name: _column(grids, level, name, entries) for name in places}
        for grids in (counted, judged)
    )
    codes, asked = (torch.cat([grid[:, level] for grid in x]).long() for x in (counted, judged))
    chances: dict[tuple[str, ...], Tensor] = {}
    for context in _contexts(level):
        before, before_new = torch.zeros_like(codes), torch.zeros_like(asked)
        for name in context:
            before = before * (entries + 1) + known[name]
            before_new = before_new * (entries + 1) + new[name]
        less = chances[context[:-1]] if context else torch.full((len(asked),), 1 / entries)
        chances[context] = _backed(before, codes, before_new, asked, less.double(), entries)
    return torch.stack(list(chances.values()))


def _column(grids: Sequence[Tensor], level: int, name: str, entries: int) -> Tensor:
    """The codes of a place in a context, for all steps; `entries` where a sound has none."""
    steps, above = _PLACES[name]
    columns = []
    for grid in grids:
        column = grid[:, level - above].long()
        nothing = torch.full((min(steps, len(column)),), entries)
        columns.append(torch.cat([nothing, column])[: len(column)])
    return torch.cat(columns)


def _backed(
    before: Tensor, codes: Tensor, before_new: Tensor, asked: Tensor, less: Tensor, entries: int
) -> Tensor:
    """How likely codes are after their contexts, with what a shorter context says of them."""
    pairs, counts = torch.unique(before * entries + codes, return_counts=True)
    places, followed = torch.unique(before, return_counts=True)
    _, fresh = torch.unique(pairs // entries, return_counts=True)  # sorted as the contexts are
    seen = _looked_up(pairs, counts, before_new * entries + asked)
    total, kinds = (_looked_up(places, x, before_new) for x in (followed, fresh))
    backed = (seen + kinds * less) / (total + kinds).clamp(min=1)
    return torch.where(total > 0, backed, less)


def _looked_up(known: Tensor, values: Tensor, keys: Tensor) -> Tensor:
    at = torch.searchsorted(known, keys).clamp(max=len(known) - 1)
    return torch.where(known[at] == keys, values[at], 0).double()
