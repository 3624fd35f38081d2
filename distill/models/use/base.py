"""LoadedModel: a trained model of any family in use: sound in, sound out."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.arrays import as_rate, as_sound
from distill.audio.io import SoundPieces, read_pieces, resample
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder, Vocoder
from distill.errors import AudioFileError
from distill.memory import memory_for
from distill.models.file.digest import model_digest
from distill.models.file.persistence import save_model
from distill.models.use.report import model_as_html
from distill.models.use.sounds import SoundAtRate, fitted_pieces, write_pieces
from distill.models.use.streaming import latents, sounds
from distill.names import printable
from distill.outputs import check_free, refuse_input

_log = logging.getLogger(__name__)
_SHOWN = 8

Waveform = Tensor | np.ndarray
"""Mono, (samples,), floating point."""
EncodedT = TypeVar("EncodedT")
"""What a family makes of a sound, as `Codes`."""


class LoadedModel(ABC, Generic[EncodedT]):
    """A model, its spectrogram, and what is known about it.

    A family gives `_encode` and `decode_pieces`; whole sounds, files and reconstructions follow.
    """

    encoded_type: ClassVar[Any]
    """What `encode` returns: has `save(path, overwrite=…)` and `load(path)`, as `Codes`."""

    def __init__(
        self,
        model: Any,
        *,
        metadata: dict[str, Any] | None = None,
        health: tuple[Any, ...] = (),
        loss_curves: dict[str, list[float]] | None = None,
        extra: dict[str, str] | None = None,
        path: Path | None = None,
        sections: Mapping[str, str] | None = None,
        other_tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Takes a model into use.

        Args:
            model: an `nn.Module` with the `config` it was built from.
            metadata: what people say of it.
            health: how well its bottleneck is used.
            loss_curves: of its training.
            extra: texts of sections of its file that are not known.
            path: of its file.
            sections: as they stand in its file; saving again keeps what was not changed.
            other_tensors: of sections of its file that are not known; saving again keeps them.
        """
        self.model = model
        self.metadata = metadata or {}
        self.health = health
        self.loss_curves = loss_curves or {}
        self.extra = extra or {}
        self.path = path
        self.sections = dict(sections or {})
        self.other_tensors = dict(other_tensors or {})
        self._digest: tuple[Any, str] | None = None
        self.spectrogram = LogMel(model.config.spectrogram).to(self.device)

    @property
    def config(self) -> Any:
        """What rebuilds the model."""
        return self.model.config

    @property
    def sample_rate(self) -> int:
        """Of the sound the model makes, in Hz."""
        return int(self.config.spectrogram.sample_rate)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def weights(self) -> dict[str, Tensor]:
        """All tensors of the model by name, its own: not copies."""
        return dict(self.model.state_dict())

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return sum(weight.numel() for weight in self.model.parameters())

    @property
    def digest(self) -> str:
        """What tells this model from every other: SHA-256 of weights and config, hexadecimal.

        A renamed or tagged model keeps it.
        """
        tensors, config = self.weights, self.config
        now = config, [(item.data_ptr(), item._version) for item in tensors.values()]
        if self._digest is None or self._digest[0] != now:  # they may have been trained on
            here = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
            self._digest = now, model_digest(here, config)
        return self._digest[1]

    @property
    def name(self) -> str:
        """Its name, for people."""
        return str(self.metadata.get("name", "unnamed"))

    @cached_property
    def vocoder(self) -> Vocoder:
        """Turns frames into sound; assign another one to use it."""
        return GriffinLimVocoder(self.spectrogram)

    def encode(self, waveform: Waveform, sample_rate: int) -> EncodedT:
        """Turns a sound into what the model makes of it.

        Args:
            waveform: mono float samples (samples,), at least one; any length and loudness.
            sample_rate: of the waveform, in Hz; any whole number from 100 on.

        Raises:
            ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
            ConfigError: a sample rate that is none.
            NotEnoughMemoryError: memory ran out.
        """
        with memory_for("a waveform"):
            return self._encode(self._at_my_rate(waveform, sample_rate))

    def encode_file(self, path: str | os.PathLike[str]) -> EncodedT:
        """Encodes a sound file of any length, in bounded memory.

        The result is that of `encode(*read_audio(path))`. What was done to the sound or left out
        of it goes to the log as a warning.

        Args:
            path: a sound file.

        Raises:
            AudioFileError: it cannot be read, or holds no samples.
            NotEnoughMemoryError: memory ran out.
        """
        sound = _opened(path)
        with memory_for(printable(Path(path).name)):
            return self._encode(self._of_file(sound))

    @torch.no_grad()
    def latent(self, waveform: Waveform, sample_rate: int) -> Tensor:
        """What the encoder makes of a sound: (channels, steps) on the model's device.

        Args:
            waveform: as in `encode`.
            sample_rate: as in `encode`.

        Raises:
            ShapeError: see `encode`.
            ConfigError: see `encode`.
        """
        return torch.cat(list(self._latents(self._at_my_rate(waveform, sample_rate))), dim=-1)

    @abstractmethod
    def decode_pieces(self, encoded: EncodedT, *, force: bool = False) -> Iterator[Tensor]:
        """Turns what `encode` made into sound, in pieces: joined, they are what `decode` returns.

        Args:
            encoded: what `encode` made.
            force: take it although another model made it.

        Returns:
            (samples,) float32 each, worked out as they are asked for.
        """

    def decode(self, encoded: EncodedT, *, force: bool = False) -> tuple[Tensor, int]:
        """Turns what `encode` made into sound.

        Args:
            encoded: what `encode` made.
            force: take it although another model made it.

        Returns:
            (samples,) float32 as long and as loud as what was encoded, and its sample rate.

        Raises:
            DistillError: another model made it; see `decode_pieces`.
            NotEnoughMemoryError: memory ran out.
        """
        with memory_for(self._encoded_is):
            return torch.cat(list(self.decode_pieces(encoded, force=force))), self.sample_rate

    def decode_file(
        self,
        encoded: EncodedT | str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        force: bool = False,
    ) -> Path:
        """Turns what was encoded, of any length, into a sound file, in bounded memory.

        Args:
            encoded: what `encode` made, or its file.
            path: of the sound; its ending says the format. It is marked as made by a model.
            overwrite: replace a file that this program did not write.
            force: take it although another model made it.

        Raises:
            DistillError: no such file; and see `decode_pieces`.
            OutputExistsError: a file is there that this program did not write.
            AudioFileError: it cannot be written.
            NotEnoughMemoryError: memory ran out.
        """
        what = printable(Path(path).name)
        if isinstance(encoded, (str, os.PathLike)):
            what = printable(Path(encoded).name)
            encoded = cast("EncodedT", self.encoded_type.load(encoded))
        with memory_for(what):
            pieces = self.decode_pieces(encoded, force=force)
            return self._write(path, pieces, self.sample_rate, overwrite)

    def reconstruct(self, waveform: Waveform, sample_rate: int) -> tuple[Tensor, int]:
        """A sound through the model and back.

        Args:
            waveform: as in `encode`.
            sample_rate: as in `encode`.

        Returns:
            (samples,) float32 of the same length, rate and loudness, and the sample rate.

        Raises:
            ShapeError: see `encode`.
            ConfigError: see `encode`.
            NotEnoughMemoryError: memory ran out.
        """
        made, rate = self.decode(self.encode(waveform, sample_rate))
        to_rate = as_rate(sample_rate)
        return fitted(made, rate, len(waveform), to_rate), to_rate

    def reconstruct_file(
        self,
        source: str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
    ) -> Path:
        """Sends a sound file of any length through the model and back, in bounded memory.

        Args:
            source: a sound file; it is never written to.
            path: of the reconstruction, of the same length, rate and loudness.
            overwrite: replace a file that this program did not write.

        Raises:
            AudioFileError: one cannot be read, or the other not be written.
            OutputExistsError: something is there, or it is the source itself.
            NotEnoughMemoryError: memory ran out.
        """
        refuse_input(path, source)
        sound = _opened(source)
        at_my_rate = self._of_file(sound)
        with memory_for(printable(Path(source).name)):
            pieces = fitted_pieces(
                self.decode_pieces(self._encode(at_my_rate)),
                at_my_rate.samples,
                self.sample_rate,
                sound.samples,
                sound.sample_rate,
            )
            return self._write(path, pieces, sound.sample_rate, overwrite)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Writes the model and all that is known about it; see `save_model`.

        Args:
            path: by custom ends in `.distill`.
            metadata: what is to be said otherwise.
            overwrite: replace a file that this program did not write.

        Raises:
            OutputExistsError: such a file is there.
            ModelFileError: it cannot be written.
            ConfigError: metadata that cannot be read again.
        """
        return save_model(path, self, metadata=metadata, overwrite=overwrite)

    @abstractmethod
    def _encode(self, sound: SoundAtRate) -> EncodedT:
        """What the model makes of a sound at its own rate."""

    _encoded_is = "what was encoded"
    """What messages call it."""

    def _latents(self, sound: SoundAtRate) -> Iterator[Tensor]:
        """(channels, steps) each, on the model's device, of the sound brought to a peak of 1."""
        return latents(self.model, self.spectrogram, sound, sound.samples, sound.peak, self.device)

    def _sounds(self, mels: Iterator[Tensor], samples: int, peak: float) -> Iterator[Tensor]:
        """The sound of log-mel frames in pieces, (n_mels, frames) each."""
        return sounds(self.vocoder, mels, self.spectrogram.frames(samples), samples, peak)

    def _at_my_rate(self, waveform: Waveform, sample_rate: int) -> SoundAtRate:
        sound, rate = as_sound(waveform), as_rate(sample_rate)
        return SoundAtRate([sound], len(sound), rate, self.sample_rate)

    def _of_file(self, sound: SoundPieces) -> SoundAtRate:
        return SoundAtRate(sound, sound.samples, sound.sample_rate, self.sample_rate)

    def _write(
        self, path: str | os.PathLike[str], pieces: Iterator[Tensor], rate: int, overwrite: bool
    ) -> Path:
        check_free(Path(path), overwrite=overwrite)
        about = f"{self.name} ({self.digest[:_SHOWN]})"
        return write_pieces(path, pieces, rate, made_by=about, overwrite=overwrite)

    def _repr_html_(self) -> str:
        numbers = sum(tensor.numel() for tensor in self.weights.values())
        return model_as_html(self.config, self.metadata, numbers, self.health, self.loss_curves)


def fitted(sound: Tensor, rate: int, samples: int, to_rate: int) -> Tensor:
    """A sound (…,) brought to another rate and an exact length, cut or filled up with silence."""
    sound = resample(sound, rate, to_rate)
    return F.pad(sound, (0, max(0, samples - len(sound))))[:samples]


def check_waveform(waveform: Waveform) -> Tensor:
    """A waveform as a tensor, (samples,) float32; see `distill.arrays.as_sound`.

    Raises:
        ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
    """
    return as_sound(waveform)


def _opened(path: str | os.PathLike[str]) -> SoundPieces:
    sound = read_pieces(path)
    name = printable(Path(path).name)
    if not sound.samples:
        raise AudioFileError(f"{name}: 0 samples after decoding; copy or export it again")
    for note in sound.notes:
        _log.warning("%s: %s", name, note)
    return sound
