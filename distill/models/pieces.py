"""Sounds of hours through a model, in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.spectrogram import SILENCE
from distill.models.quantizer import SEARCH_BEAM
from distill.models.vqvae import ConvVQVAE

PIECE_STEPS = 4096
"""87 s at the default rate; whatever is shorter goes through whole."""
_MOST_NUMBERS = 2**27
"""In memory at once for one layer; only models of large codebooks or great width meet it."""


def encode_in_pieces(model: ConvVQVAE, mel: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(n_mels, frames) to latents (latent_dim, steps), as `model.encode`."""
    stride = model.config.stride
    mel = F.pad(mel, (0, -mel.shape[-1] % stride), value=SILENCE)
    margin = stride * _margin_steps(model, model.config.encoder_depth)
    piece_steps = min(piece_steps, _steps_of_width(model))
    return _in_pieces(model.encode, mel[None], stride * piece_steps, margin, 1 / stride)[0]


def indices_in_pieces(model: ConvVQVAE, latent: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(latent_dim, steps) to codes (level, steps), as `model.quantize`: each step by itself."""

    def quantize(piece: Tensor) -> Tensor:
        return model.quantize(piece).indices

    fitting = _MOST_NUMBERS // (2 * SEARCH_BEAM * model.config.codebook_size)
    return _in_pieces(quantize, latent[None], min(piece_steps, max(1, fitting)), 0, 1)[0]


def decode_in_pieces(model: ConvVQVAE, embedding: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(latent_dim, steps) to (n_mels, steps * stride), as `model.decode`."""
    margin = _margin_steps(model, model.config.decoder_depth)
    piece_steps = min(piece_steps, _steps_of_width(model))
    return _in_pieces(model.decode, embedding[None], piece_steps, margin, model.config.stride)[0]


def _steps_of_width(model: ConvVQVAE) -> int:
    """Steps whose widest layer keeps below `_MOST_NUMBERS`."""
    return max(1, _MOST_NUMBERS // (3 * model.config.width * model.config.stride))


def _margin_steps(model: ConvVQVAE, depth: int) -> int:
    """Steps that an output can depend on at either side, or more: two for the change of rate, two
    for the first convolution, half a kernel for each block as if all ran at the rate of steps.
    """
    return 4 + depth * (model.config.kernel_size // 2)


def _in_pieces(
    work: Callable[[Tensor], Tensor], x: Tensor, piece: int, margin: int, ratio: float
) -> Tensor:
    """Work over (batch, channels, time) that gives `ratio` columns for one, done piece by piece
    with what stands beside each.
    """
    total = x.shape[-1]
    if total <= piece:
        return work(x)
    done = []
    for start in range(0, total, piece):
        stop = min(start + piece, total)
        left, right = max(0, start - margin), min(total, stop + margin)
        made = work(x[..., left:right])
        begin, end = (round((place - left) * ratio) for place in (start, stop))
        done.append(made[..., begin:end])
    return torch.cat(done, dim=-1)
