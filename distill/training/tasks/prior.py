"""PriorTask: learning how codes follow one another, and what a code costs meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from distill.codebook.counts import count_checked_codes
from distill.config import PriorConfig
from distill.models.prior.conditions import learned_conditions
from distill.models.prior.counts import CodeCounts
from distill.models.prior.model import NOTHING, PADDING, CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.usual import UsualRuns, usual_runs
from distill.models.use.loaded import LoadedVQModel
from distill.own_folder import OwnFolder
from distill.training.engine.task import Judgement, Learner
from distill.training.run.state_checks import check_generator, member, table
from distill.training.tasks.code_windows import CodeWindows, whole_codes
from distill.training.tasks.prior_preview import write_prior_previews
from distill.training.watch.events import PreviewPair

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_BETAS = (0.9, 0.95)
_BITS = 1 / math.log(2)
_PIECE_STEPS = 1024
_BATCH_STEPS = 8192


@dataclass(frozen=True, eq=False)
class CodeMaterial:
    """What a prior learns from and is judged by."""

    codec: LoadedVQModel
    training: tuple[CodedSound, ...]
    validation: tuple[CodedSound, ...]
    """Recordings that were held out, without copies."""

    @cached_property
    def usual(self) -> UsualRuns:
        """What these share with those learned from; worked out when first asked for."""
        held_out = tuple(sound.codes for sound in self.validation)
        return usual_runs(held_out, self.training, 1 / self.codec.config.step_rate_hz)


class Windows(NamedTuple):
    """A batch: windows of codes, and what counting makes of them where that is asked."""

    codes: Tensor
    """(batch, 1 + time, level); see `CodePrior.forward`."""
    counted: Tensor | None = None
    """(2, level) bits, by single codes and by pairs."""
    conditions: Tensor | None = None
    """(batch, time, column) of what is told of the steps; None: nothing."""


class PriorTask:
    """What a step costs, in bits, is minimised; beside it, whether the sound ends there.

    It learns with conditions where it has some, and is judged without: what a step costs says the
    same of every prior.

    Args:
        config: of the prior and its training.
        module: learns on; default a new one.
    """

    loss_parts = ("codes", "ends")

    def __init__(self, config: PriorConfig, module: CodePrior | None = None) -> None:
        self.config = config
        self.module = CodePrior(config) if module is None else module
        self.batches_per_pass = 0.0
        self._fabric: Fabric
        self._forward: Any
        self._material: CodeMaterial
        self._windows: CodeWindows
        self._counts: CodeCounts

    def keep_general(self) -> None:
        """See `Task`."""

    def prepare(self) -> None:
        """See `Task`."""

    def optimizers(self) -> Sequence[Optimizer]:
        """See `Task`."""
        config, weights = self.config, self.module.parameters()
        return [
            torch.optim.AdamW(
                weights, lr=config.learning_rate, betas=_BETAS, weight_decay=config.weight_decay
            )
        ]

    def setup(self, fabric: Fabric, material: CodeMaterial) -> Sequence[Optimizer]:
        """See `Task`."""
        config = self.config
        self._fabric, self._material = fabric, material
        self.module.use_codebooks(material.codec.codebooks)
        grids = [grid for sound in material.training for grid in sound.grids]
        self._windows = CodeWindows(
            grids, steps=config.segment_steps, batch_size=config.batch_size, seed=config.seed,
            conditions=learned_conditions(config, material.training),
        )  # fmt: skip
        self._counts = CodeCounts.of(grids, config.levels, config.codebook_size)
        self.batches_per_pass = sum(map(len, grids)) / (config.batch_size * config.segment_steps)
        self._forward, *wrapped = fabric.setup(self.module, *self.optimizers())
        return wrapped

    def batch(self, rank: int, ranks: int) -> Windows:
        """See `Task`."""
        if not self.config.condition_sizes:
            return Windows(self._windows.batch(rank, ranks))
        codes, conditions = self._windows.batch_with_conditions(rank, ranks)
        return Windows(codes, conditions=conditions)

    def validation(self, rank: int, ranks: int) -> Iterator[tuple[Windows, float]]:
        """See `Task`."""
        sounds = [sound.codes for sound in self._material.validation]
        batches = whole_codes(sounds, piece_steps=_PIECE_STEPS, batch_steps=_BATCH_STEPS)
        for codes, steps in islice(batches, rank, None, ranks):
            yield Windows(codes, self._counted(codes)), float(steps)

    def train_step(self, batch: Windows, learner: Learner) -> Judgement:
        """See `Task`."""
        device = self._fabric.device
        codes, told = batch.codes.to(device), batch.conditions
        told = told if told is None else told.to(device)
        judgement = self._judgement(codes, *self._forward(codes, told))
        learner.apply(judgement)
        return judgement

    def judge(self, batch: Windows) -> Judgement:
        """See `Task`."""
        codes = batch.codes.to(self._fabric.device)
        with self._fabric.autocast():
            judgement = self._judgement(codes, *self.module(codes))
        if batch.counted is None:
            return judgement
        observed = {
            "counted": batch.counted.to(codes.device, torch.float32),
            "counted_codes": judgement.observed["uses"].sum(dim=1),
        }
        return Judgement(judgement.loss, judgement.parts, {**judgement.observed, **observed})

    def nothing_observed(self) -> dict[str, Tensor]:
        """See `Task`."""
        levels = self.config.levels
        counts = {"uses": (levels, self.config.codebook_size), "counted_codes": (levels,)}
        sums = {"bits": (levels,), "counted": (2, levels)}
        return {
            **{k: torch.zeros(v, dtype=torch.int64, device="cpu") for k, v in counts.items()},
            **{k: torch.zeros(v, dtype=torch.float32, device="cpu") for k, v in sums.items()},
        }

    def preview(self, files: OwnFolder, inside: str) -> tuple[PreviewPair, ...]:
        """See `Task`."""
        material, config = self._material, self.config
        return write_prior_previews(
            self.module,
            material.codec,
            material.validation[: config.preview_count],
            files,
            inside,
            seconds=config.preview_seconds,
        )

    def state_dict(self) -> dict[str, Any]:
        """See `Task`."""
        return {"windows": self._windows.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Task`."""
        self._windows.load_state_dict(state["windows"])

    def check_state(self, state: Any) -> None:
        """See `Task`."""
        windows = table(member(table(state, "task"), "windows"), "windows")
        check_generator(member(windows, "generator"), "windows: generator")

    def _judgement(self, codes: Tensor, logits: list[Tensor], ends: Tensor) -> Judgement:
        target = codes[:, 1:].clamp(min=NOTHING)
        bits, ended, steps = cost(codes, logits, ends)
        parts = {"codes": bits.sum() / steps, "ends": ended / steps}
        uses = count_checked_codes(target.movedim(-1, 0).flatten(1), self.config.codebook_size)
        observed = {"uses": uses, "bits": bits.detach()}
        return Judgement(parts["codes"] + parts["ends"], parts, observed)

    def _counted(self, codes: Tensor) -> Tensor:
        """Bits of windows by counting, (2, level)."""
        rows = [row[1:][row[1:, 0] >= 0] for row in codes]
        sums = [torch.stack(self._counts.bits(row)) for row in rows if len(row)]
        return torch.stack(sums).sum(dim=0)


def cost(codes: Tensor, logits: Sequence[Tensor], ends: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What windows of codes cost by what a prior says of them.

    Args:
        codes: (batch, 1 + time, level); see `CodePrior.forward`, as the others.
        logits: of every level.
        ends: that the sound has ended before the step.

    Returns:
        Bits of all codes of each level, (level,); of all ends, a scalar; and the steps of codes, a
        scalar of at least 1.
    """
    target, before = codes[:, 1:].clamp(min=NOTHING), codes[:, :-1, 0]
    steps = (target[..., 0] >= 0).sum().clamp(min=1)
    may_end = (before >= 0) & (codes[:, 1:, 0] != PADDING)
    bits = torch.stack([
        F.cross_entropy(
            of_level.float().flatten(0, 1), target[..., level].flatten(),
            ignore_index=NOTHING, reduction="sum",
        )
        for level, of_level in enumerate(logits)
    ])  # fmt: skip
    ended = F.binary_cross_entropy_with_logits(
        ends.float(), (target[..., 0] < 0).float(), weight=may_end.float(), reduction="sum"
    )
    return bits * _BITS, ended * _BITS, steps
