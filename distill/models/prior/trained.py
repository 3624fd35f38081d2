"""TrainedPrior: a prior, the codec it was made for, and what it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from distill.codebook.codes import Codes
from distill.config import PriorConfig
from distill.models.prior.copying import SharedRun, apart, longest_shared_run
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import CodedSound


@dataclass(frozen=True, eq=False)
class TrainedPrior:
    """A prior over the codes of one model."""

    module: CodePrior
    """With the codebooks of its codec."""
    codec_digest: str
    """Of the model whose codes it knows."""
    codec_name: str
    """Its name at that time, for people."""
    sounds: tuple[CodedSound, ...]
    """What it learned from."""
    usual_s: tuple[float, float] = (0.0, 0.0)
    """The longest run that a held-out recording shares with those, of the first level and of all
    levels.
    """
    health: tuple[PriorHealth, ...] = ()
    """What a code costs it on recordings that it did not learn from, level by level."""
    loss_curves: Mapping[str, list[float]] = field(default_factory=dict)

    @property
    def config(self) -> PriorConfig:
        """What rebuilds it."""
        return self.module.config

    @property
    def bits_per_step(self) -> float:
        """What a step of held-out recordings costs; NaN where nobody judged it."""
        return sum(row.bits for row in self.health) if self.health else float("nan")

    @cached_property
    def step_seconds(self) -> float:
        """Length of a step."""
        return 1 / self.config.step_rate_hz

    def shared_run(self, codes: Codes) -> SharedRun:
        """The longest run of a sound's codes that stands in a training recording too.

        Args:
            codes: of the sound.

        Returns:
            Of all levels, where that is a copy word for word; else of the first, the structure.
        """
        for levels, usual_s in ((codes.levels, self.usual_s[1]), (1, self.usual_s[0])):
            run = longest_shared_run(
                codes.indices.T, self.sounds, self.step_seconds, levels=levels, usual_s=usual_s
            )
            if levels > 1 and run.is_copy:
                break
        return run

    def __repr__(self) -> str:
        bits = f"{self.bits_per_step:.1f} of {self.config.bits_per_step:.1f} bits a step"
        return f"TrainedPrior({len(self.sounds)} recordings, {bits})"


def usual_runs_s(
    held_out: tuple[Tensor, ...], sounds: tuple[CodedSound, ...], step_seconds: float
) -> tuple[float, float]:
    """The longest runs that held-out recordings share with those learned from; see `TrainedPrior`.

    Of one recording, of which the end was held out, that says nothing: 0.

    Args:
        held_out: (steps, level) each.
        sounds: what was learned from.
        step_seconds: length of a step.
    """
    if len(sounds) < 2 or not held_out:
        return 0.0, 0.0
    joined = apart(held_out)
    first, every = (
        longest_shared_run(joined, sounds, step_seconds, levels=levels).seconds
        for levels in (1, joined.shape[1])
    )
    return first, every


def for_codec(module: CodePrior, codebooks: Tensor) -> CodePrior:
    """A prior in use, with the codebooks of its codec."""
    with torch.no_grad():
        module.use_codebooks(codebooks)
    return module.eval()
