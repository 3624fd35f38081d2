"""Codes in memory to batches: random windows to learn from, whole sounds to judge by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from distill.models.prior.model import NOTHING, PADDING

_NONE_KNOWN, _UNKNOWN = 1 / 4, 1 / 3


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
        conditions: of each sound and its end, (steps + 1, column) whole numbers.
    """

    def __init__(
        self,
        grids: Sequence[Tensor],
        *,
        steps: int,
        batch_size: int,
        seed: int = 0,
        conditions: Sequence[Tensor] = (),
    ) -> None:
        self._grids, self._steps, self._batch_size = grids, steps, batch_size
        self._conditions = conditions
        self._weights = torch.tensor([float(max(len(grid), steps)) for grid in grids])
        self._generator = torch.Generator().manual_seed(seed)

    def batch(self, rank: int = 0, ranks: int = 1) -> Tensor:
        """The next windows, (batch, 1 + steps, level) int64.

        Args:
            rank: of several processes with equal draws, which one asks.
            ranks: how many there are.
        """
        return self._windows(self._drawn(rank, ranks))

    def batch_with_conditions(self, rank: int = 0, ranks: int = 1) -> tuple[Tensor, Tensor]:
        """The next windows, and the conditions of their steps, (batch, steps, column) int64.

        Of a quarter of the windows no condition is known, and of each of the others a third of the
        columns is not: so a prior learns to do without any of them.

        Args:
            rank: see `batch`.
            ranks: see `batch`.
        """
        drawn = self._drawn(rank, ranks)
        columns = self._conditions[0].shape[1]
        shape = self._batch_size * ranks, 1 + columns
        chances = torch.rand(shape, generator=self._generator)[rank::ranks]
        is_known = (chances[:, :1] >= _NONE_KNOWN) & (chances[:, 1:] >= _UNKNOWN)
        told = torch.zeros((len(drawn), self._steps, columns), dtype=torch.int64)
        for row, (index, start) in zip(told, drawn, strict=True):
            part = self._conditions[index][start : start + self._steps]
            row[: len(part)] = part
        return self._windows(drawn), told * is_known[:, None]

    def _drawn(self, rank: int, ranks: int) -> list[tuple[int, int]]:
        """The sound of each window, and at which of its steps it begins."""
        drawn = self._batch_size * ranks
        chosen = torch.multinomial(
            self._weights, drawn, replacement=True, generator=self._generator
        )[rank::ranks]
        places = torch.rand(drawn, generator=self._generator, dtype=torch.float64)[rank::ranks]
        # The last window of a sound sees its end.
        return [
            (index, int(place * max(1, len(self._grids[index]) + 2 - self._steps)))
            for index, place in zip(chosen.tolist(), places.tolist(), strict=True)
        ]

    def _windows(self, drawn: Sequence[tuple[int, int]]) -> Tensor:
        levels = self._grids[0].shape[1]
        batch = torch.full((len(drawn), 1 + self._steps, levels), NOTHING, dtype=torch.int64)
        for row, (index, start) in zip(batch, drawn, strict=True):
            _place(row, self._grids[index], start)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to continue with the next batch."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes where another of the same codes was."""
        self._generator.set_state(state["generator"])


def _place(row: Tensor, grid: Tensor, start: int) -> None:
    """Fills a window: the step before it, its steps, and what is behind the sound's end."""
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
