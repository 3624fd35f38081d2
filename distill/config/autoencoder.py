"""The encoder and decoder that the families of sound models share, and their size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distill.config.fields import number
from distill.config.framed import FramedConfig
from distill.config.spectrogram import SpectrogramConfig
from distill.errors import ConfigError

MOST_PARAMETERS = 2**28
"""Numbers that a model may hold: 1 GiB of float32."""


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig(FramedConfig):
    """Layers from log-mel frames to latents and back; a family adds its bottleneck."""

    width: int = number(192, 8, 2048)
    encoder_depth: int = number(2, 1, 32)
    decoder_depth: int = number(3, 1, 32)
    kernel_size: int = number(7, 1, 63)
    latent_dim: int = number(128, 1, 1024)
    stride: int = number(2, 1, 16)
    """Frames to one time step of the latents."""

    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)

    _size_settings: ClassVar[str] = "width, depth or latent_dim"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size={self.kernel_size}: expected an odd number")
        if self.parameters > MOST_PARAMETERS:
            raise ConfigError(
                f"a model of {self.parameters} numbers: expected at most {MOST_PARAMETERS}; lower "
                f"{self._size_settings}"
            )

    @property
    def encoder_channels(self) -> int:
        """Numbers that the encoder gives for each time step."""
        return self.latent_dim

    @property
    def bottleneck_parameters(self) -> int:
        """Numbers in all tensors between encoder and decoder."""
        return 0

    @property
    def parameters(self) -> int:
        """Numbers in all tensors of the model, known without making it."""
        width, bands, kernel = self.width, self.spectrogram.n_mels, self.kernel_size
        block = 6 * width**2 + (kernel + 8) * width
        change_of_rate = 2 * self.stride * width**2 + width
        encoder = 5 * bands * width + width + change_of_rate + (width + 1) * self.encoder_channels
        decoder = 3 * self.latent_dim * width + width + change_of_rate + width * bands + bands
        blocks = block * (self.encoder_depth + self.decoder_depth)
        return encoder + decoder + blocks + self.bottleneck_parameters
