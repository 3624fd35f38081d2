"""Log-mel frames to sound: the Vocoder protocol, and Griffin-Lim."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from operator import add
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.arrays import as_floats, as_int
from distill.audio.overlap import InverseTransform, squares
from distill.audio.signal_window import Window
from distill.audio.spectrogram import LogMel
from distill.errors import ShapeError

_CHUNK_FRAMES = 2048  # 22 s at the default rate; bounds memory for sounds of any length
_OVERLAP_FRAMES = 16
_LIVE_OVERLAP_FRAMES = 4  # what is kept back of a piece is heard that much later
_SMALLEST = 1e-7  # a magnitude that is not quite zero
_TINY = 1e-30  # beside the square of any magnitude
_LEAST_SCALE = 1e-3  # of a band in one pass, and its inverse the most


@runtime_checkable
class Vocoder(Protocol):
    """Anything that turns log-mel frames into sound."""

    def __call__(self, log_mel: Tensor, samples: int | None = None) -> Tensor:
        """(n_mels, frames) to (samples,); by default (frames - 1) * hop_length samples."""
        ...


class GriffinLimVocoder:
    """Fast Griffin-Lim that looks for phases and magnitudes together.

    Mel bands say little about the bins within them. A first guess, by the pseudo-inverse, is
    smooth; what a pass of Griffin-Lim makes of it is not, as sound never is. So each pass begins
    with some of the magnitudes that the one before ended with, scaled to the mel bands that are
    asked for.

    It starts from the same random phases every time, so the same frames always give the same sound;
    the caller's random numbers are left as they were.

    Source: Perraudin et al. 2013 (fast Griffin-Lim); the idea of one search in place of two is
    that of Masuyama, Ueno and Ono 2025, "Mel-Spectrogram Inversion via Alternating Direction Method
    of Multipliers"; the way here is a simpler one.

    Args:
        log_mel: makes such frames.
        iterations: passes.
        momentum: of the phases, see Perraudin et al.
        freedom: share of the last pass in the magnitudes of the next, in logarithms; the rest is
            the first guess.
    """

    def __init__(
        self,
        log_mel: LogMel,
        *,
        iterations: int = 12,
        momentum: float = 0.99,
        freedom: float = 0.7,
    ) -> None:
        self._log_mel = log_mel
        self._iterations = iterations
        self._momentum = momentum
        self._freedom = freedom
        # Other devices lack what this needs (double precision, a generator to seed): they get the
        # processor's result.
        device = log_mel.filters.device
        self._device = device if device.type == "cuda" else torch.device("cpu")
        self._filters = log_mel.filters.to(self._device)
        weight = self._filters.sum(dim=1, keepdim=True)
        self._shares = self._filters / weight.clamp(min=_SMALLEST)
        inverse = torch.linalg.pinv(log_mel.filters.T.cpu().double())
        self._inverse = inverse.float().to(self._device)
        self._window = torch.hann_window(log_mel.config.n_fft, device=self._device)

    @torch.no_grad()
    def __call__(self, log_mel: Tensor, samples: int | None = None) -> Tensor:
        """Turns frames into sound.

        Args:
            log_mel: (n_mels, frames).
            samples: length wanted; the frames of `LogMel` cover hop_length samples each.

        Returns:
            (samples,) float32.

        Raises:
            ShapeError: `log_mel` is not (n_mels, frames) of this spectrogram.
        """
        config = self._log_mel.config
        log_mel = as_floats(log_mel, "log_mel")
        if log_mel.ndim != 2 or log_mel.shape[0] != config.n_mels or log_mel.shape[1] == 0:
            raise ShapeError(
                f"log_mel has shape {tuple(log_mel.shape)}; expected ({config.n_mels}, frames)"
            )
        frames = log_mel.shape[1]
        wanted = (frames - 1) * config.hop_length if samples is None else as_int(samples)
        if wanted is None or wanted < 0:
            raise ShapeError(f"samples={samples!r}: expected a length in samples")
        if not torch.isfinite(log_mel).all():
            raise ShapeError("log_mel holds NaN or Inf")
        log_mel = log_mel.to(self._device, torch.float32)
        if frames <= _CHUNK_FRAMES:
            return self._invert(log_mel, wanted)
        return self._in_chunks(log_mel, wanted)

    def _in_chunks(self, log_mel: Tensor, samples: int) -> Tensor:
        pieces = self._even_chunks(Window([log_mel]), log_mel.shape[1], samples)
        return torch.cat(list(pieces))[:samples]

    @torch.no_grad()
    def in_pieces(self, frames: Window, count: int, samples: int) -> Iterator[Tensor]:
        """Turns frames that come in pieces into sound in pieces, in bounded memory.

        Args:
            frames: (n_mels, frames), from the first one on.
            count: how many frames.
            samples: length wanted.

        Yields:
            (samples,) float32 each; joined, to the bit what the whole gives.
        """
        if count <= _CHUNK_FRAMES:
            yield self(frames.take(0, count), samples)
            return
        yield from _cut(self._even_chunks(frames, count, samples), samples)

    @torch.no_grad()
    def in_pieces_of(
        self, sizes: Iterable[int], frames: Window, count: int, samples: int
    ) -> Iterator[Tensor]:
        """As `in_pieces`, for a sound that is to be heard before all of its frames are there.

        Phases are looked for within each piece, so that it is not to the bit what the whole gives.

        Args:
            sizes: frames of one piece after the other, which begins a little before its own.
            frames: see `in_pieces`.
            count: see `in_pieces`.
            samples: see `in_pieces`.

        Yields:
            (samples,) float32 each; the end of each but the last comes with the next.
        """
        own = (max(size, _LIVE_OVERLAP_FRAMES) for size in sizes)
        whole = map(add, own, chain([0], repeat(_LIVE_OVERLAP_FRAMES)))
        yield from _cut(self._chunks(frames, count, samples, whole, _LIVE_OVERLAP_FRAMES), samples)

    def _even_chunks(self, frames: Window, count: int, samples: int) -> Iterator[Tensor]:
        return self._chunks(frames, count, samples, repeat(_CHUNK_FRAMES), _OVERLAP_FRAMES)

    def _chunks(
        self,
        frames: Window,
        count: int,
        samples: int,
        sizes: Iterable[int],
        overlap_frames: int,
    ) -> Iterator[Tensor]:
        """Cross-faded pieces: phases of neighbours are unrelated, so at equal power."""
        hop = self._log_mel.config.hop_length
        overlap = overlap_frames * hop
        ramp = torch.linspace(0.0, math.pi / 2, overlap, device=self._device).sin()
        total, before, start = max(samples, count * hop), None, 0
        for size in sizes:
            stop = min(start + size, count)
            piece = frames.take(start, stop).to(self._device, torch.float32)
            length = total - start * hop if stop == count else (stop - start) * hop
            sound = self._invert(piece, length)
            if before is not None:
                sound[:overlap] = sound[:overlap] * ramp + before
            if stop < count:
                before = sound[-overlap:] * ramp.flip(0)
                sound = sound[:-overlap]
            yield sound
            if stop == count:
                return
            start = stop - overlap_frames

    def _invert(self, log_mel: Tensor, samples: int) -> Tensor:
        config = self._log_mel.config
        # The transform mirrors half a window at both ends: a shorter sound is made longer and cut.
        length = max(samples, config.n_fft // 2 + 1)
        missing = self._log_mel.frames(length) - log_mel.shape[1]
        if missing > 0:
            log_mel = F.pad(log_mel[None], (0, missing), mode="replicate")[0]
        log_mel = log_mel[:, : self._log_mel.frames(length)]
        return self._sound(self._log_mel.magnitude(log_mel), length)[:samples]

    def _sound(self, mel: Tensor, length: int) -> Tensor:
        """(n_mels, frames) mel magnitudes to (length,) samples.

        All within is (frames, …), as a transform leaves its numbers in memory: what is taken from
        there column by column takes much longer.
        """
        mel = mel.T.contiguous()
        first = (mel @ self._inverse.T).clamp(min=_SMALLEST)
        anchor = first ** (1.0 - self._freedom)
        hop_length = self._log_mel.config.hop_length
        inverted = InverseTransform(self._window, hop_length, len(mel), length)
        asked, before = first * self._first_phases(first), None
        for _ in range(self._iterations):
            real = self._transform(inverted(asked))
            freed = _power_(squares(real).clamp_(min=_SMALLEST**2), self._freedom / 2).mul_(anchor)
            magnitude = freed.mul_(self._scales(freed, mel))
            ahead, before = _ahead_(real, before, self._momentum), real
            asked = ahead * magnitude.mul_(squares(ahead).clamp_(min=_TINY).rsqrt_())
        return inverted(asked)

    def _scales(self, magnitude: Tensor, mel: Tensor) -> Tensor:
        """What (frames, bins) magnitudes are to be scaled by, each as its bands say."""
        bands = (magnitude @ self._filters).clamp_(min=_SMALLEST)
        return (mel / bands).clamp_(_LEAST_SCALE, 1.0 / _LEAST_SCALE) @ self._shares.T

    def _first_phases(self, magnitude: Tensor) -> Tensor:
        """Complex numbers of size 1, like `magnitude`."""
        generator = torch.Generator(self._device).manual_seed(0)
        # In this order: other phases would make another sound of the same frames.
        angle = torch.rand(magnitude.T.shape, generator=generator, device=self._device)
        angle = angle.T.contiguous()
        return torch.polar(torch.ones_like(angle), 2.0 * math.pi * angle)

    def _transform(self, sound: Tensor) -> Tensor:
        """(samples,) to (frames, bins), complex."""
        config = self._log_mel.config
        spectrum = torch.stft(
            sound, config.n_fft, config.hop_length, window=self._window, return_complex=True
        )
        return spectrum.T


def _power_(numbers: Tensor, exponent: float) -> Tensor:
    """Positive numbers to a power, in place, sooner than `pow_`."""
    return numbers.log2_().mul_(exponent).exp2_()


def _ahead_(now: Tensor, before: Tensor | None, momentum: float) -> Tensor:
    """What goes on from what was before through what is now; takes the place of `before`."""
    return now if before is None else before.mul_(-momentum).add_(now, alpha=1.0 + momentum)


def _cut(pieces: Iterator[Tensor], samples: int) -> Iterator[Tensor]:
    """Pieces that end after so many samples."""
    left = samples
    for piece in pieces:
        if left > 0:
            yield piece[:left]
        left -= len(piece)
