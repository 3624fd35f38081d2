"""Sound to latents and log-mel to sound in bounded memory, whatever the length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from distill.audio.signal_window import Window
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.models.use.pieces import Autoencoder, latent_pieces

FIRST_PIECE_S, LONGEST_PIECE_S = 0.5, 4.0
"""Of a sound that is heard as it is drawn: its first piece, soon there, and its later ones."""
_LEAST_PEAK = 1e-37
"""Below it a float32 has no precision left to divide by."""


def mel_window(
    spectrogram: LogMel, sound: Iterable[Tensor], samples: int, peak: float, device: torch.device
) -> Window:
    """The log-mel of a sound at the model's rate, which comes in pieces.

    Args:
        spectrogram: the model's own, on its device.
        sound: (samples,) each, at the model's rate.
        samples: of all of them together, at least 1.
        peak: the largest absolute sample, by which they are divided.
        device: of the model.

    Returns:
        (n_mels, frames) on that device, worked out as they are asked for.
    """
    divisor = peak if peak > _LEAST_PEAK else 1.0
    levelled = (piece.to(device) / divisor for piece in sound)
    return Window(spectrogram.in_pieces(Window(levelled), samples))


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
        spectrogram: see `mel_window`.
        sound: see `mel_window`.
        samples: see `mel_window`.
        peak: see `mel_window`.
        device: see `mel_window`.

    Yields:
        (channels, steps) each, on the model's device.
    """
    mel = mel_window(spectrogram, sound, samples, peak, device)
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


def live_pieces(step_rate_hz: float) -> Iterator[int]:
    """Steps of one piece after the other, of a sound that is heard as it is drawn.

    Each is twice as long as the one before: made in less time than that one is heard.
    """
    seconds = FIRST_PIECE_S
    while True:
        yield max(2, round(seconds * step_rate_hz))
        seconds = min(2 * seconds, LONGEST_PIECE_S)


@torch.no_grad()
def live_sounds(
    vocoder: Vocoder,
    mels: Iterable[Tensor],
    pieces: Iterable[int],
    frames: int,
    samples: int,
    peak: float,
) -> Iterator[Tensor]:
    """As `sounds`, each piece as soon as its frames are there.

    Args:
        vocoder: see `sounds`; one that knows whole sounds only gives it in one piece.
        mels: see `sounds`.
        pieces: frames of one piece after the other.
        frames: see `sounds`.
        samples: see `sounds`.
        peak: see `sounds`.

    Yields:
        (samples,) float32 each, on the CPU.
    """
    in_pieces_of: Callable[..., Iterator[Tensor]] | None = getattr(vocoder, "in_pieces_of", None)
    if in_pieces_of is None:
        yield from sounds(vocoder, mels, frames, samples, peak)
        return
    for piece in in_pieces_of(pieces, Window(mels), frames, samples):
        yield piece.cpu() * peak
