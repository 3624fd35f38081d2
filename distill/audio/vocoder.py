"""Log-mel frames to sound: the Vocoder protocol, and Griffin-Lim."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
import torchaudio.functional
from torch import Tensor

from distill.arrays import as_floats, as_int
from distill.audio.signal_window import Window
from distill.audio.spectrogram import LogMel
from distill.errors import ShapeError

_CHUNK_FRAMES = 2048  # 22 s at the default rate; bounds memory for sounds of any length
_OVERLAP_FRAMES = 16


@contextlib.contextmanager
def _the_same_random_numbers(device: torch.device) -> Iterator[None]:
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(0)
        if devices:
            torch.cuda.default_generators[devices[0]].manual_seed(0)
        yield


@runtime_checkable
class Vocoder(Protocol):
    """Anything that turns log-mel frames into sound."""

    def __call__(self, log_mel: Tensor, samples: int | None = None) -> Tensor:
        """(n_mels, frames) to (samples,); by default (frames - 1) * hop_length samples."""
        ...


class GriffinLimVocoder:
    """Mel magnitudes to linear ones by non-negative least squares, then fast Griffin-Lim.

    Starts from the same random phases every time, so the same frames always give the same sound;
    the caller's random numbers are left as they were.

    Source: Perraudin et al. 2013 (fast Griffin-Lim); Lee and Seung 2001 (multiplicative updates).
    """

    def __init__(
        self,
        log_mel: LogMel,
        *,
        iterations: int = 16,
        momentum: float = 0.99,
        inversion_iterations: int = 20,
    ) -> None:
        self._log_mel = log_mel
        self._iterations = iterations
        self._momentum = momentum
        self._inversion_iterations = inversion_iterations
        # Other devices lack what this needs (double precision, a generator to seed): they get the
        # processor's result.
        device = log_mel.filters.device
        self._device = device if device.type == "cuda" else torch.device("cpu")
        self._filters = log_mel.filters.to(self._device)
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
        frames = Window([log_mel])
        return torch.cat(list(self._chunks(frames, log_mel.shape[1], samples)))[:samples]

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
        left = samples
        for piece in self._chunks(frames, count, samples):
            if left > 0:
                yield piece[:left]
            left -= len(piece)

    def _chunks(self, frames: Window, count: int, samples: int) -> Iterator[Tensor]:
        """Cross-faded pieces: phases of neighbours are unrelated, so at equal power."""
        hop = self._log_mel.config.hop_length
        overlap = _OVERLAP_FRAMES * hop
        ramp = torch.linspace(0.0, math.pi / 2, overlap, device=self._device).sin()
        total, before = max(samples, count * hop), None
        for start in range(0, count - _OVERLAP_FRAMES, _CHUNK_FRAMES - _OVERLAP_FRAMES):
            stop = min(start + _CHUNK_FRAMES, count)
            piece = frames.take(start, stop).to(self._device, torch.float32)
            length = total - start * hop if stop == count else (stop - start) * hop
            sound = self._invert(piece, length)
            if before is not None:
                sound[:overlap] = sound[:overlap] * ramp + before
            if stop < count:
                before = sound[-overlap:] * ramp.flip(0)
                sound = sound[:-overlap]
            yield sound

    def _invert(self, log_mel: Tensor, samples: int) -> Tensor:
        config = self._log_mel.config
        # The transform mirrors half a window at both ends: a shorter sound is made longer and cut.
        length = max(samples, config.n_fft // 2 + 1)
        missing = self._log_mel.frames(length) - log_mel.shape[1]
        if missing > 0:
            log_mel = F.pad(log_mel[None], (0, missing), mode="replicate")[0]
        log_mel = log_mel[:, : self._log_mel.frames(length)]
        linear = self._linear(self._log_mel.magnitude(log_mel))
        with _the_same_random_numbers(linear.device):
            return torchaudio.functional.griffinlim(
                linear,
                self._window,
                config.n_fft,
                config.hop_length,
                config.n_fft,
                power=1.0,
                n_iter=self._iterations,
                momentum=self._momentum,
                length=length,
                rand_init=True,
            )[:samples]

    def _linear(self, mel: Tensor) -> Tensor:
        """(n_mels, frames) mel magnitudes to (bins, frames) linear ones."""
        filters = self._filters
        linear = (self._inverse @ mel).clamp(min=1e-5)
        target = filters @ mel
        for _ in range(self._inversion_iterations):
            linear = linear * target / (filters @ (filters.T @ linear)).clamp(min=1e-12)
        return linear.clamp(min=1e-7)
