"""LogMel: waveforms to the log-mel frames the models see, and back to magnitudes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from distill.arrays import as_tensor
from distill.audio.signal_window import Window
from distill.config import SpectrogramConfig
from distill.errors import ShapeError

FLOOR = 1e-5
_CENTRE, _SPREAD = -7.0, 3.5  # brings natural-log mels of music to about ±2
SILENCE = (math.log(FLOOR) - _CENTRE) / _SPREAD
"""The value of a silent bin."""

_CHUNK_FRAMES = 4096  # 20 minutes of sound never become one spectrogram of complex numbers


class LogMel(nn.Module):
    """Slaney mel magnitudes on a natural-log scale, shifted and scaled to about ±2."""

    def __init__(self, config: SpectrogramConfig) -> None:
        super().__init__()
        self.config = config
        self.mel = MelSpectrogram(
            config.sample_rate,
            n_fft=config.n_fft,
            hop_length=config.hop_length,
            f_min=config.f_min_hz,
            f_max=config.top_hz,
            n_mels=config.n_mels,
            power=1.0,
            norm="slaney",
            mel_scale="slaney",
            center=False,
        )

    @property
    def filters(self) -> Tensor:
        """The mel filters, (n_fft // 2 + 1, n_mels)."""
        return self.mel.mel_scale.fb

    def frames(self, samples: int) -> int:
        """Frames of a sound of `samples` samples: one centred on every hop."""
        return 1 + samples // self.config.hop_length

    def forward(self, waveform: Tensor) -> Tensor:
        """Turns sound into frames.

        Args:
            waveform: (..., samples), at least one sample.

        Returns:
            (..., n_mels, 1 + samples // hop_length).

        Raises:
            ShapeError: no samples.
        """
        waveform = as_tensor(waveform, "waveform").to(self.filters.dtype)
        samples = waveform.shape[-1] if waveform.ndim else 0
        if samples == 0:
            raise ShapeError("waveform has 0 samples; a spectrogram needs at least 1")
        half, hop = self.config.n_fft // 2, self.config.hop_length
        if not waveform.numel():
            raise ShapeError(f"waveform {tuple(waveform.shape)}: a batch of no sounds")
        rows = waveform.reshape(-1, samples)
        if samples <= half:  # too short to be mirrored at its edges
            rows = F.pad(rows, (0, half + 1 - samples))
        padded = F.pad(rows[:, None], (half, half), mode="reflect")[:, 0]
        frames, chunks = self.frames(samples), []
        for start in range(0, frames, _CHUNK_FRAMES):
            count = min(_CHUNK_FRAMES, frames - start)
            begin = start * hop
            chunks.append(self.of_padded(padded[:, begin : begin + (count - 1) * hop + 2 * half]))
        scaled = torch.cat(chunks, dim=-1)
        return scaled.reshape(*waveform.shape[:-1], *scaled.shape[-2:])

    def of_padded(self, rows: Tensor) -> Tensor:
        """Frames of sounds that have half a window of samples beside what is wanted already.

        Args:
            rows: (sounds, (frames - 1) * hop_length + n_fft).

        Returns:
            (sounds, n_mels, frames).
        """
        mel: Tensor = self.mel(rows)
        return (mel.clamp(min=FLOOR).log() - _CENTRE) / _SPREAD

    def in_pieces(self, sound: Window, samples: int) -> Iterator[Tensor]:
        """Frames of a sound that comes in pieces: joined, to the bit what the whole gives.

        Args:
            sound: (samples,), from its beginning on.
            samples: its length, at least 1.

        Yields:
            (n_mels, frames) each, at most 4096 of them.
        """
        half, hop = self.config.n_fft // 2, self.config.hop_length
        frames = self.frames(samples)
        if samples <= half:
            yield self.forward(sound.take(0, samples))
            return
        for start in range(0, frames, _CHUNK_FRAMES):
            count = min(_CHUNK_FRAMES, frames - start)
            begin = start * hop - half  # of the samples; those outside the sound are mirrored
            end = begin + (count - 1) * hop + 2 * half
            # A mirror shows half a window of what stands beside it.
            left = max(0, min(begin, samples - half - 1))
            part = sound.take(left, min(max(end, half + 1), samples))
            before, after = max(0, -begin), max(0, end - samples)
            row = F.pad(part[None, None], (before, after), mode="reflect")[0]
            skip = begin + before - left
            yield self.of_padded(row[:, skip : skip + end - begin])[0]

    def magnitude(self, log_mel: Tensor) -> Tensor:
        """Undoes the logarithm: (..., n_mels, frames) mel magnitudes, at least the floor."""
        return magnitude(log_mel)


def magnitude(log_mel: Tensor) -> Tensor:
    """Undoes the logarithm: any shape to as many mel magnitudes, at least the floor."""
    return (log_mel * _SPREAD + _CENTRE).exp().clamp(min=FLOOR)
