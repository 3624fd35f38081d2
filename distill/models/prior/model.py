"""CodePrior: how likely each code is, after the steps before it and the levels below it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from distill.config import PriorConfig
from distill.config.conditions import BRIGHTNESS, CLASS, LOUDNESS

NOTHING = -1
"""In place of the codes of a step: before the first step of a sound, and after its last."""
PADDING = -2
"""In place of the codes of a step: behind a window that is shorter than others of its batch."""
_SELDOM = -4.0
_REACH = 0.7


class CodePrior(nn.Module):
    """A GRU over steps, and at each step a small network from every level to the next.

    Codes go in as the vectors of their entries and come out by likeness to them, so that entries
    which sound alike share what is learned. Before every step it also says whether the sound has
    ended.
    """

    entries: Tensor
    """(level, entry, code_dim), each level scaled to a deviation of 1; see `use_codebooks`."""

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        self.config = config
        width, shape = config.width, (config.levels, config.codebook_size, config.code_dim)
        # The codec beside it in its file has them: they are no part of its own state.
        self.register_buffer("entries", torch.zeros(shape), persistent=False)
        self.begin = nn.Parameter(torch.zeros(width))
        self.take = nn.Linear(config.levels * config.code_dim, width)
        self.memory = nn.GRU(width, width, config.layers, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.ends = nn.Linear(width, 1)
        nn.init.constant_(self.ends.bias, _SELDOM)  # sounds have many steps, and end once
        self.heads = nn.ModuleList(LevelHead(config, level) for level in range(config.levels))
        if config.condition_sizes:
            self.told = ConditionVectors(config)

    @torch.no_grad()
    def use_codebooks(self, codebooks: Tensor) -> None:
        """Takes the vectors of a codec's entries, (level, entry, code_dim)."""
        self.entries = scaled(codebooks).to(self.entries)

    def forward(
        self, codes: Tensor, conditions: Tensor | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Judges windows of codes.

        Args:
            codes: (batch, 1 + time, level); first the step before the window, NOTHING before the
                first of a sound and after its last, PADDING behind.
            conditions: of the steps of the window, (batch, time, column); default all unknown.

        Returns:
            Logits of every level, (batch, time, entry) each, and that the sound has ended before
            the step, (batch, time).
        """
        parts = self.vectors(codes)
        before = torch.cat(parts, dim=-1)[:, :-1]
        begins = codes[:, :-1, :1] == NOTHING
        taken = torch.where(begins, self.begin, self.take(self.dropout(before)))
        to_heads: Tensor | float = 0.0
        if self.config.condition_sizes:
            to_memory, to_heads = self.told(codes[:, 1:, 0], conditions)
            taken = taken + to_memory
        seen = self.memory(taken)[0] + to_heads
        now = [part[:, 1:] for part in parts]
        logits = [
            head(seen, now[:level], self.entries[level]) for level, head in enumerate(self.heads)
        ]
        return logits, self.ends(seen)[..., 0]

    def vectors(self, codes: Tensor) -> list[Tensor]:
        """The vectors of codes, (..., level): of each level (..., code_dim); no code as entry 0."""
        known = codes.clamp(min=0)
        return [self.entries[level][known[..., level]] for level in range(self.config.levels)]


def scaled(codebooks: Tensor) -> Tensor:
    """The vectors of entries, (level, entry, code_dim), each level brought to a deviation of 1."""
    return codebooks / codebooks.std(dim=(1, 2), keepdim=True).clamp(min=1e-12)


class ConditionVectors(nn.Module):
    """A vector for each value of each column of conditions, and one for "unknown"."""

    def __init__(self, config: PriorConfig) -> None:
        super().__init__()
        columns = [nn.Embedding(1 + size, 2 * config.width) for size in config.condition_sizes]
        self.columns = nn.ModuleList(columns)
        for column in columns:
            nn.init.zeros_(column.weight)
        for column in columns[CLASS in config.conditions :]:
            _begin_in_order(column.weight[:, : config.width])
        if LOUDNESS in config.conditions:
            loudness = columns[CLASS in config.conditions]
            _begin_in_order(loudness.weight[:, config.width :])
        if BRIGHTNESS in config.conditions:
            _begin_in_order(columns[-1].weight[:, config.width :])

    def forward(self, steps: Tensor, conditions: Tensor | None) -> tuple[Tensor, Tensor]:
        """The sum of what is said of steps.

        Args:
            steps: any tensor of their shape, (...,).
            conditions: (..., column), 0 where nobody knows; None: nobody knows any.

        Returns:
            What is added before the memory and behind it, (..., width) each.
        """
        if conditions is None:
            conditions = steps.new_zeros((*steps.shape, len(self.columns)), dtype=torch.int64)
        vectors = [column(conditions[..., n]) for n, column in enumerate(self.columns)]
        to_memory, to_heads = torch.stack(vectors).sum(dim=0).chunk(2, dim=-1)
        return to_memory, to_heads


@torch.no_grad()
def _begin_in_order(vectors: Tensor) -> None:
    """Lays the vectors of a quantity on a line, so that it counts from the first steps on; that of
    "unknown", the first, stays 0.
    """
    places = torch.linspace(-_REACH, _REACH, len(vectors) - 1)
    vectors[1:] = places[:, None] * torch.randn(vectors.shape[1])


class LevelHead(nn.Module):
    """Logits of one level's entries, from what was seen and the levels below it."""

    def __init__(self, config: PriorConfig, level: int) -> None:
        super().__init__()
        width, dims = config.width, config.code_dim
        self.below = nn.Linear(level * dims, width) if level else None
        self.mix = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(config.dropout)
        )
        self.key = nn.Linear(width, dims)
        self.bias = nn.Parameter(torch.zeros(config.codebook_size))
        self.free = nn.Linear(width, config.codebook_size) if config.has_free else None
        if self.free is not None:
            nn.init.zeros_(self.free.weight)
            nn.init.zeros_(self.free.bias)
        self._scale = 1 / math.sqrt(dims)

    def forward(self, seen: Tensor, below: list[Tensor], entries: Tensor) -> Tensor:
        """(..., width), the vectors of the levels below and (entry, code_dim) to (..., entry)."""
        if self.below is not None:
            seen = seen + self.below(torch.cat(below, dim=-1))
        mixed = self.mix(seen)
        logits: Tensor = self.key(mixed) @ entries.T * self._scale + self.bias
        return logits if self.free is None else logits + self.free(mixed)
