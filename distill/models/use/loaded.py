"""LoadedVQModel: a trained RVQ-VAE in use: sound to codes and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from distill.arrays import as_count, as_floats
from distill.audio.signal_window import Window
from distill.codebook.codes import Codes, as_indices
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL, level_labels
from distill.config import VQVAEConfig
from distill.errors import CodesError, ConfigError, ShapeError
from distill.models.use.base import Waveform, check_waveform
from distill.models.use.code_pieces import indices_in_pieces, mel_pieces, refined_pieces
from distill.models.use.generated_files import ModelOfNewSounds
from distill.models.use.match import check_kind, check_length, check_maker, check_rate
from distill.models.use.sounds import SoundAtRate, fitted
from distill.models.use.streaming import live_pieces, live_sounds, mel_window
from distill.models.vqvae.model import ConvVQVAE
from distill.models.vqvae.refining import REFINEMENTS

__all__ = ["LoadedVQModel", "Waveform", "check_waveform", "fitted"]

_COLUMNS_AT_ONCE = 64
_MOST_PASSES = 1000


class LoadedVQModel(ModelOfNewSounds):
    """An RVQ-VAE, its spectrogram, and what is known about it; with a prior it makes new sounds."""

    model: ConvVQVAE
    encoded_type = Codes
    _encoded_is = "codes"

    refinements: int = REFINEMENTS
    """Passes in which encoding looks for codes of which the decoder makes more; 0 takes those of
    the encoder, a little further from the original, in a fraction of the time."""

    def __init__(
        self,
        model: ConvVQVAE,
        *,
        metadata: dict[str, Any] | None = None,
        codebook_health: tuple[LevelHealth, ...] = (),
        health: tuple[LevelHealth, ...] = (),
        loss_curves: dict[str, list[float]] | None = None,
        extra: dict[str, str] | None = None,
        path: Path | None = None,
        sections: Mapping[str, str] | None = None,
        other_tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Takes a model into use.

        Args:
            model: a trained one.
            metadata: as in `LoadedModel`.
            codebook_health: a row a level; the same as `health`.
            health: as in `LoadedModel`.
            loss_curves: as in `LoadedModel`.
            extra: as in `LoadedModel`.
            path: as in `LoadedModel`.
            sections: as in `LoadedModel`.
            other_tensors: as in `LoadedModel`.
        """
        super().__init__(
            model,
            metadata=metadata,
            health=health or codebook_health,
            loss_curves=loss_curves,
            extra=extra,
            path=path,
            sections=sections,
            other_tensors=other_tensors,
        )

    @property
    def config(self) -> VQVAEConfig:
        """What rebuilds the model."""
        return self.model.config

    @property
    def vqvae_config(self) -> VQVAEConfig:
        """The same as `config`."""
        return self.config

    @property
    def codebook_health(self) -> tuple[LevelHealth, ...]:
        """A row a level, as last validated; () where nobody knows."""
        return self.health

    @property
    def shape(self) -> tuple[int, int]:
        """(levels, entries) of its codes."""
        return self.config.levels, self.config.codebook_size

    @property
    def has_codebooks(self) -> bool:
        """Whether its codebooks hold anything yet: those of a model that never learned do not."""
        return self.model.quantizer.initialised

    @property
    def codebooks(self) -> Tensor:
        """Every entry's vector, (level, entry, latent_dim) float32 on the CPU; a copy."""
        return self.model.quantizer.codebooks.detach().cpu().float()

    @property
    def level_labels(self) -> tuple[str, ...]:
        """Names of the levels, coarse to fine; the usual ones where the file's do not fit."""
        saved, levels = self.metadata.get("level_labels"), self.config.levels
        if isinstance(saved, (list, tuple)) and len(saved) == levels:
            labels = tuple(map(str, saved))
            if all(len(label) <= LONGEST_LABEL for label in labels):
                return labels
        return level_labels(levels)

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
    def embeddings_of(self, indices: Tensor) -> Tensor:
        """What each level adds to the latent of some codes.

        Args:
            indices: (level, steps), of all levels; -1 adds exactly nothing.

        Returns:
            (level, latent_dim, steps) on the model's device; their sum is what the decoder takes.

        Raises:
            CodesError: another shape, or other numbers than whole ones.
            ShapeError: other levels than the model has, or a code that does not exist.
        """
        grid = as_indices(indices).to(self.device)
        return self.model.quantizer.embed(grid[None])[:, 0]

    @torch.no_grad()
    def mel_of(self, indices: Tensor) -> Tensor:
        """What the decoder makes of codes, (level, steps) where -1 adds nothing: log-mel,
        (n_mels, steps * stride), on the model's device.

        Raises:
            CodesError: another shape, or other numbers than whole ones.
            ShapeError: other levels than the model has, or a code that does not exist.
        """
        grid = as_indices(indices).to(self.device)
        return torch.cat(list(mel_pieces(self.model, Window([grid]), grid.shape[-1])), dim=-1)

    @torch.no_grad()
    def decode_columns(self, columns: Tensor, steps: int) -> Tensor:
        """What the decoder makes of single columns of codes, each held for some steps.

        Args:
            columns: (column, level) codes; -1 adds nothing.
            steps: how long each is held.

        Returns:
            (column, n_mels, steps * stride) log-mel, on the model's device.

        Raises:
            ShapeError: more levels than the model has, or a code that does not exist.
        """
        indices = columns[:, :, None].expand(-1, -1, steps).to(self.device)
        parts = torch.split(indices, _COLUMNS_AT_ONCE)
        return torch.cat([self.model.decode(self.model.codes_to_embeddings(p)) for p in parts])

    def decode_pieces(self, codes: Codes, *, force: bool = False) -> Iterator[Tensor]:
        """Turns codes into sound in pieces: joined, they are what `decode` returns.

        Codes with fewer levels than the model decode by those they have.

        Args:
            codes: what `encode` made.
            force: take them although another model made them.

        Returns:
            (samples,) float32 each, worked out as they are asked for.

        Raises:
            CodesError: another model made them, with more levels or other codebooks, or they are
                too few for their sound.
        """
        self.check_codes(codes, force=force)
        mels = mel_pieces(self.model, Window([codes.indices.to(self.device)]), codes.steps)
        return self._sounds(mels, codes.samples, codes.peak)

    def _sound_of_steps(
        self, steps: Iterator[Sequence[int]], count: int, samples: int, peak: float
    ) -> Iterator[Tensor]:
        config = self.config
        codes = Window(torch.tensor(step)[:, None] for step in steps)
        mels = mel_pieces(self.model, codes, count, live_pieces(config.step_rate_hz))
        frames = (config.stride * steps for steps in live_pieces(config.step_rate_hz))
        whole = self.spectrogram.frames(samples)
        return live_sounds(self.vocoder, mels, frames, whole, samples, peak)

    def check_codes(self, codes: Codes, *, force: bool = False) -> None:
        """Checks that codes are such as this model makes.

        Args:
            codes: to be decoded.
            force: take them although another model made them.

        Raises:
            CodesError: no codes, of another model, with more levels or other codebooks, or too few
                for their sound.
        """
        check_kind(codes, Codes)
        if codes.levels > self.config.levels or codes.codebook_size != self.config.codebook_size:
            raise CodesError(
                f"codes of {codes.levels} levels × {codes.codebook_size} entries; this model has "
                f"{self.config.levels} × {self.config.codebook_size}: decode them with the model "
                "that made them"
            )
        if not force:
            check_maker(self, codes)
        check_rate(self, codes, any_steps=True)
        check_length(self, codes)

    def check_levels(self, levels: int | None) -> int | None:
        """How many levels of codes are meant; None for all.

        Args:
            levels: asked for, 1 to the model's, in any form of a whole number; or None.

        Raises:
            ConfigError: no whole number, none at all, or more than the model has.
        """
        if levels is None:
            return None
        return as_count(levels, "levels", self.config.levels, error=ConfigError)

    def _first_levels(self, codes: Codes, levels: int | None) -> Codes:
        count = self.check_levels(levels)
        if count is None:
            return codes
        check_kind(codes, Codes)
        return codes.first_levels(count)

    def _encode(self, sound: SoundAtRate) -> Codes:
        return self._encode_levels(sound, None)

    @torch.no_grad()
    def _encode_levels(self, sound: SoundAtRate, levels: int | None) -> Codes:
        count = self.check_levels(levels) or self.config.levels
        passes = as_count(self.refinements, "refinements", _MOST_PASSES, least=0, error=ConfigError)
        grids = self._refined(sound, count, passes) if passes else self._plain(sound, count)
        return Codes(
            indices=torch.cat([grid.cpu() for grid in grids], dim=-1),
            codebook_size=self.config.codebook_size,
            step_seconds=1 / self.config.step_rate_hz,
            samples=sound.samples,
            sample_rate=self.sample_rate,
            peak=sound.peak,
            labels=self.level_labels[:count],
            made_by=self.digest,
            model_name=self.name,
        )

    def _plain(self, sound: SoundAtRate, levels: int) -> Iterator[Tensor]:
        for part in self._latents(sound):
            yield indices_in_pieces(self.model, part, levels=levels)

    def _refined(self, sound: SoundAtRate, levels: int, passes: int) -> Iterator[Tensor]:
        frames = self.spectrogram.frames(sound.samples)
        mel = mel_window(self.spectrogram, sound, sound.samples, sound.peak, self.device)
        yield from refined_pieces(self.model, mel, frames, passes, levels=levels)

    def __repr__(self) -> str:
        config = self.config
        return (
            f"LoadedVQModel({self.name!r}: {config.levels} levels × {config.codebook_size} "
            f"entries, {config.bits_per_second:.0f} bit/s at {self.sample_rate} Hz)"
        )
