"""LoadedVQModel: a trained model in use: sound to codes and back."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.arrays import as_floats, as_rate, as_sound
from distill.audio.io import SoundPieces, read_pieces, resample
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder, Vocoder
from distill.codebook.codes import Codes, as_indices
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL, level_labels
from distill.config import VQVAEConfig
from distill.errors import AudioFileError, ShapeError
from distill.memory import memory_for
from distill.models.file.container import model_digest
from distill.models.use.match import check_codes
from distill.models.use.pieces import indices_in_pieces, mel_pieces
from distill.models.use.report import model_as_html
from distill.models.use.sounds import SoundAtRate, fitted_pieces, write_pieces
from distill.models.use.streaming import grid, latents, sounds
from distill.models.vqvae.model import ConvVQVAE
from distill.names import printable
from distill.outputs import check_free, refuse_input

_log = logging.getLogger(__name__)
_SHOWN = 8

Waveform = Tensor | np.ndarray
"""Mono, (samples,), floating point."""


class LoadedVQModel:
    """A model, its spectrogram, and what is known about it."""

    def __init__(
        self,
        model: ConvVQVAE,
        *,
        metadata: dict[str, Any] | None = None,
        codebook_health: tuple[LevelHealth, ...] = (),
        loss_curves: dict[str, list[float]] | None = None,
        extra: dict[str, str] | None = None,
        path: Path | None = None,
        sections: Mapping[str, str] | None = None,
    ) -> None:
        self.model = model
        self.metadata = metadata or {}
        self.codebook_health = codebook_health
        self.loss_curves = loss_curves or {}
        self.extra = extra or {}
        self.path = path
        self.sections = dict(sections or {})
        """As they stand in its file; saving again keeps what was not changed."""
        self._digest: tuple[Any, str] | None = None
        self.spectrogram = LogMel(model.config.spectrogram).to(self.device)

    @property
    def vqvae_config(self) -> VQVAEConfig:
        """What rebuilds the model."""
        return self.model.config

    @property
    def sample_rate(self) -> int:
        """Of the sound the model makes, in Hz."""
        return self.model.config.spectrogram.sample_rate

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def digest(self) -> str:
        """What tells this model from every other: SHA-256 of weights and config, hexadecimal.

        A renamed or tagged model keeps it.
        """
        tensors = self.model.state_dict()
        config = self.model.config
        now = config, [(item.data_ptr(), item._version) for item in tensors.values()]
        if self._digest is None or self._digest[0] != now:  # they may have been trained on
            here = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
            self._digest = now, model_digest(here, config)
        return self._digest[1]

    @property
    def name(self) -> str:
        """Its name, for people."""
        return str(self.metadata.get("name", "unnamed"))

    @property
    def level_labels(self) -> tuple[str, ...]:
        """Names of the levels, coarse to fine; the usual ones where the file's do not fit."""
        given, levels = self.metadata.get("level_labels"), self.model.config.levels
        if isinstance(given, (list, tuple)) and len(given) == levels:
            labels = tuple(map(str, given))
            if all(len(label) <= LONGEST_LABEL for label in labels):
                return labels
        return level_labels(levels)

    @cached_property
    def vocoder(self) -> Vocoder:
        """Turns frames into sound; assign another one to use it."""
        return GriffinLimVocoder(self.spectrogram)

    def encode(self, waveform: Waveform, sample_rate: int) -> Codes:
        """Turns a sound into codes.

        Args:
            waveform: mono float samples (samples,), at least one; any length and loudness.
            sample_rate: of the waveform, in Hz; any whole number from 100 on.

        Raises:
            ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
            ConfigError: a sample rate that is none.
            NotEnoughMemoryError: memory ran out.
        """
        return self._encode(self._at_my_rate(waveform, sample_rate), "a waveform")

    def encode_file(self, path: str | os.PathLike[str]) -> Codes:
        """Turns a sound file of any length into codes, in bounded memory.

        The codes are those of `encode(*read_audio(path))`. What was done to the sound or left out
        of it goes to the log as a warning.

        Args:
            path: a sound file.

        Raises:
            AudioFileError: it cannot be read, or holds no samples.
            NotEnoughMemoryError: memory ran out.
        """
        sound = _opened(path)
        at_my_rate = SoundAtRate(sound, sound.samples, sound.sample_rate, self.sample_rate)
        return self._encode(at_my_rate, printable(Path(path).name))

    @torch.no_grad()
    def latent(self, waveform: Waveform, sample_rate: int) -> Tensor:
        """What `encode` says in codes: (latent_dim, steps) on the model's device.

        Args:
            waveform: as in `encode`.
            sample_rate: as in `encode`.

        Raises:
            ShapeError: see `encode`.
            ConfigError: see `encode`.
        """
        sound = self._at_my_rate(waveform, sample_rate)
        return torch.cat(list(latents(self, sound, sound.samples, sound.peak)), dim=-1)

    @torch.no_grad()
    def indices_of(self, latent: Tensor) -> Tensor:
        """The codes of a latent, (latent_dim, steps): (level, steps) int64, on its device.

        Raises:
            ShapeError: another shape, or other numbers than floating point.
        """
        columns = as_floats(latent, "latent")
        if columns.ndim != 2 or 0 in columns.shape:
            raise ShapeError(f"latent {tuple(columns.shape)}: expected (latent_dim, steps)")
        return indices_in_pieces(self.model, columns.to(self.device))

    @torch.no_grad()
    def mel_of(self, indices: Tensor) -> Tensor:
        """What the decoder makes of codes, (level, steps) where -1 adds nothing: log-mel,
        (n_mels, steps * stride), on the model's device.

        Raises:
            CodesError: another shape, or other numbers than whole ones.
            ShapeError: other levels than the model has, or a code that does not exist.
        """
        grid = as_indices(indices).to(self.device)
        return torch.cat(list(mel_pieces(self.model, grid)), dim=-1)

    def decode(self, codes: Codes, *, force: bool = False) -> tuple[Tensor, int]:
        """Turns codes into sound.

        Codes with fewer levels than the model decode by those they have.

        Args:
            codes: what `encode` made.
            force: take them although another model made them.

        Returns:
            (samples,) float32 as long and as loud as what was encoded, and its sample rate.

        Raises:
            CodesError: another model made them, with more levels or other codebooks, or they are
                too few for their sound.
            NotEnoughMemoryError: memory ran out.
        """
        with memory_for("codes"):
            return torch.cat(list(self.decode_pieces(codes, force=force))), self.sample_rate

    def decode_pieces(self, codes: Codes, *, force: bool = False) -> Iterator[Tensor]:
        """Turns codes into sound in pieces: joined, they are what `decode` returns.

        Args:
            codes: what `encode` made.
            force: take them although another model made them.

        Returns:
            (samples,) float32 each, worked out as they are asked for.

        Raises:
            CodesError: see `decode`.
        """
        self.check_codes(codes, force=force)
        return sounds(self, codes)

    def decode_file(
        self,
        codes: Codes | str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        force: bool = False,
    ) -> Path:
        """Turns codes of any length into a sound file, in bounded memory.

        Args:
            codes: them, or their file.
            path: of the sound; its ending says the format. It is marked as made by a model.
            overwrite: replace a file that this program did not write.
            force: take codes although another model made them.

        Raises:
            CodesError: the file is none of codes; and see `decode`.
            OutputExistsError: such a file is there.
            AudioFileError: it cannot be written.
            NotEnoughMemoryError: memory ran out.
        """
        what = printable(Path(path).name)
        if isinstance(codes, (str, os.PathLike)):
            what, codes = printable(Path(codes).name), Codes.load(codes)
        with memory_for(what):
            return self._write(
                path, self.decode_pieces(codes, force=force), self.sample_rate, overwrite
            )

    def reconstruct_file(
        self,
        source: str | os.PathLike[str],
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
    ) -> Path:
        """Sends a sound file of any length through the codes and back, in bounded memory.

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
        sound, what = _opened(source), printable(Path(source).name)
        at_my_rate = SoundAtRate(sound, sound.samples, sound.sample_rate, self.sample_rate)
        codes = self._encode(at_my_rate, what)
        with memory_for(what):
            pieces = fitted_pieces(
                self.decode_pieces(codes),
                codes.samples,
                self.sample_rate,
                sound.samples,
                sound.sample_rate,
            )
            return self._write(path, pieces, sound.sample_rate, overwrite)

    def check_codes(self, codes: Codes, *, force: bool = False) -> None:
        """Checks that codes are such as this model makes.

        Args:
            codes: to be decoded.
            force: take them although another model made them.

        Raises:
            CodesError: no codes, of another model, with more levels or other codebooks, or too few
                for their sound.
        """
        check_codes(self, codes, force=force)

    def reconstruct(self, waveform: Waveform, sample_rate: int) -> tuple[Tensor, int]:
        """A sound through the codes and back.

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

    def _at_my_rate(self, waveform: Waveform, sample_rate: int) -> SoundAtRate:
        sound, rate = as_sound(waveform), as_rate(sample_rate)
        return SoundAtRate([sound], len(sound), rate, self.sample_rate)

    def _encode(self, sound: SoundAtRate, what: str) -> Codes:
        config = self.model.config
        with memory_for(what):
            return Codes(
                indices=grid(self, sound, sound.samples, sound.peak),
                codebook_size=config.codebook_size,
                step_seconds=1 / config.step_rate_hz,
                samples=sound.samples,
                sample_rate=self.sample_rate,
                peak=sound.peak,
                labels=self.level_labels,
                made_by=self.digest,
                model_name=self.name,
            )

    def _write(
        self, path: str | os.PathLike[str], pieces: Iterator[Tensor], rate: int, overwrite: bool
    ) -> Path:
        check_free(Path(path), overwrite=overwrite)
        about = f"{self.name} ({self.digest[:_SHOWN]})"
        return write_pieces(path, pieces, rate, made_by=about, overwrite=overwrite)

    def __repr__(self) -> str:
        config = self.model.config
        return (
            f"LoadedVQModel({self.name!r}: {config.levels} levels × {config.codebook_size} "
            f"entries, {config.bits_per_second:.0f} bit/s at {self.sample_rate} Hz)"
        )

    def _repr_html_(self) -> str:
        return model_as_html(self)


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
