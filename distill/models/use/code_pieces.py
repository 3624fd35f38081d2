"""Codes of long sounds in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

import torch
from torch import Tensor

from distill.audio.signal_window import Window
from distill.models.use.pieces import (
    PIECE_STEPS,
    decoded_pieces,
    in_pieces,
    margin_steps,
    steps_of_width,
)
from distill.models.vqvae.model import ConvVQVAE

_REFINED_STEPS = 1024
"""44 s at the default rate; what all layers of the decoder make of them stays in memory."""


def indices_in_pieces(
    model: ConvVQVAE, latent: Tensor, piece_steps: int = PIECE_STEPS, *, levels: int | None = None
) -> Tensor:
    """(latent_dim, steps) to codes (level, steps), as `model.quantize`: each step by itself."""

    def quantize(piece: Tensor) -> Tensor:
        return model.quantize(piece, levels).indices

    take, steps = Window([latent]).take, latent.shape[-1]
    return torch.cat(list(in_pieces(quantize, take, steps, repeat(piece_steps), 0, 1)), dim=-1)


def refined_pieces(
    model: ConvVQVAE, mel: Window, frames: int, passes: int, *, levels: int | None = None
) -> Iterator[Tensor]:
    """Codes of frames that come in pieces, as `ConvVQVAE.refined_codes`.

    Args:
        model: whose codes.
        mel: (n_mels, frames), from the first frame on.
        frames: how many.
        passes: of the search, at least 1.
        levels: as many of the first; default all.

    Yields:
        (level, steps) each, on the model's device.
    """
    stride = model.config.stride

    def take(start: int, stop: int) -> Tensor:
        return mel.take(start, min(stop, frames))

    def work(piece: Tensor) -> Tensor:
        return model.refined_codes(piece, passes, levels)

    steps = min(_REFINED_STEPS, steps_of_width(model))
    margin = stride * margin_steps(model, model.config.encoder_depth + model.config.decoder_depth)
    total = frames + -frames % stride
    yield from in_pieces(work, take, total, repeat(stride * steps), margin, 1 / stride)


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
