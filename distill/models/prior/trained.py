"""TrainedPrior: a prior, the codec it was made for, and what it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from distill.codebook.codes import Codes
from distill.config import PriorConfig
from distill.errors import CodesError
from distill.models.prior.copying import SharedRun, longest_shared_run
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.novelty import Novelty
from distill.models.prior.sounds import CodedSound
from distill.models.prior.stream import precise
from distill.models.prior.usual import NOTHING_USUAL, UsualRuns
from distill.models.prior.wanted import Brightness, Classes, Loudness, Wanted, wanted_of
from distill.models.use.match import called, check_kind
from distill.words import counted


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
    usual: UsualRuns = NOTHING_USUAL
    """What held-out recordings share with those."""
    health: tuple[PriorHealth, ...] = ()
    """What a code costs it on recordings that it did not learn from, level by level."""
    loss_curves: Mapping[str, list[float]] = field(default_factory=dict)

    @property
    def config(self) -> PriorConfig:
        """What rebuilds it."""
        return self.module.config

    @cached_property
    def precise(self) -> CodePrior:
        """Its network as sounds are drawn from it; the copy is made once."""
        return precise(self.module)

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

        It is a copy if it is longer than held-out recordings of the same length would share; see
        `UsualRuns.of_length`.

        Args:
            codes: of the sound.

        Returns:
            Of all levels, where that is a copy word for word; else of the first, the structure.

        Raises:
            CodesError: no codes, codes of another model, or without all of its levels.
        """
        self._check(codes)
        first, every = self.usual.of_length(codes.seconds)
        is_longer = (first, every) != self.usual.seconds
        for levels, usual_s in ((codes.levels, every), (1, first)):
            run = longest_shared_run(
                codes.indices.T, self.sounds, self.step_seconds, levels=levels, usual_s=usual_s
            )
            if levels > 1 and run.is_copy:
                break
        return replace(run, usual_is_expected=is_longer)

    def novelty(self, amount: float) -> Novelty | None:
        """What keeps draws from running along its recordings; None at 0, which lets them.

        Args:
            amount: see `Novelty`.
        """
        if not amount:
            return None
        grids = [grid for sound in self.sounds for grid in sound.grids]
        return Novelty(grids, self.step_seconds, self.usual.seconds, amount)

    def wanted(
        self,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
        *,
        begin: int = 0,
        steps: int | None = None,
    ) -> Wanted:
        """What new sounds are to be, checked; see `wanted_of`, also for its errors."""
        asked = classes, loudness, brightness
        return wanted_of(self.config, self.sounds, *asked, begin=begin, steps=steps)

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


def for_codec(module: CodePrior, codebooks: Tensor) -> CodePrior:
    """A prior in use, with the codebooks of its codec."""
    with torch.no_grad():
        module.use_codebooks(codebooks)
    return module.eval()
