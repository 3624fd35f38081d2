"""Codes of long sounds in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

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
    return torch.cat(list(in_pieces(quantize, take, steps, repeat(piece_steps), 0, 1)), dim=-1)


def mel_pieces(
    model: ConvVQVAE, codes: Window, steps: int, piece_steps: int | Iterable[int] = PIECE_STEPS
) -> Iterator[Tensor]:
    """What the decoder makes of codes, which may be on their way still.

    Args:
        model: whose decoder.
        codes: (level, steps), from the first step on.
        steps: how many there will be.
        piece_steps: steps of a piece, or of one piece after the other.

    Yields:
        (n_mels, frames) each; `stride` frames for each step.
    """

    def take(start: int, stop: int) -> Tensor:
        return model.codes_to_embeddings(codes.take(start, stop)[None].to(device))[0]

    device = next(model.parameters()).device
    yield from decoded_pieces(model, take, steps, piece_steps)
