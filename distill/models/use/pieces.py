"""Sounds of hours through a model, in pieces: the same result in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.signal_window import Window
from distill.audio.spectrogram import SILENCE
from distill.config import AutoencoderConfig

PIECE_STEPS = 4096
"""87 s at the default rate; whatever is shorter goes through whole."""
MOST_NUMBERS = 2**27
"""In memory at once for one layer; only models of large codebooks or great width meet it."""


class Autoencoder(Protocol):
    """Convolutions from log-mel to latents and back, as the families of sound models share them."""

    @property
    def config(self) -> AutoencoderConfig:
        """Says how far an output depends on what stands beside it."""
        ...

    def encode(self, mel: Tensor) -> Tensor:
        """(batch, n_mels, frames) to (batch, channels, steps)."""
        ...

    def decode(self, latent: Tensor) -> Tensor:
        """(batch, latent_dim, steps) to (batch, n_mels, steps * stride)."""
        ...


def encode_in_pieces(model: Autoencoder, mel: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(n_mels, frames) to latents (channels, steps), as `model.encode`."""
    pieces = latent_pieces(model, Window([mel]), mel.shape[-1], piece_steps)
    return torch.cat(list(pieces), dim=-1)


def latent_pieces(
    model: Autoencoder, mel: Window, frames: int, piece_steps: int = PIECE_STEPS
) -> Iterator[Tensor]:
    """Latents of frames that come in pieces.

    Args:
        model: whose latents.
        mel: (n_mels, frames), from the first frame on.
        frames: how many.
        piece_steps: steps of a piece.

    Yields:
        (channels, steps) each.
    """
    stride = model.config.stride
    total = frames + -frames % stride
    margin = stride * margin_steps(model, model.config.encoder_depth)
    piece_steps = min(piece_steps, steps_of_width(model))

    def take(start: int, stop: int) -> Tensor:
        part = mel.take(start, min(stop, frames))
        return F.pad(part, (0, stop - max(start, frames)), value=SILENCE) if stop > frames else part

    pieces = repeat(stride * piece_steps)
    yield from in_pieces(model.encode, take, total, pieces, margin, 1 / stride)


def decode_in_pieces(model: Autoencoder, latent: Tensor, piece_steps: int = PIECE_STEPS) -> Tensor:
    """(latent_dim, steps) to (n_mels, steps * stride), as `model.decode`."""
    take = Window([latent]).take
    return torch.cat(list(decoded_pieces(model, take, latent.shape[-1], piece_steps)), dim=-1)


def decoded_pieces(
    model: Autoencoder,
    take: Callable[[int, int], Tensor],
    steps: int,
    piece_steps: int | Iterable[int] = PIECE_STEPS,
) -> Iterator[Tensor]:
    """What the decoder makes of latents that are asked for piece by piece.

    Args:
        model: whose decoder.
        take: (first step, step after the last) to (latent_dim, steps) on the model's device.
        steps: how many there are.
        piece_steps: steps of a piece, or of one piece after the other.

    Yields:
        (n_mels, frames) each; `stride` frames for each step.
    """
    margin = margin_steps(model, model.config.decoder_depth)
    most = steps_of_width(model)
    sizes = repeat(piece_steps) if isinstance(piece_steps, int) else piece_steps
    pieces = (min(size, most) for size in sizes)
    yield from in_pieces(model.decode, take, steps, pieces, margin, model.config.stride)


def in_pieces(
    work: Callable[[Tensor], Tensor],
    take: Callable[[int, int], Tensor],
    total: int,
    pieces: Iterable[int],
    margin: int,
    ratio: float,
) -> Iterator[Tensor]:
    """Work over (1, channels, time), done piece by piece with what stands beside each.

    Args:
        work: gives `ratio` columns for one.
        take: (first column, column after the last) to (channels, time).
        total: columns.
        pieces: columns of one piece after the other, enough of them.
        margin: columns at either side on which a result depends.
        ratio: columns made of one.

    Yields:
        (channels, time) each.
    """
    start = 0
    for piece in pieces:
        stop = min(start + piece, total)
        left, right = max(0, start - margin), min(total, stop + margin)
        made = work(take(left, right)[None])[0]
        begin, end = (round((place - left) * ratio) for place in (start, stop))
        yield made[..., begin:end]
        if stop == total:
            return
        start = stop


def steps_of_width(model: Autoencoder) -> int:
    """Steps whose widest layer keeps below `MOST_NUMBERS`."""
    return max(1, MOST_NUMBERS // (3 * model.config.width * model.config.stride))


def margin_steps(model: Autoencoder, depth: int) -> int:
    """Steps that an output can depend on at either side, or more: two for the change of rate, two
    for the first convolution, half a kernel for each block as if all ran at the rate of steps.
    """
    return 4 + depth * (model.config.kernel_size // 2)
