"""Codes chosen by what the decoder makes of them, and not by the encoder's word alone.

The entries nearest to a latent are not those that sound nearest to the recording: the decoder hears
some differences and not others. Here the latent is moved against the gradient of the loss, through
the decoder, and coded anew: the same number of bits, and a result nearer to the original
(benchmarks/quality.py, with `--refinements 0` beside it).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.spectrogram import magnitude
from distill.models.losses import multi_resolution_l1
from distill.models.vqvae.quantizer import QuantizerOutput

REFINEMENTS = 6
"""More gain little."""
_STRIDE = 0.03
"""Of the latent's own spread, on the average of all its numbers; of the first pass. The last ones
take less and less of it. Twice as much lowers distances as much, and what ViSQOL says of it too."""
_LOUD = 0.5
"""Weight of the difference of magnitudes, of which the loud is most, beside that of logarithms."""


class Codec(Protocol):
    """Log-mel to latents, latents to codes, what these add up to to log-mel; see `ConvVQVAE`."""

    def encode(self, mel: Tensor) -> Tensor:
        """(batch, n_mels, frames) to (batch, latent_dim, steps)."""
        ...

    def quantize(self, latent: Tensor, levels: int | None = None) -> QuantizerOutput:
        """Latents to codes of the first levels, and what these add up to."""
        ...

    def decode(self, latent: Tensor, frames: int | None = None) -> Tensor:
        """(batch, latent_dim, steps) to (batch, n_mels, frames)."""
        ...


def refined(model: Codec, mel: Tensor, passes: int, levels: int | None) -> QuantizerOutput:
    """Codes of frames, of which the decoder never makes less than of those of `model.quantize`.

    Args:
        model: in evaluation mode.
        mel: (1, n_mels, frames) log-mel, at least one frame.
        passes: how often the latent is moved; 0 for the encoder's own codes.
        levels: as many of the first; None for all.
    """
    # Within inference_mode nothing has a gradient, whatever else is said.
    with torch.inference_mode(False), torch.no_grad():
        mel = mel.clone()
        latent = model.encode(mel)
        spread = latent.std(correction=0)
        best = coded = model.quantize(latent, levels)
        least: Tensor | None = None
        for number in range(passes):
            loss, slope = _loss_and_slope(model, coded.quantized, mel)
            if least is None or loss < least:
                least, best = loss, coded
            share = _STRIDE * (1 - number / passes)
            steepness = slope.square().mean().sqrt().clamp(min=torch.finfo(slope.dtype).tiny)
            latent = latent - share * spread * slope / steepness
            coded = model.quantize(latent, levels)
        if least is not None and _loss(model, coded.quantized, mel) < least:
            best = coded
    return best


def _loss_and_slope(model: Codec, quantized: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
    """`_loss`, and its gradient, like `quantized`."""
    with torch.enable_grad():
        place = quantized.detach().requires_grad_()
        loss = _loss(model, place, mel)
        (slope,) = torch.autograd.grad(loss, place)
    return loss.detach(), slope


def _loss(model: Codec, quantized: Tensor, mel: Tensor) -> Tensor:
    """How far the decoder's frames are from these."""
    made = model.decode(quantized, frames=mel.shape[-1])
    asked = magnitude(mel)
    return multi_resolution_l1(made, mel) + _LOUD * F.l1_loss(magnitude(made), asked) / asked.mean()
