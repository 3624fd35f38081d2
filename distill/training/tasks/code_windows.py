"""Codes in memory to batches: random windows to learn from, whole sounds to judge by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from distill.models.prior.model import NOTHING, PADDING


class CodeWindows:
    """Random windows of fixed length, drawn in proportion to duration.

    A window begins with the step before it: NOTHING where it begins with its sound. Behind a sound
    there is NOTHING too, so that its end is learned. Draws come from a generator of its own, so
    that `state_dict` and `load_state_dict` continue a sequence exactly.

    Args:
        grids: (steps, level) each.
        steps: of a window, without the one before it.
        batch_size: windows in a batch.
        seed: of the draws.
    """

    def __init__(
        self, grids: Sequence[Tensor], *, steps: int, batch_size: int, seed: int = 0
    ) -> None:
        self._grids, self._steps, self._batch_size = grids, steps, batch_size
        self._weights = torch.tensor([float(max(len(grid), steps)) for grid in grids])
        self._generator = torch.Generator().manual_seed(seed)

    def batch(self, rank: int = 0, ranks: int = 1) -> Tensor:
        """The next windows, (batch, 1 + steps, level) int64.

        Args:
            rank: of several processes with equal draws, which one asks.
            ranks: how many there are.
        """
        drawn = self._batch_size * ranks
        chosen = torch.multinomial(
            self._weights, drawn, replacement=True, generator=self._generator
        )[rank::ranks]
        places = torch.rand(drawn, generator=self._generator, dtype=torch.float64)[rank::ranks]
        levels = self._grids[0].shape[1]
        batch = torch.full((len(chosen), 1 + self._steps, levels), NOTHING, dtype=torch.int64)
        for row, index, place in zip(batch, chosen.tolist(), places.tolist(), strict=True):
            _place(row, self._grids[index], place)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to continue with the next batch."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes where another of the same codes was."""
        self._generator.set_state(state["generator"])


def _place(row: Tensor, grid: Tensor, place: float) -> None:
    """Fills a window: the step before it, its steps, and what is behind the sound's end."""
    starts = max(1, len(grid) + 2 - (len(row) - 1))  # the last of them sees the end
    start = int(place * starts)
    begin = max(0, start - 1)
    part = grid[begin : start + len(row) - 1]
    row[1 - (start - begin) :][: len(part)] = part


def whole_codes(
    grids: Sequence[Tensor], *, piece_steps: int, batch_steps: int
) -> Iterator[tuple[Tensor, int]]:
    """Every step of every sound once, and its end, in batches of similar length.

    Args:
        grids: (steps, level) each.
        piece_steps: longer sounds are cut into pieces of this length.
        batch_steps: a batch holds about so many.

    Yields:
        Windows as of `CodeWindows`, and how many steps of codes are judged in them.
    """
    pieces = sorted((piece for grid in grids for piece in _pieces(grid, piece_steps)), key=len)
    rows: list[Tensor] = []
    for piece in pieces:
        if rows and (len(rows) + 1) * len(piece) > batch_steps:
            yield _padded(rows)
            rows = []
        rows.append(piece)
    if rows:
        yield _padded(rows)


def _pieces(grid: Tensor, steps: int) -> Iterator[Tensor]:
    outside = torch.full((1, grid.shape[1]), NOTHING, dtype=torch.int64)
    whole = torch.cat([outside, grid.long(), outside])
    for start in range(0, len(grid), steps):
        last = start + steps >= len(grid)
        yield whole[start : start + steps + 1 + last]


def _padded(rows: list[Tensor]) -> tuple[Tensor, int]:
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PADDING)
    return padded, int((padded[:, 1:, 0] >= 0).sum())
