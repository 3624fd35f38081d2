"""Any sound through the weights that a run has at this moment, beside the original."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from torch import Tensor

from distill.arrays import as_rate, as_sound
from distill.audio.io import decode, probe, read_part
from distill.audio.resampling import resample
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder
from distill.config import AutoencoderConfig, SpectrogramConfig
from distill.errors import AudioFileError, ConfigError, ModelTypeError
from distill.family import family_of
from distill.models.use.base import Waveform
from distill.models.use.workers import in_one_thread
from distill.names import printable
from distill.training.present_weights import PATIENCE_S, PresentWeights, WeightsRequest
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.tasks.preview import Distances, distances_between
from distill.training.watch.events import PreviewPair
from distill.training.watch.preview_distances import distances_of
from distill.words import duration

LONGEST_S = 30.0
"""Of a longer sound the beginning is tried."""


@dataclass(frozen=True)
class SoundToTry:
    """A sound at the rate of a run, and what no model of it gets below."""

    name: str
    waveform: Tensor
    """(samples,) float32, as loud as it is."""
    notes: tuple[str, ...]
    """What was done to the sound or left out of it, a phrase each."""
    spectrogram: SpectrogramConfig
    """Of the run's models."""

    @property
    def sample_rate(self) -> int:
        """Of the run, in Hz."""
        return self.spectrogram.sample_rate

    @cached_property
    def floor(self) -> Distances:
        """Mel and STFT distance that the vocoder alone leaves; worked out when first asked for."""
        return in_one_thread(self._floor, idly=True)

    @torch.no_grad()
    def _floor(self) -> Distances:
        vocoder, loud = _vocoder(self.spectrogram), self.waveform / _peak(self.waveform)
        made = vocoder(LogMel(self.spectrogram)(loud), len(loud))
        return distances_between(loud, made, self.sample_rate)


