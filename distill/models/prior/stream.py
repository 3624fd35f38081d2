"""CodeStream: codes drawn from a prior step by step, for ever, in the memory of one step."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.models.prior.drawing import Drawing
from distill.models.prior.model import CodePrior
from distill.models.prior.novelty import Novelty
from distill.models.prior.wanted import NOTHING_WANTED, Wanted

_GUIDANCE = 3.0
"""How much more than it does of itself a prior follows what is asked for: 1 would be as it does."""
_NOTHING_TOLD = torch.zeros((), dtype=torch.float64)


class CodeStream:
    """Draws a step after the other; where a sound has ended, the next one begins.

    It computes in float64 on the CPU: what differs between machines and numbers of threads is then
    too small to change a draw, and the same seed gives the same codes.

    Args:
        prior: a trained one; a copy of it is used, unless it is one of `precise` already.
        drawing: how boldly codes are drawn.
        seed: of all draws.
        novelty: keeps them from running along recordings.
        wanted: what the prior is told of the steps.
    """

    def __init__(
        self,
        prior: CodePrior,
        drawing: Drawing,
        seed: int,
        novelty: Novelty | None = None,
        wanted: Wanted = NOTHING_WANTED,
    ) -> None:
        self._prior = prior if is_precise(prior) else precise(prior)
        self.levels: int = prior.config.levels
        self._drawing = drawing
        self._novelty, self._wanted = novelty, wanted
        self._random = torch.Generator().manual_seed(seed)
        self._memory: Tensor | None = None
        self._seen: Tensor
        self._place, self._sound = 0, -1  # steps of all sounds; the number of this one
        self._steps = 0  # of this sound
        self._untold: CodeStream | None = None
        self._begin()
        if wanted.asks:
            self._untold = self._without_what_is_asked()

    @torch.no_grad()
    def take(self, codes: Sequence[int]) -> None:
        """Takes a step that is given, one code a level."""
        column = torch.tensor(codes, dtype=torch.int64)
        vectors = self._prior.vectors(column)
        self._place += 1
        self._steps += 1
        self._advance(self._prior.take(torch.cat(vectors)))
        if self._untold is not None:
            self._untold.take(codes)
        if self._novelty is not None:
            self._novelty.take(tuple(codes))

    @torch.no_grad()
    def next(self, given: Sequence[int] = (), *, may_end: bool = True) -> tuple[int, ...]:
        """Draws the next step, and takes it.

        Args:
            given: codes of the first levels, to draw those above to; with any, no sound ends.
            may_end: whether a sound may end here, and another begin.

        Returns:
            A code a level.
        """
        chances: list[float] = torch.rand(
            1 + self.levels, generator=self._random, dtype=torch.float64
        ).tolist()
        may_end = may_end and not self._wanted.ends_at_its_end(self._place)
        if self._steps and may_end and not given:
            ends = float(self._prior.ends(self._seen))
            if self._drawing.happens(ends, chances[0]):
                self._begin()
        codes = list(given)
        vectors: list[Tensor] = []
        for level, head in enumerate(self._prior.heads):
            entries = self._prior.entries[level]
            if level >= len(codes):
                logits = head(self._seen, vectors, entries)
                if self._untold is not None:
                    logits = _guided(logits, head(self._untold._seen, vectors, entries))
                if self._novelty is not None:
                    logits = self._novelty.steer(logits, codes)
                codes.append(self._drawing.draw(logits, chances[1 + level]))
            vectors.append(entries[codes[level]])
        self.take(codes)
        return tuple(codes)

    def branch(self) -> CodeStream:
        """Another stream from here on: it draws from the same random numbers, and neither moves
        the other.
        """
        other = copy.copy(self)
        other._novelty = self._novelty and self._novelty.branch()
        other._untold = self._untold and self._untold.branch()
        return other

    def _without_what_is_asked(self) -> CodeStream:
        """One that takes the same steps, and is told nothing that a person asks of them."""
        other = copy.copy(self)
        other._wanted, other._novelty = self._wanted.unasked, None
        other._sound = -1
        other._begin()
        return other

    @torch.no_grad()
    def bits_of(self, columns: Tensor) -> float:
        """What it costs that just these steps follow, and no sound ends before or among them.

        Args:
            columns: (steps, level) int64, one step at least; the stream stays where it is.
        """
        prior = self._prior
        parts = prior.vectors(columns)
        to_memory, to_heads = self._told(range(1, 1 + len(columns)))
        later, _ = prior.memory(prior.take(torch.cat(parts, dim=-1)) + to_memory, self._memory)
        seen = torch.cat([self._seen[None], (later + to_heads)[:-1]])
        nats = F.softplus(prior.ends(seen)).sum()
        for level, head in enumerate(prior.heads):
            logits = head(seen, parts[:level], prior.entries[level])
            nats += F.cross_entropy(logits, columns[:, level], reduction="sum")
        return float(nats) / math.log(2)

    @torch.no_grad()
    def _begin(self) -> None:
        self._memory, self._steps = None, 0
        self._sound += 1
        self._advance(self._prior.begin)
        if self._untold is not None:
            self._untold._begin()

    def _advance(self, taken: Tensor) -> None:
        to_memory, to_heads = self._told(range(1))
        seen, self._memory = self._prior.memory(taken[None] + to_memory, self._memory)
        self._seen = (seen + to_heads)[0]

    def _told(self, later: range) -> tuple[Tensor, Tensor]:
        """What the prior is told of the next step, 0, and those after it: (steps, width) each."""
        if not self._prior.config.condition_sizes:
            return _NOTHING_TOLD, _NOTHING_TOLD
        wanted = self._wanted if self._wanted.conditions else None
        steps = torch.zeros(len(later), dtype=torch.int64)
        if wanted is None:
            return self._prior.told(steps, None)
        values = [wanted.values(self._place + n, self._steps + n, self._sound) for n in later]
        return self._prior.told(steps, torch.tensor(values))


def precise(prior: CodePrior) -> CodePrior:
    """A copy of a prior in float64 on the CPU, as streams draw from it."""
    return copy.deepcopy(prior).to("cpu", torch.float64).eval()


def is_precise(prior: CodePrior) -> bool:
    """Whether streams can draw from a prior as it is."""
    weights = prior.parameters()
    return not prior.training and all(
        weight.dtype == torch.float64 and weight.device.type == "cpu" for weight in weights
    )


def _guided(told: Tensor, untold: Tensor) -> Tensor:
    """Logits that follow what is asked for more than those of one who was told do.

    Args:
        told: (entry,), by a prior that knows what is asked for.
        untold: (entry,), by the same that does not.

    Source: guidance without a classifier, Ho and Salimans 2022, here between log-probabilities.
    """
    without = untold.log_softmax(-1)
    return without + _GUIDANCE * (told.log_softmax(-1) - without)
