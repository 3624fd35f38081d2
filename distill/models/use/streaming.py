"""Sound to latents and log-mel to sound in bounded memory, whatever the length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from distill.audio.signal_window import Window
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.models.use.pieces import Autoencoder, latent_pieces

_LEAST_PEAK = 1e-37
"""Below it a float32 has no precision left to divide by."""


@torch.no_grad()
def latents(
    model: Autoencoder,
    spectrogram: LogMel,
    sound: Iterable[Tensor],
    samples: int,
    peak: float,
    device: torch.device,
) -> Iterator[Tensor]:
    """Latents of a sound at the model's rate, which comes in pieces.

    Args:
        model: whose latents.
        spectrogram: its own, on its device.
        sound: (samples,) each, at the model's rate.
        samples: of all of them together, at least 1.
        peak: the largest absolute sample, by which they are divided.
        device: of the model.

    Yields:
        (channels, steps) each, on the model's device.
    """
    divisor = peak if peak > _LEAST_PEAK else 1.0

    def levelled() -> Iterator[Tensor]:
        for piece in sound:
            yield piece.to(device) / divisor

    mel = Window(spectrogram.in_pieces(Window(levelled()), samples))
    yield from latent_pieces(model, mel, spectrogram.frames(samples))


@torch.no_grad()
def sounds(
    vocoder: Vocoder, mels: Iterable[Tensor], frames: int, samples: int, peak: float
) -> Iterator[Tensor]:
    """The sound of log-mel frames that come in pieces, in pieces.

    Args:
        vocoder: turns frames into sound; in pieces where it can.
        mels: (n_mels, frames) each, at least `frames` together.
        frames: of the sound.
        samples: of the sound.
        peak: what a sample of 1 becomes.

    Yields:
        (samples,) float32 each, on the CPU.
    """
    mel = Window(mels)
    in_pieces: Callable[..., Iterator[Tensor]] | None = getattr(vocoder, "in_pieces", None)
    if in_pieces is None:  # somebody's own: it knows whole sounds only
        yield vocoder(mel.take(0, frames), samples).cpu() * peak
        return
    for piece in in_pieces(mel, frames, samples):
        yield piece.cpu() * peak