@dataclass(frozen=True)
class TriedSound:
    """A sound, and what a run makes of it at this moment."""

    sound: SoundToTry
    made: Tensor
    """(samples,) float32, at the model's rate, as long and as loud."""
    weights: PresentWeights

    @property
    def name(self) -> str:
        """Of the sound, for people."""
        return self.sound.name

    @property
    def original(self) -> Tensor:
        """(samples,) float32, at the model's rate, as loud as it is."""
        return self.sound.waveform

    @property
    def sample_rate(self) -> int:
        """Of both, in Hz."""
        return self.sound.sample_rate

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.original) / self.sample_rate

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the sound or left out of it, a phrase each."""
        return self.sound.notes

    @cached_property
    def distances(self) -> str:
        """As people read them, each beside its floor; see `distances_of`. Worked out when first
        asked for: that takes longer than the sound itself.
        """
        found, floor = in_one_thread(self._measured, idly=True), self.sound.floor
        return distances_of([PreviewPair(self.name, self.seconds, "", "", *found, *floor)])

    @torch.no_grad()
    def _measured(self) -> Distances:
        peak = _peak(self.original)
        return distances_between(self.original / peak, self.made / peak, self.sample_rate)


def try_sound(
    folder: RunFolder,
    sound: Waveform | str | os.PathLike[str],
    sample_rate: int | None = None,
    *,
    name: str = "",
    patience_s: float = PATIENCE_S,
) -> TriedSound:
    """Has a run reconstruct a sound with the weights that it has at this moment.

    Args:
        folder: of a run that learns from sound, of whatever state. Where no trainer hands over its
            weights those that the run keeps serve, and `weights.instead` says why.
        sound: a sound file, or mono float samples (samples,). The first 30 s are used.
        sample_rate: of the samples, in Hz.
        name: for people; default that of the file.
        patience_s: how long the trainer may take, in seconds.

    Raises:
        AudioFileError: the file is no sound.
        ShapeError, ConfigError: samples that are not mono, or a rate that is none.
        ModelTypeError: a run that learns the codes of another model.
        RunFolderError: the run has no weights yet.
        ModelFileError: the weights that it keeps cannot be read.
    """
    request = RunRequest.from_dict(folder.read_request())
    if request.family.of_codec is not None:
        raise ModelTypeError(
            f"{folder.path}: learns a {request.family.title}, which takes no sound and makes none "
            "of it; a run of the model whose codes it learns does"
        )
    config = request.config.spectrogram
    asked = WeightsRequest(folder)  # the trainer answers while the sound is read
    ready = sound_to_try(sound, sample_rate, config, name=name)
    return reconstructed(ready, asked.receive(patience_s))


def sound_to_try(
    sound: Waveform | str | os.PathLike[str],
    sample_rate: int | None,
    config: SpectrogramConfig,
    *,
    name: str = "",
) -> SoundToTry:
    """Reads a sound, and brings it to the rate of a run.

    Args:
        sound: as in `try_sound`, as the others.
        sample_rate: of samples.
        config: of the run's model.
        name: for people.

    Raises:
        AudioFileError: the file is no sound.
        ShapeError, ConfigError: samples that are not mono, or a rate that is none.
    """
    if isinstance(sound, (str, os.PathLike)):
        name = name or printable(Path(sound).name)
        waveform, notes = _read(Path(sound), config.sample_rate)
    else:
        waveform, notes = _cut(sound, sample_rate, config.sample_rate)
    if not len(waveform):
        raise AudioFileError(f"{name or 'sound'}: 0 samples after decoding; export it again")
    return SoundToTry(name or "sound", waveform, notes, config)


@torch.no_grad()
def prepare(config: AutoencoderConfig) -> None:
    """Loads what the first try would wait for; draws no random numbers.

    Args:
        config: of the run. With its model comes a library that is as much to load as torch.
    """
    with torch.device("meta"):  # takes no memory
        family_of(config).build(config)
    silence = torch.zeros(config.spectrogram.n_fft)
    _vocoder(config.spectrogram)(LogMel(config.spectrogram)(silence))


@torch.no_grad()
def reconstructed(sound: SoundToTry, weights: PresentWeights) -> TriedSound:
    """What weights make of a sound; it is not measured before somebody asks for its distances."""
    model = weights.model
    model.vocoder = _vocoder(model.config.spectrogram)
    made = in_one_thread(lambda: model.reconstruct(sound.waveform, model.sample_rate)[0])
    return TriedSound(sound, made.cpu(), weights)


def _read(path: Path, rate: int) -> tuple[Tensor, tuple[str, ...]]:
    seconds = probe(path).seconds
    if seconds <= LONGEST_S:
        whole = decode(path, rate)
        return whole.waveform, whole.notes
    part, from_rate = read_part(path, 0.0, LONGEST_S)
    return resample(part, from_rate, rate), (_beginning(seconds),)


def _cut(sound: Waveform, from_rate: int | None, rate: int) -> tuple[Tensor, tuple[str, ...]]:
    if from_rate is None:
        raise ConfigError("sample_rate=None: samples need their rate, as try_sound(sound, 48000)")
    waveform, from_rate = as_sound(sound), as_rate(from_rate)
    seconds = len(waveform) / from_rate
    if seconds <= LONGEST_S:
        return resample(waveform, from_rate, rate), ()
    part = waveform[: round(LONGEST_S * from_rate)]
    return resample(part, from_rate, rate), (_beginning(seconds),)


def _beginning(seconds: float) -> str:
    return f"the first {LONGEST_S:g} s of {duration(seconds)}"


@lru_cache(maxsize=2)
def _vocoder(config: SpectrogramConfig) -> GriffinLimVocoder:
    """Made once: each try has other weights, and the same frames."""
    return GriffinLimVocoder(LogMel(config))


def _peak(waveform: Tensor) -> float:
    """What is divided by, as in training; 1 for silence."""
    return float(waveform.abs().max()) or 1.0
