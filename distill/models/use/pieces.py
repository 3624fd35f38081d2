"""Sounds of hours through a model, in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.spectrogram import SILENCE
from distill.audio.window import Window
from distill.models.vqvae.model import ConvVQVAE
from distill.models.vqvae.quantizer import SEARCH_BEAM

PIECE_STEPS = 4096
"""87 s at the default rate; whatever is shorter goes through whole."""
_MOST_NUMBERS = 2**27
"""In memory at once for one layer; only models of large codebooks or great width meet it."""


def encode_in_pieces(model: ConvVQVAE, mel: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(n_mels, frames) to latents (latent_dim, steps), as `model.encode`."""
    pieces = latent_pieces(model, Window([mel]), mel.shape[-1], piece_steps)
    return torch.cat(list(pieces), dim=-1)


def latent_pieces(
    model: ConvVQVAE, mel: Window, frames: int, piece_steps: int = PIECE_STEPS
) -> Iterator[Tensor]:
    """Latents of frames that come in pieces.

    Args:
        model: whose latents.
        mel: (n_mels, frames), from the first frame on.
        frames: how many.
        piece_steps: steps of a piece.

    Yields:
        (latent_dim, steps) each.
    """
    stride = model.config.stride
    total = frames + -frames % stride
    margin = stride * _margin_steps(model, model.config.encoder_depth)
    piece_steps = min(piece_steps, _steps_of_width(model))

    def take(start: int, stop: int) -> Tensor:
        part = mel.take(start, min(stop, frames))
        return F.pad(part, (0, stop - max(start, frames)), value=SILENCE) if stop > frames else part

    yield from _in_pieces(model.encode, take, total, stride * piece_steps, margin, 1 / stride)


def indices_in_pieces(model: ConvVQVAE, latent: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(latent_dim, steps) to codes (level, steps), as `model.quantize`: each step by itself."""

    def quantize(piece: Tensor) -> Tensor:
        return model.quantize(piece).indices

    fitting = _MOST_NUMBERS // (2 * SEARCH_BEAM * model.config.codebook_size)
    piece_steps = min(piece_steps, max(1, fitting))
    take, steps = Window([latent]).take, latent.shape[-1]
    return torch.cat(list(_in_pieces(quantize, take, steps, piece_steps, 0, 1)), dim=-1)


def decode_in_pieces(model: ConvVQVAE, embedding: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(latent_dim, steps) to (n_mels, steps * stride), as `model.decode`."""
    take = Window([embedding]).take
    return torch.cat(list(_mel_pieces(model, take, embedding.shape[-1], piece_steps)), dim=-1)


def mel_pieces(model: ConvVQVAE, indices: Tensor) -> Iterator[Tensor]:
    """What the decoder makes of codes, (level, steps) on the model's device.

    Yields:
        (n_mels, frames) each; `stride` frames for each step.
    """

    def take(start: int, stop: int) -> Tensor:
        return model.codes_to_embeddings(indices[None, :, start:stop])[0]

    yield from _mel_pieces(model, take, indices.shape[-1], PIECE_STEPS)


def _mel_pieces(
    model: ConvVQVAE, take: Callable[[int, int], Tensor], steps: int, piece_steps: int
) -> Iterator[Tensor]:
    margin = _margin_steps(model, model.config.decoder_depth)
    piece_steps = min(piece_steps, _steps_of_width(model))
    yield from _in_pieces(model.decode, take, steps, piece_steps, margin, model.config.stride)


def _steps_of_width(model: ConvVQVAE) -> int:
    """Steps whose widest layer keeps below `_MOST_NUMBERS`."""
    return max(1, _MOST_NUMBERS // (3 * model.config.width * model.config.stride))


def _margin_steps(model: ConvVQVAE, depth: int) -> int:
    """Steps that an output can depend on at either side, or more: two for the change of rate, two
    for the first convolution, half a kernel for each block as if all ran at the rate of steps.
    """
    return 4 + depth * (model.config.kernel_size // 2)


def _in_pieces(
    work: Callable[[Tensor], Tensor],
    take: Callable[[int, int], Tensor],
    total: int,
    piece: int,
    margin: int,
    ratio: float,
) -> Iterator[Tensor]:
    """Work over (1, channels, time) that gives `ratio` columns for one, done piece by piece with
    what stands beside each; `take` gives (channels, time).
    """
    if total <= piece:
        yield work(take(0, total)[None])[0]
        return
    for start in range(0, total, piece):
        stop = min(start + piece, total)
        left, right = max(0, start - margin), min(total, stop + margin)
        made = work(take(left, right)[None])[0]
        begin, end = (round((place - left) * ratio) for place in (start, stop))
        yield made[..., begin:end]
