"""Changes sample rates: a whole sound at once, or one that comes in pieces, to the same bits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torchaudio.functional
from torch import Tensor

from distill.arrays import as_rate, as_tensor
from distill.errors import ShapeError

_PIECE_SAMPLES = 1 << 19  # 11 s at 48 kHz
_LARGEST_RATIO = 1000
_SINC_WIDTH, _ROLLOFF = 6, 0.99  # torchaudio's own
_CONTEXT_SAMPLES = 1 << 14


@dataclass(frozen=True)
class _Grid:
    """How a sound is cut to be resampled; the same cuts whether it comes whole or in pieces."""

    before: int
    """Of the two rates in lowest terms: `before` samples become `after`."""
    after: int
    piece: int
    """Samples of a piece, a multiple of `before`."""
    context: int
    """Samples beside a piece that shape it, a multiple of `before`."""
    sinc: bool

    @classmethod
    def of(cls, from_rate: int, to_rate: int) -> _Grid:
        shared = math.gcd(from_rate, to_rate)
        before, after = from_rate // shared, to_rate // shared
        sinc = max(before, after) <= _LARGEST_RATIO
        reach = _CONTEXT_SAMPLES
        if sinc:
            reach = before + math.ceil(_SINC_WIDTH * before / (min(before, after) * _ROLLOFF))
        return cls(
            before,
            after,
            piece=before * math.ceil(_PIECE_SAMPLES / before),
            context=before * math.ceil(reach / before),
            sinc=sinc,
        )


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Changes the sample rate of (..., samples), band-limited.

    Windowed sinc interpolation; between rates that share no small ratio, where its kernel would
    take gigabytes, by cutting or padding the spectrum. Long sounds are done piece by piece.

    Raises:
        ShapeError: no floating-point numbers, or without a length.
        ConfigError: a rate that is none.
    """
    waveform = as_tensor(waveform, "waveform")
    if waveform.dtype not in (torch.float32, torch.float64):
        waveform = waveform.float()
    from_rate, to_rate = as_rate(from_rate, lowest=1), as_rate(to_rate, lowest=1)
    if not waveform.ndim:
        raise ShapeError("waveform (): expected (..., samples)")
    before = waveform.shape[-1]
    if from_rate == to_rate or before == 0:
        return waveform
    if not waveform.numel():
        return waveform.new_zeros(
            (*waveform.shape[:-1], resampled_length(before, from_rate, to_rate))
        )
    grid = _Grid.of(from_rate, to_rate)
    if before <= grid.piece:
        return _at_once(grid, waveform)
    made = waveform.new_empty((*waveform.shape[:-1], resampled_length(before, from_rate, to_rate)))
    done = 0
    for piece in _by_pieces(grid, iter([waveform]), before):
        made[..., done : done + piece.shape[-1]] = piece
        done += piece.shape[-1]
    return made


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """How many samples `resample` makes of `samples`."""
    return -(-samples * to_rate // from_rate)


def resampled_pieces(
    pieces: Iterable[Tensor], samples: int, from_rate: int, to_rate: int
) -> Iterator[Tensor]:
    """Changes the rate of a sound that comes in pieces, in bounded memory.

    Args:
        pieces: (samples,) each, of any lengths.
        samples: of all of them together.
        from_rate: theirs, in Hz.
        to_rate: wanted, in Hz.

    Yields:
        (samples,) each; joined they are, bit by bit, what `resample` makes of the whole.
    """
    if from_rate == to_rate:
        yield from pieces
        return
    grid = _Grid.of(from_rate, to_rate)
    if samples <= grid.piece:
        whole = torch.cat([*pieces, torch.zeros(0)])
        if len(whole):
            yield _at_once(grid, whole)
        return
    yield from _by_pieces(grid, iter(pieces), samples)


def _at_once(grid: _Grid, waveform: Tensor) -> Tensor:
    if grid.sinc:
        return torchaudio.functional.resample(waveform, grid.before, grid.after)
    before = waveform.shape[-1]
    after = math.ceil(before * grid.after / grid.before)
    spectrum = torch.fft.rfft(waveform)[..., : after // 2 + 1]
    return torch.fft.irfft(spectrum, n=after) * (after / before)


def _by_pieces(grid: _Grid, pieces: Iterator[Tensor], samples: int) -> Iterator[Tensor]:
    held, held_from = next(pieces), 0
    for start in range(0, samples, grid.piece):
        begin = max(0, start - grid.context)
        stop = min(samples, start + grid.piece)
        end = min(samples, stop + grid.context)
        held, held_from = held[..., begin - held_from :], begin
        parts = [held]
        while held_from + sum(part.shape[-1] for part in parts) < end:
            parts.append(next(pieces))
        held = torch.cat(parts, dim=-1) if len(parts) > 1 else held
        part = held[..., : end - begin]
        made = _sinc(grid, part) if grid.sinc else _spectral(grid, part, begin > 0, end < samples)
        skip = (start - begin) // grid.before * grid.after
        count = -(-(stop - start) * grid.after // grid.before)
        yield made[..., skip : skip + count]


def _sinc(grid: _Grid, part: Tensor) -> Tensor:
    return torchaudio.functional.resample(part, grid.before, grid.after)


def _spectral(grid: _Grid, part: Tensor, fades_in: bool, fades_out: bool) -> Tensor:
    # A spectrum takes its ends for joined: what lies beyond the piece fades out, so that no step
    # between the two ends rings through it.
    length = part.shape[-1]
    padded = torch.nn.functional.pad(part, (0, -length % grid.before))
    fade = torch.hann_window(grid.context, periodic=False, dtype=part.dtype)[: grid.context // 2]
    if fades_in:
        padded[..., : len(fade)] *= fade
    if fades_out:
        padded[..., length - len(fade) : length] *= fade.flip(0)
    return _at_once(grid, padded)
