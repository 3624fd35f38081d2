"""GeneratingModel: new sounds from a model of codes that has a prior in its file."""

from __future__ import annotations

import itertools
import os
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from distill.codebook.codes import Codes
from distill.errors import CodesError
from distill.models.prior.drawing import Drawing
from distill.models.prior.stream import CodeStream
from distill.models.use.drawn import (
    checked_seconds,
    checked_seed,
    grid_of,
    loudness_like,
    without_gaps,
)
from distill.models.use.with_prior import ModelWithPrior


class GeneratingModel(ModelWithPrior):
    """A model of codes that, with a prior, makes new sounds."""

    @property
    @abstractmethod
    def level_labels(self) -> tuple[str, ...]:
        """Names of the levels."""

    @abstractmethod
    def check_codes(self, codes: Codes, *, force: bool = False) -> None:
        """Checks that codes are such as this model makes; raises CodesError."""

    def generate(
        self,
        seconds: float,
        *,
        prompt: Codes | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
    ) -> Codes:
        """Codes of a sound that never was.

        Where a sound has ended before the time is up, another one begins.

        Args:
            seconds: length, above 0 and up to a day.
            prompt: codes of a sound that the new one goes on from; it is no part of the result.
            seed: the same seed and settings give the same codes; None draws another each time.
            temperature: 0 takes the likeliest code each time, 1 draws as was learned.
            top_k: draws among so many of the likeliest codes only.
            top_p: draws among the likeliest codes that together have this share of the chances.
            novelty: steers away from long copies, as `prior.shared_run` finds them: 1 lets no run
                along a recording become one, 0.5 lets them be twice as long, 0 (the default) any.

        Raises:
            PriorError: see `prior`.
            ConfigError: a length, seed or setting out of its range.
            CodesError: a prompt of another model, or without all of its levels.
        """
        samples = self._samples(seconds)
        steps = self.generate_steps(
            prompt=prompt,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            novelty=novelty,
        )
        return self.codes_of(
            grid_of(steps, self._steps_of(samples)), samples, loudness_like(prompt)
        )

    def generate_steps(
        self,
        *,
        prompt: Codes | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
    ) -> Iterator[tuple[int, ...]]:
        """The same step by step, without end: a code a level each.

        Args:
            prompt: see `generate`, as the others.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.

        Raises:
            DistillError: see `generate`; at once, not with the first step.
        """
        stream = self._stream(Drawing(temperature, top_k, top_p, novelty), seed, prompt)
        return (stream.next() for _ in itertools.repeat(None))

    def continue_sound(
        self,
        sound: Codes | str | os.PathLike[str],
        seconds: float,
        *,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
    ) -> Codes:
        """A sound, and what may follow it, in one.

        Args:
            sound: its codes, or its file.
            seconds: how much is to follow.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.

        Raises:
            DistillError: see `generate` and `encode_file`.
        """
        codes = sound if isinstance(sound, Codes) else self.encode_file(sound)
        added = self._samples(seconds)
        before = self._whole_steps(codes)
        samples = before.shape[1] * self._step_samples + added
        steps = self.generate_steps(
            prompt=codes,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            novelty=novelty,
        )
        after = grid_of(steps, self._steps_of(samples) - before.shape[1])
        return self.codes_of(torch.cat([before, after], dim=1), samples, loudness_like(codes))

    def _stream(self, drawing: Drawing, seed: int | None, prompt: Codes | None) -> CodeStream:
        """Draws from the prior, after a sound where there is one."""
        prior, seed = self.prior, checked_seed(seed)
        stream = CodeStream(prior.module, drawing, seed, prior.novelty(drawing.novelty))
        for column in self._whole_steps(prompt).T.tolist() if prompt is not None else ():
            stream.take(column)
        return stream

    @property
    def _step_samples(self) -> int:
        return self.config.spectrogram.hop_length * self.config.stride

    def _samples(self, seconds: Any) -> int:
        return max(1, round(checked_seconds(seconds) * self.sample_rate))

    def _steps_of(self, samples: int) -> int:
        return -(-self.spectrogram.frames(samples) // self.config.stride)

    def _whole_steps(self, codes: Codes) -> Tensor:
        """(level, steps) of a sound, without a last step that is partly silence behind its end."""
        self._check_whole(codes)
        whole = max(1, min(codes.steps, codes.samples // self._step_samples))
        return without_gaps(codes.indices[:, :whole])

    def _check_whole(self, codes: Codes) -> None:
        self.check_codes(codes)
        if codes.levels != self.config.levels:
            raise CodesError(
                f"codes of {codes.levels} of {self.config.levels} levels: to go on from a sound "
                "all of them are needed"
            )

    def codes_of(self, grid: Tensor, samples: int, peak: float) -> Codes:
        """A grid of this model's codes as a sound.

        Args:
            grid: (level, steps).
            samples: length of the sound, at the model's rate.
            peak: its loudness.
        """
        return Codes(
            indices=grid,
            codebook_size=self.config.codebook_size,
            step_seconds=1 / self.config.step_rate_hz,
            samples=samples,
            sample_rate=self.sample_rate,
            peak=peak,
            labels=self.level_labels,
            made_by=self.digest,
            model_name=self.name,
        )
