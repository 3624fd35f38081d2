"""Codes chosen by what the decoder makes of them, and not by the encoder's word alone.

The entries nearest to a latent are not those that sound nearest to the recording: the decoder hears
some differences and not others. Here the latent is moved against the gradient of the loss, through
the decoder, and coded anew: the same number of bits, and a result nearer to the original
(benchmarks/quality.py, with `--refinements 0` beside it).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.spectrogram import magnitude
from distill.models.losses import multi_resolution_l1
from distill.models.vqvae.model import ConvVQVAE

REFINEMENTS = 8
"""Half as many reach nine tenths of what these gain, twice as many little more."""
_STRIDE = 0.06
"""Of the latent's own spread, on the average of all its numbers; of the first pass. The last ones
take less and less of it."""
_LOUD = 0.1
"""Weight of the difference of magnitudes, of which the loud is most, beside that of logarithms."""


def refined_codes(
    model: ConvVQVAE, mel: Tensor, passes: int = REFINEMENTS, levels: int | None = None
) -> Tensor:
    """Codes of frames, of which the decoder never makes less than of those of `model.quantize`.

    Args:
        model: in evaluation mode.
        mel: (1, n_mels, frames) log-mel, at least one frame.
        passes: how often the latent is moved; 0 for the encoder's own codes.
        levels: as many of the first; default all.

    Returns:
        (1, level, step) int64.
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
    return best.indices


def _loss_and_slope(model: ConvVQVAE, quantized: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
    """`_loss`, and its gradient, like `quantized`."""
    with torch.enable_grad():
        place = quantized.detach().requires_grad_()
        loss = _loss(model, place, mel)
        (slope,) = torch.autograd.grad(loss, place)
    return loss.detach(), slope


def _loss(model: ConvVQVAE, quantized: Tensor, mel: Tensor) -> Tensor:
    """How far the decoder's frames are from these."""
    made = model.decode(quantized, frames=mel.shape[-1])
    asked = magnitude(mel)
    return multi_resolution_l1(made, mel) + _LOUD * F.l1_loss(magnitude(made), asked) / asked.mean()
