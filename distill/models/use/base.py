"""LoadedModel: a trained model of any family in use: sound in, sound out."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from distill.arrays import as_rate, as_sound
from distill.audio.io import SoundPieces, check_place
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder, Vocoder
from distill.encoded.sound import EncodedSound
from distill.errors import ConfigError
from distill.memory import check_whole, memory_for
from distill.models.use.model_of_file import ModelOfFile
from distill.models.use.sounds import SoundAtRate, fitted, fitted_pieces, opened, write_pieces
from distill.models.use.streaming import latents, sounds
from distill.names import printable
from distill.outputs import refuse_input

_SHOWN = 8

Waveform = Tensor | np.ndarray
"""Mono, (samples,), floating point."""
EncodedT = TypeVar("EncodedT")
"""What a family makes of a sound, as `Codes`."""


class LoadedModel(ModelOfFile, ABC, Generic[EncodedT]):
    """A model, its spectrogram, and what is known about it.

    A family gives `_encode` and `decode_pieces`; whole sounds, files and reconstructions follow.
    """

    encoded_type: ClassVar[Any]
    """What `encode` returns: has `save(path, overwrite=…)` and `load(path)`, as `Codes`."""

    refinements: int = 0
    """Passes in which encoding looks for what the decoder makes more of; codes alone have any."""

    @cached_property
    def spectrogram(self) -> LogMel:
        """Turns sound into the frames that the model takes, on its device."""
        return LogMel(self.config.spectrogram).to(self.device)

    @property
    def sample_rate(self) -> int:
        """Of the sound the model makes, in Hz."""
        return int(self.config.spectrogram.sample_rate)

    @cached_property
    def vocoder(self) -> Vocoder:
        """Turns frames into sound; assign another one to use it."""
        return GriffinLimVocoder(self.spectrogram)

    def encode(
        self, waveform: Waveform, sample_rate: int, *, levels: int | None = None
    ) -> EncodedT:
        """Turns a sound into what the model makes of it.

        Args:
            waveform: mono float samples (samples,), at least one; any length and loudness.
            sample_rate: of the waveform, in Hz; any whole number from 100 on.
            levels: of codes, as many of the first; default all. See `check_levels`.

        Raises:
            ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
            ConfigError: a sample rate that is none, or levels that the model does not have.
            NotEnoughMemoryError: memory ran out.
        """
        with memory_for("a waveform"):
            return self._encode_levels(self._at_my_rate(waveform, sample_rate), levels)

    def encode_file(self, path: str | os.PathLike[str], *, levels: int | None = None) -> EncodedT:
        """Encodes a sound file of any length, in bounded memory.

        The result is that of `encode(*read_audio(path))`. What was done to the sound or left out
        of it goes to the log as a warning.

        Args:
            path: a sound file.
            levels: as in `encode`.

        Raises:
            AudioFileError: it cannot be read, or holds no samples.
            ConfigError: levels that the model does not have.
            NotEnoughMemoryError: memory ran out.
        """
        sound = opened(path)
        with memory_for(printable(Path(path).name)):
            return self._encode_levels(self._of_file(sound), levels)

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

    def decode(
        self, encoded: EncodedT, *, levels: int | None = None, force: bool = False
    ) -> tuple[Tensor, int]:
        """Turns what `encode` made into sound.

        Args:
            encoded: what `encode` made.
            levels: of codes, as many of the first; default all that are there.
            force: take it although another model made it.

        Returns:
            (samples,) float32 as long and as loud as what was encoded, and its sample rate.

        Raises:
            DistillError: another model made it; see `decode_pieces`.
            ConfigError: levels that are not there.
            NotEnoughMemoryError: memory ran out.
        """
        with memory_for(self._encoded_is):
            pieces = self.decode_pieces(self._first_levels(encoded, levels), force=force)
            if isinstance(encoded, EncodedSound):  # another family's may be anything
                self._check_fits(encoded.samples, self._encoded_is, "decode_file")
            return torch.cat(list(pieces)), self.sample_rate

    def decode_file(
        self,
        encoded: EncodedT | str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        levels: int | None = None,
        overwrite: bool = False,
        force: bool = False,
    ) -> Path:
        """Turns what was encoded, of any length, into a sound file, in bounded memory.

        Args:
            encoded: what `encode` made, or its file.
            path: of the sound; its ending says the format. It is marked as made by a model.
            levels: as in `decode`.
            overwrite: replace a file that this program did not write.
            force: take it although another model made it.

        Raises:
            DistillError: no such file; and see `decode`.
            OutputExistsError: a file is there that this program did not write.
            AudioFileError: it cannot be written.
            NotEnoughMemoryError: memory ran out.
        """
        check_place(path, overwrite=overwrite)
        what = printable(Path(path).name)
        if isinstance(encoded, (str, os.PathLike)):
            what = printable(Path(encoded).name)
            encoded = cast("EncodedT", self.encoded_type.load(encoded))
        with memory_for(what):
            used = self._first_levels(encoded, levels)
            pieces, said = self._heard_of(used, force=force), self._said_of(used)
            return self._write(path, pieces, self.sample_rate, overwrite, said)

    def reconstruct(
        self, waveform: Waveform, sample_rate: int, *, levels: int | None = None
    ) -> tuple[Tensor, int]:
        """A sound through the model and back.

        Args:
            waveform: as in `encode`.
            sample_rate: as in `encode`.
            levels: as in `encode`.

        Returns:
            (samples,) float32 of the same length, rate and loudness, and the sample rate.

        Raises:
            ShapeError: see `encode`.
            ConfigError: see `encode`.
            NotEnoughMemoryError: memory ran out.
        """
        made, rate = self.decode(self.encode(waveform, sample_rate, levels=levels))
        to_rate = as_rate(sample_rate)
        return fitted(made, rate, len(waveform), to_rate), to_rate

    def reconstruct_file(
        self,
        source: str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        levels: int | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Sends a sound file of any length through the model and back, in bounded memory.

        Args:
            source: a sound file; it is never written to.
            path: of the reconstruction, of the same length, rate and loudness.
            levels: as in `encode`.
            overwrite: replace a file that this program did not write.

        Raises:
            AudioFileError: one cannot be read, or the other not be written.
            OutputExistsError: something is there, or it is the source itself.
            ConfigError: levels that the model does not have.
            NotEnoughMemoryError: memory ran out.
        """
        refuse_input(path, source)
        check_place(path, overwrite=overwrite)
        sound = opened(source)
        at_my_rate = self._of_file(sound)
        with memory_for(printable(Path(source).name)):
            pieces = fitted_pieces(
                self.decode_pieces(self._encode_levels(at_my_rate, levels)),
                at_my_rate.samples,
                self.sample_rate,
                sound.samples,
                sound.sample_rate,
            )
            return self._write(path, pieces, sound.sample_rate, overwrite)

    def check_levels(self, levels: int | None) -> int | None:
        """How many levels of codes are meant; None for all.

        Args:
            levels: asked for, in any form of a whole number, or None.

        Raises:
            ConfigError: the model has no levels at all, or not so many.
        """
        if levels is not None:
            raise ConfigError(f"levels={levels!r}: this model has no levels of codes; leave it out")
        return None

    @abstractmethod
    def _encode(self, sound: SoundAtRate) -> EncodedT:
        """What the model makes of a sound at its own rate."""

    def _encode_levels(self, sound: SoundAtRate, levels: int | None) -> EncodedT:
        """As `_encode`; a family that has levels uses the first ones only, where asked to."""
        self.check_levels(levels)
        return self._encode(sound)

    def _first_levels(self, encoded: EncodedT, levels: int | None) -> EncodedT:
        """What was encoded; a family that has levels leaves out the later ones, where asked to."""
        self.check_levels(levels)
        return encoded

    def _check_fits(self, samples: int, what: str, instead: str) -> None:
        check_whole(samples, self.sample_rate, what, f"{instead} writes them in pieces")

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
        self,
        path: str | os.PathLike[str],
        pieces: Iterator[Tensor],
        rate: int,
        overwrite: bool,
        said: str | None = None,
    ) -> Path:
        made_by = said or self._about
        return write_pieces(path, pieces, rate, made_by=made_by, overwrite=overwrite)

    def _heard_of(self, encoded: EncodedT, *, force: bool) -> Iterator[Tensor]:
        """The sound of a file of something encoded, in pieces; a family may know more."""
        return self.decode_pieces(encoded, force=force)

    def _said_of(self, encoded: EncodedT) -> str:  # noqa: ARG002 - a family may know more
        """What a file says that is made of something encoded."""
        return self._about

    @property
    def _about(self) -> str:
        """What the files that it makes say of it."""
        return f"{self.name} ({self.digest[:_SHOWN]})"


def check_waveform(waveform: Waveform) -> Tensor:
    """A waveform as a tensor, (samples,) float32; see `distill.arrays.as_sound`.

    Raises:
        ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
    """
    return as_sound(waveform)
