"""TrainedPrior: a prior, the codec it was made for, and what it learned from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from distill.codebook.codes import Codes
from distill.config import PriorConfig
from distill.errors import CodesError
from distill.models.prior.copying import SharedRun, apart, longest_shared_run
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.novelty import Novelty
from distill.models.prior.sounds import CodedSound
from distill.models.prior.wanted import Classes, Loudness, Wanted, wanted_of
from distill.models.use.match import called, check_kind
from distill.words import counted

_DOUBLES_OF, _MOST_JUDGED = 10, 20
"""One in so many held-out recordings may be a double; so many of them, evenly, are looked at."""


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
    levels; without the tenth of them that share most, which may be doubles of what was learned.
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

        Raises:
            CodesError: no codes, codes of another model, or without all of its levels.
        """
        self._check(codes)
        for levels, usual_s in ((codes.levels, self.usual_s[1]), (1, self.usual_s[0])):
            run = longest_shared_run(
                codes.indices.T, self.sounds, self.step_seconds, levels=levels, usual_s=usual_s
            )
            if levels > 1 and run.is_copy:
                break
        return run

    def novelty(self, amount: float) -> Novelty | None:
        """What keeps draws from running along its recordings; None at 0, which lets them.

        Args:
            amount: see `Novelty`.
        """
        if not amount:
            return None
        grids = [grid for sound in self.sounds for grid in sound.grids]
        return Novelty(grids, self.step_seconds, self.usual_s, amount)

    def wanted(
        self,
        classes: Classes = None,
        loudness: Loudness = None,
        *,
        begin: int = 0,
        steps: int | None = None,
    ) -> Wanted:
        """What new sounds are to be, checked; see `wanted_of`, also for its errors."""
        return wanted_of(self.config, self.sounds, classes, loudness, begin=begin, steps=steps)

    def _check(self, codes: Codes) -> None:
        check_kind(codes, Codes)
        if codes.made_by not in ("", self.codec_digest):
            raise CodesError(
                f"codes of the model {called(codes.model_name, codes.made_by)}; this prior knows "
                f"those of {called(self.codec_name, self.codec_digest)}"
            )
        config = self.config
        if (codes.levels, codes.codebook_size) != (config.levels, config.codebook_size):
            raise CodesError(
                f"codes of {codes.levels} levels × {codes.codebook_size} entries: this prior knows "
                f"{config.levels} × {config.codebook_size}, and all levels are needed"
            )

    def __repr__(self) -> str:
        bits = f"{self.bits_per_step:.1f} of {self.config.bits_per_step:.1f} bits a step"
        return f"TrainedPrior({counted(len(self.sounds), 'recording')}, {bits})"


def usual_runs_s(
    held_out: tuple[Tensor, ...], sounds: tuple[CodedSound, ...], step_seconds: float
) -> tuple[float, float]:
    """The runs that held-out recordings share with those learned from; see `TrainedPrior`.

    Of one recording, of which the end was held out, that says nothing: 0.

    Args:
        held_out: (steps, level) each.
        sounds: what was learned from.
        step_seconds: length of a step.
    """
    if len(sounds) < 2 or not held_out:
        return 0.0, 0.0
    judged = held_out[:: -(-len(held_out) // _MOST_JUDGED)]
    first, every = (
        _usual_run_s(judged, sounds, step_seconds, levels) for levels in (1, judged[0].shape[1])
    )
    return first, every


def _usual_run_s(
    judged: tuple[Tensor, ...], sounds: tuple[CodedSound, ...], step_seconds: float, levels: int
) -> float:
    """The longest run without the tenth of the recordings that share most: their doubles."""
    left = list(judged)
    for doubles in reversed(range(-(-(len(judged) - 1) // _DOUBLES_OF) + 1)):
        run = longest_shared_run(apart(left), sounds, step_seconds, levels=levels)
        if not run.steps or not doubles:
            break
        ends = accumulate(len(grid) + 1 for grid in left)
        del left[bisect_right(list(ends), round(run.begins_s / step_seconds))]
    return run.seconds


def for_codec(module: CodePrior, codebooks: Tensor) -> CodePrior:
    """A prior in use, with the codebooks of its codec."""
    with torch.no_grad():
        module.use_codebooks(codebooks)
    return module.eval()
