"""Sound to codes and codes to sound in bounded memory, whatever the length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from distill.audio.window import Window
from distill.models.use.pieces import indices_in_pieces, latent_pieces, mel_pieces

if TYPE_CHECKING:
    from distill.codebook.codes import Codes
    from distill.models.use.loaded import LoadedVQModel

_LEAST_PEAK = 1e-37
"""Below it a float32 has no precision left to divide by."""


@torch.no_grad()
def latents(
    loaded: LoadedVQModel, sound: Iterable[Tensor], samples: int, peak: float
) -> Iterator[Tensor]:
    """Latents of a sound at the model's rate, which comes in pieces.

    Args:
        loaded: the model.
        sound: (samples,) each, at the model's rate.
        samples: of all of them together, at least 1.
        peak: the largest absolute sample, by which they are divided.

    Yields:
        (latent_dim, steps) each, on the model's device.
    """
    divisor = peak if peak > _LEAST_PEAK else 1.0

    def levelled() -> Iterator[Tensor]:
        for piece in sound:
            yield piece.to(loaded.device) / divisor

    spectrogram = loaded.spectrogram
    mel = Window(spectrogram.in_pieces(Window(levelled()), samples))
    yield from latent_pieces(loaded.model, mel, spectrogram.frames(samples))


def grid(loaded: LoadedVQModel, sound: Iterable[Tensor], samples: int, peak: float) -> Tensor:
    """Codes of a sound; the same arguments as `latents`.

    Returns:
        (levels, steps) int64 on the CPU.
    """
    pieces = latents(loaded, sound, samples, peak)
    with torch.no_grad():
        done = [indices_in_pieces(loaded.model, piece).cpu() for piece in pieces]
    return torch.cat(done, dim=-1)


@torch.no_grad()
def sounds(loaded: LoadedVQModel, codes: Codes) -> Iterator[Tensor]:
    """The sound of codes, in pieces.

    Args:
        loaded: the model.
        codes: of as many levels as the model has, or fewer.

    Yields:
        (samples,) float32 each, on the CPU.
    """
    count, vocoder = loaded.spectrogram.frames(codes.samples), loaded.vocoder
    mel = Window(mel_pieces(loaded.model, codes.indices.to(loaded.device)))
    in_pieces: Callable[..., Iterator[Tensor]] | None = getattr(vocoder, "in_pieces", None)
    if in_pieces is None:  # somebody's own: it knows whole sounds only
        yield vocoder(mel.take(0, count), codes.samples).cpu() * codes.peak
        return
    for piece in in_pieces(mel, count, codes.samples):
        yield piece.cpu() * codes.peak
