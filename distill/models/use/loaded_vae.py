"""LoadedVAE: a trained continuous VAE in use: sound to latents and back, and new sounds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from distill.arrays import Array, as_count, as_float, as_floats, as_int
from distill.audio.signal_window import Window
from distill.config import VAEConfig
from distill.errors import ConfigError, LatentsError, ShapeError
from distill.latent.health import LatentHealth
from distill.latent.latents import Latents
from distill.latent.mixing import mixed
from distill.memory import memory_for
from distill.models.use.base import LoadedModel
from distill.models.use.match import check_kind, check_length, check_maker, check_rate
from distill.models.use.pieces import decoded_pieces
from distill.models.use.sounds import SoundAtRate
from distill.models.vae.model import ConvVAE

_LONGEST_S = 600.0
_MOST_SOUNDS = 1000


class LoadedVAE(LoadedModel[Latents]):
    """A continuous VAE, its spectrogram, and what is known about it."""

    model: ConvVAE
    encoded_type = Latents
    _encoded_is = "latents"

    @property
    def config(self) -> VAEConfig:
        """What rebuilds the model."""
        return self.model.config

    @property
    def latent_health(self) -> LatentHealth | None:
        """How its dimensions are used, as last validated; None where nobody knows."""
        return self.health[0] if self.health else None

    @property
    def dims(self) -> int:
        """Dimensions of a time step."""
        return self.config.latent_dim

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the latents of the training sounds, (dims, dims) float64; a copy."""
        return self.model.statistics.covariance.numpy().copy()

    @torch.no_grad()
    def mel_of(self, values: Array) -> Tensor:
        """What the decoder makes of latents, (dims, steps).

        Returns:
            Log-mel, (n_mels, steps * stride), on the model's device.

        Raises:
            ShapeError: another shape, or other numbers than floating point.
        """
        grid = as_floats(values, "values")
        if grid.ndim != 2 or grid.shape[0] != self.dims or not grid.shape[1]:
            raise ShapeError(f"values {tuple(grid.shape)}: expected ({self.dims}, steps)")
        return torch.cat(list(self._mels(grid)), dim=-1)

    def decode_pieces(self, latents: Latents, *, force: bool = False) -> Iterator[Tensor]:
        """Turns latents into sound in pieces: joined, they are what `decode` returns.

        Args:
            latents: what `encode`, `sample` or `interpolate` made.
            force: take them although another model made them.

        Returns:
            (samples,) float32 each, worked out as they are asked for.

        Raises:
            LatentsError: another model made them, with other dimensions, or they are too few for
                their sound.
        """
        self.check_latents(latents, force=force)
        return self._sounds(self._mels(latents.tensor()), latents.samples, latents.peak)

    def check_latents(self, latents: Latents, *, force: bool = False) -> None:
        """Checks that latents are such as this model makes.

        Args:
            latents: to be decoded.
            force: take them although another model made them.

        Raises:
            LatentsError: no latents, of another model, with other dimensions, or too few for their
                sound.
        """
        check_kind(latents, Latents)
        if latents.dims != self.dims:
            raise LatentsError(
                f"latents of {latents.dims} dimensions; this model has {self.dims}: decode them "
                "with the model that made them"
            )
        if not force:
            check_maker(self, latents)
        check_rate(self, latents)
        check_length(self, latents)

    def sample(self, count: int = 1, seconds: float = 2.0, seed: int = 0) -> tuple[Latents, ...]:
        """New sounds that resemble those the model learned from; `decode` makes them audible.

        Their latents vary, and follow one another in time, as those of the training sounds did on
        average: the model keeps these statistics. Drawn from the prior alone, each step would be
        independent of the one before, which sounds like none of them.

        Args:
            count: how many.
            seconds: length of each.
            seed: the same seed gives the same sounds.

        Raises:
            ConfigError: a count, length or seed that is none.
        """
        many = as_count(count, "count", _MOST_SOUNDS, error=ConfigError)
        number = as_int(seed)
        if number is None or not 0 <= number < 2**63:
            raise ConfigError(f"seed={seed!r}: expected a whole number of at least 0")
        samples = self._samples(seconds)
        steps = -(-self.spectrogram.frames(samples) // self.config.stride)
        generator = torch.Generator().manual_seed(number)
        with memory_for("new sounds"):
            made = self.model.statistics.sample(many, steps, generator)
            return tuple(self._of_mine(values, samples, 1.0) for values in made)

    def interpolate(self, a: Latents, b: Latents, count: int = 5) -> tuple[Latents, ...]:
        """Sounds on the way from one to another, both included.

        Latents are mixed step by step, after both were stretched to a length on the way between
        theirs.

        Args:
            a: the first one.
            b: the last one.
            count: how many, at least 2.

        Raises:
            LatentsError: one is none of this model's.
            ConfigError: a count that is none.
        """
        many = as_count(count, "count", _MOST_SOUNDS, least=2, error=ConfigError)
        for one in (a, b):
            self.check_latents(one)
        return tuple(self.mix(a, b, place / (many - 1)) for place in range(many))

    def mix(self, a: Latents, b: Latents, amount: float) -> Latents:
        """One sound between two others; see `interpolate`.

        Args:
            a: what an amount of 0 gives.
            b: what an amount of 1 gives.
            amount: from 0 to 1.

        Raises:
            LatentsError: one is none of this model's, or they have no length in common.
            ConfigError: another amount.
        """
        share = as_float(amount)
        if share is None or not 0 <= share <= 1:
            raise ConfigError(f"amount={amount!r}: expected a number from 0 to 1")
        for one in (a, b):
            self.check_latents(one)
        return mixed(a, b, share)

    def _samples(self, seconds: float) -> int:
        length = as_float(seconds)
        if length is None or not 0 < length <= _LONGEST_S:
            raise ConfigError(f"seconds={seconds!r}: expected a number above 0, to {_LONGEST_S:g}")
        return max(1, round(length * self.sample_rate))

    def _mels(self, values: Tensor) -> Iterator[Tensor]:
        steps = values.shape[-1]

        @torch.no_grad()
        def pieces() -> Iterator[Tensor]:
            take = Window([values.to(self.device)]).take
            yield from decoded_pieces(self.model, take, steps)

        return pieces()

    @torch.no_grad()
    def _encode(self, sound: SoundAtRate) -> Latents:
        parts = [part.cpu() for part in self._latents(sound)]
        return self._of_mine(torch.cat(parts, dim=-1), sound.samples, sound.peak)

    def _of_mine(self, values: Tensor, samples: int, peak: float) -> Latents:
        return Latents(
            values=values.numpy(),
            step_seconds=1 / self.config.step_rate_hz,
            samples=samples,
            sample_rate=self.sample_rate,
            peak=peak,
            made_by=self.digest,
            model_name=self.name,
        )

    def __repr__(self) -> str:
        config = self.config
        return (
            f"LoadedVAE({self.name!r}: {config.latent_dim} dimensions, {config.step_rate_hz:.1f} "
            f"steps/s at {self.sample_rate} Hz)"
        )
