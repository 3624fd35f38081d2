"""Window: a long signal that comes in pieces, of which only a stretch lies in memory."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Window:
    """Gives stretches of a signal, in order, and forgets what lies before the last one.

    Args:
        pieces: (…, time) each; the signal is what they are, joined in time.
    """

    def __init__(self, pieces: Iterable[Tensor]) -> None:
        self._pieces = iter(pieces)
        self._held: Tensor | None = None
        self._start = 0

    def take(self, start: int, stop: int) -> Tensor:
        """The stretch from `start` to `stop`, (…, stop - start); it ends where the signal does.

        Args:
            start: never before that of an earlier call.
            stop: after `start`.

        Raises:
            ValueError: what was asked for is forgotten already.
        """
        if start < self._start:
            raise ValueError(f"{start} lies before {self._start}, where the window begins by now")
        self._forget(start)
        parts = [] if self._held is None else [self._held]
        end = self._start + (0 if self._held is None else self._held.shape[-1])
        while end < stop:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            end += piece.shape[-1]
        if not parts:
            raise ValueError("a signal without pieces")
        self._held = torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
        self._forget(start)
        return self._held[..., : stop - start]

    def _forget(self, start: int) -> None:
        if self._held is not None:
            drop = min(start - self._start, self._held.shape[-1])
            # A view would keep the whole in memory: what is small beside it is copied.
            rest = self._held[..., drop:]
            small = rest.shape[-1] * 4 < self._held.shape[-1]
            self._held, self._start = rest.clone() if small else rest, self._start + drop
