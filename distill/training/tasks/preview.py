"""Previews: the same sounds every time, original and reconstruction side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from distill.audio.distance import mel_distance, stft_distance
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.audio.writing import wav_bytes
from distill.models.autoencoder import ConvAutoencoder
from distill.own_folder import OwnFolder
from distill.training.watch.event_lines import PreviewPair

Distances = tuple[float | None, float | None]
"""Mel and STFT distance; None for a sound that holds NaN or Inf."""

_HEADROOM = 10 ** (-3 / 20)  # both sides alike, so that neither clips and both stay comparable


@dataclass(frozen=True)
class PreviewSound:
    """A sound to listen to."""

    name: str
    waveform: Tensor
    """(samples,), normalised as in training."""
    floor: Distances | None = None
    """Distances that no model gets below; see `with_floor`."""


def choose_preview_sounds(
    waveforms: Sequence[Tensor], names: Sequence[str], *, count: int, samples: int
) -> list[PreviewSound]:
    """The first `count` sounds, cut to at most `samples`."""
    pairs = zip(names[:count], waveforms[:count], strict=True)
    return [PreviewSound(name, waveform[:samples]) for name, waveform in pairs]


@torch.no_grad()
def with_floor(sound: PreviewSound, *, log_mel: LogMel, vocoder: Vocoder) -> PreviewSound:
    """The sound, with what is left of the distances where the model makes no error.

    Args:
        sound: to be previewed, again and again.
        log_mel: the model's spectrogram.
        vocoder: turns frames into sound.
    """
    mel = log_mel(sound.waveform.to(log_mel.filters.device))
    made = vocoder(mel, len(sound.waveform))
    rate = log_mel.config.sample_rate
    return dataclasses.replace(sound, floor=distances_between(sound.waveform, made, rate))


def generate_reconstruction_preview(
    model: nn.Module,
    sounds: Sequence[PreviewSound],
    folder: Path,
    *,
    log_mel: LogMel,
    vocoder: Vocoder,
) -> tuple[PreviewPair, ...]:
    """`write_previews` into a folder of a run folder.

    Args:
        model: see there, as the others.
        sounds: in the order of the files.
        folder: made if missing.
        log_mel: the model's spectrogram.
        vocoder: turns frames into sound.

    Returns:
        A pair for each sound; paths are relative to the folder's grandparent, the run folder.

    Raises:
        OSError: a file or the folder cannot be written.
    """
    run = folder.parent.parent
    run.mkdir(parents=True, exist_ok=True)
    with OwnFolder(run) as files:
        return write_previews(
            model,
            sounds,
            files,
            folder.relative_to(run).as_posix(),
            log_mel=log_mel,
            vocoder=vocoder,
        )


@torch.no_grad()
def write_previews(
    model: nn.Module,
    sounds: Sequence[PreviewSound],
    files: OwnFolder,
    inside: str,
    *,
    log_mel: LogMel,
    vocoder: Vocoder,
) -> tuple[PreviewPair, ...]:
    """Writes each sound and what the model makes of it as 16-bit WAV.

    Both get the same gain and nothing else: what is louder in the file was louder in the model.

    Args:
        model: an autoencoder, or one whose forward(mel) returns the reconstruction first; its mode
            is left as it was.
        sounds: in the order of the files; each is measured against its original, beside its floor.
        files: the run folder.
        inside: the folder in it, made if missing; gets `00-original.wav`, `00-reconstruction.wav`
            and so on.
        log_mel: the model's spectrogram.
        vocoder: turns frames into sound.

    Returns:
        A pair for each sound; paths are relative to the run folder.

    Raises:
        OSError: a file or the folder cannot be written.
    """
    files.make_folder(inside)
    device = log_mel.filters.device
    rate = log_mel.config.sample_rate
    was_training = model.training
    model.eval()
    pairs = []
    try:
        for number, sound in enumerate(sounds):
            mel = log_mel(sound.waveform.to(device))
            made = vocoder(_made_of(model, mel[None])[0], len(sound.waveform))
            names = {}
            for kind, waveform in (("original", sound.waveform), ("reconstruction", made)):
                names[kind] = f"{inside}/{number:02}-{kind}.wav"
                made_by = "a preview of a training" if kind == "reconstruction" else None
                with files.write(names[kind]) as file:
                    file.write(wav_bytes(waveform * _HEADROOM, rate, made_by=made_by))
            found = *distances_between(sound.waveform, made, rate), *(sound.floor or (None, None))
            seconds = len(sound.waveform) / rate
            pairs.append(
                PreviewPair(sound.name, seconds, names["original"], names["reconstruction"], *found)
            )
    finally:
        model.train(was_training)
    return tuple(pairs)


def _made_of(model: nn.Module, mel: Tensor) -> Tensor:
    made: Tensor = model.reconstructed(mel) if isinstance(model, ConvAutoencoder) else model(mel)[0]
    return made


def distances_between(original: Tensor, made: Tensor, rate: int) -> Distances:
    """How far a reconstruction is from its original.

    Args:
        original: (samples,), normalised as in training.
        made: as long.
        rate: of both, in Hz.
    """
    made = made.cpu()
    if not torch.isfinite(made).all():  # a model that has gone astray, which others report
        return None, None
    return mel_distance(original, made, rate), stft_distance(original, made)


generate_vqvae_reconstruction_preview = generate_reconstruction_preview
"""The name of the first version, which knew one family."""
