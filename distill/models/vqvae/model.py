"""ConvVQVAE: log-mel frames to a grid of codes, levels × time, and back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.arrays import as_whole_numbers
from distill.config import VQVAEConfig
from distill.models.autoencoder import ConvAutoencoder
from distill.models.vqvae.quantizer import QuantizerOutput, QuantizerWrapper
from distill.models.vqvae.refining import REFINEMENTS, refined

_MOST_NUMBERS = 2**27  # in one layer while codebooks are begun: 512 MB, met by great width only


class ConvVQVAE(ConvAutoencoder):
    """A residual-vector-quantized autoencoder: a code belongs to one moment and one level."""

    background: Tensor | None
    """What the encoder makes of sound in general, (position, latent_dim), where that is known:
    codebooks are made from it too. In no file of the model; see `background_of`."""

    def __init__(self, config: VQVAEConfig) -> None:
        super().__init__(config)
        self.config = config
        self.background: Tensor | None = None
        self.quantizer = QuantizerWrapper(
            dim=config.latent_dim,
            levels=config.levels,
            codebook_size=config.codebook_size,
            decay=config.codebook_decay,
            dead_code_fraction=config.dead_code_fraction,
            dropout=config.quantizer_dropout,
        )

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstructs frames through the codes.

        Args:
            mel: (batch, n_mels, frames) log-mel, at least one frame.

        Returns:
            The reconstruction, like `mel`; the codes, (batch, level, step); the commitment of each
            level, (level,), unweighted.

        Raises:
            ShapeError: another shape.
        """
        result = self.quantize(self.encode(mel))
        reconstruction = self.decode(result.quantized, frames=mel.shape[-1])
        return reconstruction, result.indices, result.commitment

    def encode(self, mel: Tensor) -> Tensor:
        """(batch, n_mels, frames) to latents (batch, latent_dim, steps); see `encoded`."""
        return self.encoded(mel)

    def quantize(self, latent: Tensor, levels: int | None = None) -> QuantizerOutput:
        """(batch, latent_dim, steps) to codes and their sum of entries, of the first levels alone
        where asked to.
        """
        return self.quantizer(latent, levels)

    def refined_codes(
        self, mel: Tensor, passes: int = REFINEMENTS, levels: int | None = None
    ) -> Tensor:
        """The codes that say most of frames, by what the decoder makes of them.

        Args:
            mel: (1, n_mels, frames) log-mel, at least one frame.
            passes: of the search for them; 0 takes those of `quantize`.
            levels: as many of the first; default all.

        Returns:
            (1, level, step) int64.
        """
        return refined(self, mel, passes, levels).indices

    def reconstructed(self, mel: Tensor) -> Tensor:
        """See `ConvAutoencoder`; through refined codes."""
        rows = [refined(self, row[None], REFINEMENTS, None).quantized for row in mel]
        return self.decode(torch.cat(rows), frames=mel.shape[-1])

    def codes_to_embeddings(self, indices: Tensor) -> Tensor:
        """Codes, (batch, level, step), to what `decode` takes; -1, and levels that are missing at
        the end, add exactly nothing.

        Raises:
            ShapeError: more levels, a code that does not exist, or no whole numbers.
        """
        indices = as_whole_numbers(indices, "indices")
        missing = self.config.levels - indices.shape[1] if indices.ndim == 3 else 0
        if missing > 0:
            indices = F.pad(indices, (0, 0, 0, missing), value=-1)
        return self.quantizer.embed(indices).sum(dim=0)

    @torch.no_grad()
    def initialise(self, mel: Tensor, batch_steps: int | None = None) -> None:
        """Fills empty codebooks by k-means over the latents of real sound, and the background.

        Args:
            mel: (batch, n_mels, frames).
            batch_steps: see `QuantizerWrapper.initialise`.
        """
        if not self.quantizer.initialised:
            rows = max(1, _MOST_NUMBERS // (3 * self.config.width * mel.shape[-1]))
            parts = [self.encode(part) for part in torch.split(mel, rows)]
            self.quantizer.initialise(torch.cat(parts), batch_steps, self.background)
            self.background = None  # has served

    def keep_codes(self) -> None:
        """Has only the decoder learn: encoder, and codebooks once they are filled, stay."""
        self.encoder.requires_grad_(False)
        self.quantizer.freeze()

    @property
    def codebook_shape(self) -> tuple[int, int]:
        """(levels, entries)."""
        return self.config.levels, self.config.codebook_size
