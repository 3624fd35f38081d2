"""Codes of long sounds in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from distill.audio.signal_window import Window
from distill.models.use.pieces import MOST_NUMBERS, PIECE_STEPS, decoded_pieces, in_pieces
from distill.models.vqvae.model import ConvVQVAE
from distill.models.vqvae.quantizer import SEARCH_BEAM


def indices_in_pieces(
    model: ConvVQVAE, latent: Tensor, piece_steps: int = PIECE_STEPS, *, levels: int | None = None
) -> Tensor:
    """(latent_dim, steps) to codes (level, steps), as `model.quantize`: each step by itself."""

    def quantize(piece: Tensor) -> Tensor:
        return model.quantize(piece, levels).indices

    fitting = MOST_NUMBERS // (2 * SEARCH_BEAM * model.config.codebook_size)
    piece_steps = min(piece_steps, max(1, fitting))
    take, steps = Window([latent]).take, latent.shape[-1]
    return torch.cat(list(in_pieces(quantize, take, steps, piece_steps, 0, 1)), dim=-1)


def mel_pieces(model: ConvVQVAE, indices: Tensor) -> Iterator[Tensor]:
    """What the decoder makes of codes, (level, steps) on the model's device.

    Yields:
        (n_mels, frames) each; `stride` frames for each step.
    """

    def take(start: int, stop: int) -> Tensor:
        return model.codes_to_embeddings(indices[None, :, start:stop])[0]

    yield from decoded_pieces(model, take, indices.shape[-1])
