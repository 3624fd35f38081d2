"""LoadedVQModel: a trained model in use: sound to codes and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distill.audio.io import resample
from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import GriffinLimVocoder, Vocoder
from distill.codebook.codes import Codes
from distill.codebook.health import LevelHealth
from distill.codebook.labels import level_labels
from distill.config import VQVAEConfig
from distill.errors import CodesError, ConfigError, ShapeError
from distill.models.container import model_digest
from distill.models.pieces import decode_in_pieces, encode_in_pieces, indices_in_pieces
from distill.models.report import model_as_html
from distill.models.vqvae import ConvVQVAE

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
            self._digest = now, model_digest(tensors, config)
        return self._digest[1]

    @property
    def level_labels(self) -> tuple[str, ...]:
        """Names of the levels, coarse to fine; the usual ones where the file's do not fit."""
        given, levels = self.metadata.get("level_labels"), self.model.config.levels
        if isinstance(given, (list, tuple)) and len(given) == levels:
            return tuple(map(str, given))
        return level_labels(levels)

    @cached_property
    def vocoder(self) -> Vocoder:
        """Turns frames into sound; assign another one to use it."""
        return GriffinLimVocoder(self.spectrogram)

    @torch.no_grad()
    def encode(self, waveform: Waveform, sample_rate: int) -> Codes:
        """Turns a sound into codes.

        Args:
            waveform: mono float samples (samples,), at least one; any length and loudness.
            sample_rate: of the waveform, in Hz.

        Raises:
            ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
            ConfigError: a sample rate that is none.
        """
        latent, samples, peak = self._latent(waveform, sample_rate)
        indices = self.indices_of(latent)
        config = self.model.config
        return Codes(
            indices=indices.cpu(),
            codebook_size=config.codebook_size,
            step_seconds=1 / config.step_rate_hz,
            samples=samples,
            sample_rate=self.sample_rate,
            peak=peak,
            labels=self.level_labels,
        )

    @torch.no_grad()
    def latent(self, waveform: Waveform, sample_rate: int) -> Tensor:
        """What `encode` says in codes: (latent_dim, steps) on the model's device.

        Args and errors as `encode`.
        """
        return self._latent(waveform, sample_rate)[0]

    @torch.no_grad()
    def indices_of(self, latent: Tensor) -> Tensor:
        """The codes of a latent, (latent_dim, steps): (level, steps) int64, on its device."""
        return indices_in_pieces(self.model, latent)

    @torch.no_grad()
    def mel_of(self, indices: Tensor) -> Tensor:
        """What the decoder makes of codes, (level, steps) where -1 adds nothing: log-mel,
        (n_mels, steps * stride), on the model's device.
        """
        embeddings = self.model.codes_to_embeddings(indices[None].to(self.device))
        return decode_in_pieces(self.model, embeddings[0])

    def _latent(self, waveform: Waveform, sample_rate: int) -> tuple[Tensor, int, float]:
        """(latent_dim, steps), samples at the model's rate, peak."""
        if not sample_rate > 0:
            raise ConfigError(f"sample_rate={sample_rate!r}: expected samples a second, above 0")
        sound = resample(check_waveform(waveform), sample_rate, self.sample_rate).to(self.device)
        peak = float(sound.abs().max())
        mel = self.spectrogram(sound / peak if peak else sound)
        return encode_in_pieces(self.model, mel), len(sound), peak

    @torch.no_grad()
    def decode(self, codes: Codes) -> tuple[Tensor, int]:
        """Turns codes into sound.

        Returns:
            (samples,) float32 as long and as loud as what was encoded, and its sample rate.

        Raises:
            CodesError: the codes are of a model with other levels or a larger codebook.
        """
        self.check_codes(codes)
        frames = self.spectrogram.frames(codes.samples)
        mel = self.mel_of(codes.indices)
        return self.vocoder(mel[:, :frames], codes.samples).cpu() * codes.peak, self.sample_rate

    def check_codes(self, codes: Codes) -> None:
        """Whether codes are such as this model makes.

        Raises:
            CodesError: of other levels or another codebook, or too few for their sound.
        """
        config = self.model.config
        if codes.levels != config.levels or codes.codebook_size != config.codebook_size:
            raise CodesError(
                f"codes of {codes.levels} levels × {codes.codebook_size} entries; this model has "
                f"{config.levels} × {config.codebook_size}: decode them with the model that made "
                "them"
            )
        frames, made = self.spectrogram.frames(codes.samples), codes.steps * config.stride
        if made < frames:
            raise CodesError(
                f"{codes.steps} steps make {made} frames; {codes.samples} samples need {frames}"
            )

    def reconstruct(self, waveform: Waveform, sample_rate: int) -> tuple[Tensor, int]:
        """A sound through the codes and back.

        Returns:
            (samples,) float32 of the same length, rate and loudness, and the sample rate.

        Raises:
            ShapeError: see `encode`.
        """
        made, rate = self.decode(self.encode(waveform, sample_rate))
        return fitted(made, rate, len(waveform), sample_rate), sample_rate

    def __repr__(self) -> str:
        config = self.model.config
        name = self.metadata.get("name", "unnamed")
        return (
            f"LoadedVQModel({name!r}: {config.levels} levels × {config.codebook_size} entries, "
            f"{config.bits_per_second:.0f} bit/s at {self.sample_rate} Hz)"
        )

    def _repr_html_(self) -> str:
        return model_as_html(self)


def fitted(sound: Tensor, rate: int, samples: int, to_rate: int) -> Tensor:
    """A sound (…,) brought to another rate and an exact length, cut or filled up with silence."""
    sound = resample(sound, rate, to_rate)
    return F.pad(sound, (0, max(0, samples - len(sound))))[:samples]


def check_waveform(waveform: Waveform) -> Tensor:
    """A waveform as a tensor, (samples,) float32.

    Raises:
        ShapeError: a batch, channels, no samples, whole numbers, NaN or Inf.
    """
    sound = waveform
    if isinstance(waveform, np.ndarray):
        sound = torch.from_numpy(np.ascontiguousarray(waveform))
    if not isinstance(sound, Tensor):
        raise ShapeError(f"waveform is a {type(waveform).__name__}; expected a tensor or an array")
    if sound.ndim != 1:
        raise ShapeError(
            f"waveform {tuple(sound.shape)}: expected mono (samples,); mix its channels to "
            "one first, give the sounds of a batch one by one"
        )
    if not len(sound):
        raise ShapeError("waveform has 0 samples; expected at least 1")
    if not sound.is_floating_point():
        raise ShapeError(
            f"waveform holds {sound.dtype}; expected floating point from -1 to 1 (divide 16-bit "
            "samples by 32768)"
        )
    if not torch.isfinite(sound).all():
        raise ShapeError("waveform holds NaN or Inf")
    return sound.detach().float()
