"""ConvAutoencoder: the encoder and decoder that the families of sound models share."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from distill.arrays import as_tensor
from distill.audio.spectrogram import SILENCE
from distill.config import AutoencoderConfig
from distill.errors import ShapeError
from distill.models.layers import ConvNeXtBlock, Downsample, Upsample


class ConvAutoencoder(nn.Module):
    """Log-mel frames to time steps and back, one-dimensional in time.

    The mel bands are channels, so what the encoder says belongs to a moment and never to a band. A
    family sets its bottleneck between the two.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width, bands = config.width, config.spectrogram.n_mels
        fine, coarse = config.encoder_depth // 2, (config.decoder_depth + 1) // 2
        self.encoder = nn.Sequential(
            nn.Conv1d(bands, width, 5, padding=2),
            *_blocks(config, fine),
            Downsample(width, config.stride),
            *_blocks(config, config.encoder_depth - fine),
            nn.Conv1d(width, config.encoder_channels, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv1d(config.latent_dim, width, 3, padding=1),
            *_blocks(config, coarse),
            Upsample(width, config.stride),
            *_blocks(config, config.decoder_depth - coarse),
            nn.Conv1d(width, bands, 1),
        )
        self._bands, self._stride = bands, config.stride

    def encoded(self, mel: Tensor) -> Tensor:
        """What the encoder says of frames; the last step is filled up with silence.

        Args:
            mel: (batch, n_mels, frames) log-mel, at least one frame.

        Returns:
            (batch, encoder_channels, steps).

        Raises:
            ShapeError: another shape.
        """
        mel = as_tensor(mel, "mel")
        if mel.ndim != 3 or mel.shape[1] != self._bands or mel.shape[2] == 0:
            raise ShapeError(
                f"mel {tuple(mel.shape)}: expected (batch, {self._bands}, frames), at least one "
                "frame"
            )
        return self.encoder(F.pad(mel, (0, -mel.shape[-1] % self._stride), value=SILENCE))

    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor:
        """(batch, latent_dim, steps) to (batch, n_mels, frames); by default steps * stride."""
        return self.decoder(latent)[..., :frames]

    def reconstructed(self, mel: Tensor) -> Tensor:
        """The best that is made of frames in evaluation mode: (batch, n_mels, frames) log-mel."""
        made: Tensor = self(mel)[0]
        return made


def _blocks(config: AutoencoderConfig, count: int) -> list[nn.Module]:
    return [ConvNeXtBlock(config.width, kernel_size=config.kernel_size) for _ in range(count)]
