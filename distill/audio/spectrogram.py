"""LogMel: waveforms to the log-mel frames the models see, and back to magnitudes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

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
        samples = waveform.shape[-1] if waveform.ndim else 0
        if samples == 0:
            raise ShapeError("waveform has 0 samples; a spectrogram needs at least 1")
        half, hop = self.config.n_fft // 2, self.config.hop_length
        rows = waveform.reshape(-1, samples)
        if samples <= half:  # too short to be mirrored at its edges
            rows = F.pad(rows, (0, half + 1 - samples))
        padded = F.pad(rows[:, None], (half, half), mode="reflect")[:, 0]
        frames, chunks = self.frames(samples), []
        for start in range(0, frames, _CHUNK_FRAMES):
            count = min(_CHUNK_FRAMES, frames - start)
            begin = start * hop
            chunks.append(self.mel(padded[:, begin : begin + (count - 1) * hop + 2 * half]))
        mel = torch.cat(chunks, dim=-1)
        scaled = (mel.clamp(min=FLOOR).log() - _CENTRE) / _SPREAD
        return scaled.reshape(*waveform.shape[:-1], *scaled.shape[-2:])

    def magnitude(self, log_mel: Tensor) -> Tensor:
        """Undoes the logarithm: (..., n_mels, frames) mel magnitudes, at least the floor."""
        return (log_mel * _SPREAD + _CENTRE).exp().clamp(min=FLOOR)
