"""One prior over the codes of many codecs: a long run that resumes exactly at any checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.config import PriorConfig
from distill.models.prior.model import NOTHING, CodePrior, scaled
from distill.training.tasks.code_windows import CodeWindows
from distill.training.tasks.prior import cost
from tools.base.learning import Plan
from tools.base_prior.corpora import CodedCorpus

_JUDGED_EVERY = 8


@dataclass(frozen=True, kw_only=True)
class PriorPlan(Plan):
    """How a prior is trained over the codes of many codecs."""

    steps: int = 5000
    checkpoint_every: int = 250
    judge_every: int = 250
    weight_decay: float = 0.01


class PriorLearner:
    """Prior, optimiser and random numbers: all that a next step depends on.

    Each step learns from one corpus and its codebooks. What belongs to the entries of one codebook
    alone is left out: whoever starts here has others.

    Args:
        config: of the prior.
        plan: of the training.
        corpora: every eighth is kept to judge by.
    """

    def __init__(
        self, config: PriorConfig, plan: PriorPlan, corpora: Sequence[CodedCorpus]
    ) -> None:
        torch.manual_seed(plan.seed)
        self.config, self.plan, self.step = config, plan, 0
        self.curve: list[dict[str, float]] = []
        self.module = _without_entries(CodePrior(config)).train()
        judged = corpora[_JUDGED_EVERY - 1 :: _JUDGED_EVERY] or corpora[:1]
        self._judged = [(scaled(one.codebooks), one.own) for one in judged]
        learned = [one for one in corpora if one not in judged] or list(corpora)
        self._codebooks = [scaled(one.codebooks) for one in learned]
        self._windows = [
            CodeWindows(
                [*one.own, *one.copies], steps=config.segment_steps,
                batch_size=config.batch_size, seed=plan.seed + number,
            )
            for number, one in enumerate(learned)
        ]  # fmt: skip
        self._chooser = torch.Generator().manual_seed(plan.seed + 1)
        self._recent: list[float] = []
        weights = [weight for weight in self.module.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(
            weights, lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=plan.weight_decay
        )

    def begin(self) -> None:
        """Random weights are all that it begins with."""

    def learn(self) -> float:
        """One step; the bits that a step of codes cost in it."""
        number = int(torch.randint(len(self._windows), (1,), generator=self._chooser))
        bits, ends, steps = self._cost(self._codebooks[number], self._windows[number].batch())
        self._optimizer.zero_grad()
        ((bits.sum() + ends) / steps).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.config.gradient_clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.plan.rate(self.step)
        self._optimizer.step()
        self.step += 1
        self._recent.append(float(bits.detach().sum() / steps))
        return self._recent[-1]

    @torch.no_grad()
    def judge(self) -> None:
        """Notes what steps cost since the last time, and in the corpora that it does not know."""
        self.module.eval()
        costs = [
            self._cost(codebooks, F.pad(grid, (0, 0, 1, 0), value=NOTHING)[None])
            for codebooks, grids in self._judged
            for grid in grids
        ]
        self.module.train()
        steps = sum(float(count) for *_, count in costs)
        point = {
            "step": float(self.step),
            "loss": math.fsum(self._recent) / max(1, len(self._recent)),
            "held_out": math.fsum(float(bits.sum()) for bits, *_ in costs) / steps,
        }
        self._recent.clear()
        self.curve.append(point)

    def _cost(self, codebooks: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self.module.entries = codebooks
        return cost(codes, *self.module(codes))

    def state_dict(self) -> dict[str, Any]:
        """Everything; tensors and plain data alone."""
        return {
            "config": self.config.to_dict(),
            "plan": asdict(self.plan),
            "step": self.step,
            "module": self.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "windows": [windows.state_dict() for windows in self._windows],
            "chooser": self._chooser.get_state(),
            "torch": torch.get_rng_state(),
            "recent": list(self._recent),
            "curve": self.curve,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues exactly where another learner with the same corpora was."""
        self.step, self.curve, self._recent = state["step"], state["curve"], state["recent"]
        self.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])
        for windows, drawn in zip(self._windows, state["windows"], strict=True):
            windows.load_state_dict(drawn)
        self._chooser.set_state(state["chooser"])
        torch.set_rng_state(state["torch"])


def _without_entries(module: CodePrior) -> CodePrior:
    for head in module.heads:
        head.register_module("free", None)
        head.bias = nn.Parameter(torch.zeros(1), requires_grad=False)
    return module
