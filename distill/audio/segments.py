"""Waveforms in memory to batches: random crops to learn from, whole sounds to judge by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


class SegmentSampler:
    """Random crops of fixed length, drawn in proportion to duration.

    Sounds shorter than a segment are used whole, at a random place in silence. Draws come from a
    generator of its own, so `state_dict` and `load_state_dict` continue a sequence exactly.

    Args:
        waveforms: (samples,) each, peak-normalised.
        segment_samples: length of every crop.
        batch_size: crops in a batch.
        gain_db: each crop is played at a random level between -gain_db and 0 dB.
        seed: of the draws.
    """

    def __init__(
        self,
        waveforms: Sequence[Tensor],
        *,
        segment_samples: int,
        batch_size: int,
        gain_db: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._waveforms = waveforms
        self.segment_samples = segment_samples
        self._batch_size = batch_size
        self._gain_db = gain_db
        # A sound shorter than a segment fills one all the same: weigh it as what it fills.
        self._weights = torch.tensor(
            [float(max(len(waveform), segment_samples)) for waveform in waveforms]
        )
        self._generator = torch.Generator().manual_seed(seed)

    def batch(self, size: int | None = None, *, rank: int = 0, ranks: int = 1) -> Tensor:
        """The next crops, (batch, samples) float32.

        Args:
            size: crops in it; default the sampler's batch size.
            rank: of several processes with equal samplers, which one asks.
            ranks: how many there are: together they get what one would with `ranks` times the
                size.
        """
        drawn = (self._batch_size if size is None else size) * ranks
        chosen = torch.multinomial(
            self._weights, drawn, replacement=True, generator=self._generator
        )[rank::ranks]
        places = torch.rand(drawn, generator=self._generator, dtype=torch.float64)[rank::ranks]
        levels_db = -self._gain_db * torch.rand(drawn, generator=self._generator)[rank::ranks]
        batch = torch.zeros(len(chosen), self.segment_samples)
        for row, index, place in zip(batch, chosen.tolist(), places.tolist(), strict=True):
            _place_crop(row, self._waveforms[index], place)
        return batch * (10 ** (levels_db / 20))[:, None]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to continue with the next batch."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes where another sampler of the same sounds was."""
        self._generator.set_state(state["generator"])


def _place_crop(row: Tensor, waveform: Tensor, place: float) -> None:
    slack = len(waveform) - len(row)
    if slack >= 0:
        start = int(place * (slack + 1))
        row.copy_(waveform[start : start + len(row)])
    else:
        start = int(place * (1 - slack))
        row[start : start + len(waveform)] = waveform


def whole_sounds(
    waveforms: Sequence[Tensor], *, piece_samples: int, batch_samples: int
) -> Iterator[tuple[Tensor, list[int]]]:
    """Every sample of every sound once, in batches of similar length.

    Args:
        waveforms: (samples,) each.
        piece_samples: longer sounds are cut into pieces of this length.
        batch_samples: a batch holds about this many samples.

    Yields:
        (batch, samples), zero-padded to the longest of the batch, and each row's own length.
    """
    pieces = [piece for waveform in waveforms for piece in torch.split(waveform, piece_samples)]
    pieces.sort(key=len)
    rows: list[Tensor] = []
    for piece in pieces:
        if rows and (len(rows) + 1) * len(piece) > batch_samples:
            yield _padded(rows)
            rows = []
        rows.append(piece)
    if rows:
        yield _padded(rows)


def _padded(rows: list[Tensor]) -> tuple[Tensor, list[int]]:
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return padded, [len(row) for row in rows]
