"""Previews: the same sounds every time, original and reconstruction side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from distill.audio.io import write_audio
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.training.metrics import PreviewPair

_HEADROOM = 10 ** (-3 / 20)  # both sides alike, so that neither clips and both stay comparable


@dataclass(frozen=True)
class PreviewSound:
    """A sound to listen to."""

    name: str
    waveform: Tensor
    """(samples,), normalised as in training."""


def choose_preview_sounds(
    waveforms: Sequence[Tensor], names: Sequence[str], *, count: int, samples: int
) -> list[PreviewSound]:
    """The first `count` sounds, cut to at most `samples`."""
    pairs = zip(names[:count], waveforms[:count], strict=True)
    return [PreviewSound(name, waveform[:samples]) for name, waveform in pairs]


@torch.no_grad()
def generate_vqvae_reconstruction_preview(
    model: nn.Module,
    sounds: Sequence[PreviewSound],
    folder: Path,
    *,
    log_mel: LogMel,
    vocoder: Vocoder,
) -> tuple[PreviewPair, ...]:
    """Writes each sound and what the model makes of it as 16-bit WAV.

    Both get the same gain and nothing else: what is louder in the file was louder in the model.

    Args:
        model: forward(mel) returns the reconstruction first; its mode is left as it was.
        sounds: in the order of the files.
        folder: made if missing, `00-original.wav`, `00-reconstruction.wav` and so on.
        log_mel: the model's spectrogram.
        vocoder: turns frames into sound.

    Returns:
        A pair for each sound; paths are relative to the folder's grandparent, the run folder.

    Raises:
        AudioFileError: a file cannot be written.
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = log_mel.filters.device
    rate = log_mel.config.sample_rate
    was_training = model.training
    model.eval()
    pairs = []
    try:
        for number, sound in enumerate(sounds):
            mel = log_mel(sound.waveform.to(device))
            made = vocoder(model(mel[None])[0][0], len(sound.waveform))
            files = {}
            for kind, waveform in (("original", sound.waveform), ("reconstruction", made)):
                path = folder / f"{number:02}-{kind}.wav"
                write_audio(path, waveform * _HEADROOM, rate, overwrite=True)
                files[kind] = path.relative_to(folder.parent.parent).as_posix()
            pairs.append(PreviewPair(sound.name, len(sound.waveform) / rate, **files))
    finally:
        model.train(was_training)
    return tuple(pairs)
