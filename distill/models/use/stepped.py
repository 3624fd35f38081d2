"""SteppedModel: sounds of a model of codes, counted in steps."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from distill.codebook.codes import Codes
from distill.errors import CodesError
from distill.models.use.drawn import checked_seconds, without_gaps
from distill.models.use.with_prior import ModelWithPrior


class SteppedModel(ModelWithPrior):
    """A model of codes that makes sounds of grids, and knows how many steps a sound has."""

    @property
    @abstractmethod
    def level_labels(self) -> tuple[str, ...]:
        """Names of the levels."""

    @abstractmethod
    def check_codes(self, codes: Codes, *, force: bool = False) -> None:
        """Checks that codes are such as this model makes; raises CodesError."""

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
            labels=self.level_labels[: len(grid)],
            made_by=self.digest,
            model_name=self.name,
        )
