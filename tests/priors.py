"""A small prior over the codes of a small model, for the tests that need one."""

from __future__ import annotations

from typing import Any

import torch

from distill import Codes, LoadedVQModel, PriorConfig
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.trained import TrainedPrior, for_codec

_SMALL: dict[str, Any] = {
    "width": 16,
    "segment_steps": 16,
    "batch_size": 4,
    "copies": 1,
    "min_steps_per_epoch": 5,
    "preview_every_epochs": 0,
}


def tiny_prior(model: LoadedVQModel, **changes: Any) -> PriorConfig:
    """Settings of a prior with which a few steps take a second."""
    return PriorConfig.for_codec(model.config, **{**_SMALL, **changes})


def untrained(model: LoadedVQModel, *grids: torch.Tensor, **changes: Any) -> TrainedPrior:
    """A prior of random weights that says it learned from some codes, (steps, level) each."""
    torch.manual_seed(0)
    module = for_codec(CodePrior(tiny_prior(model, **changes)), model.codebooks)
    for weight in module.memory.parameters():
        torch.nn.init.normal_(weight, std=0.5)  # so that what came before matters
    sounds = tuple(CodedSound(f"take-{n}.wav", (grid.int(),)) for n, grid in enumerate(grids))
    return TrainedPrior(module, model.digest, model.name, sounds)


def random_codes(model: LoadedVQModel, steps: int = 20) -> Codes:
    """Codes of the small model by chance, the same for the same number of steps."""
    generator = torch.Generator().manual_seed(steps)
    grid = torch.randint(0, 16, (3, steps), generator=generator)
    return model.codes_of(grid, (2 * steps - 1) * 512, 0.5)


def with_untrained_prior(model: LoadedVQModel) -> LoadedVQModel:
    """The small model with a prior that has learned nothing, of two recordings."""
    generator = torch.Generator().manual_seed(3)
    grids = [torch.randint(0, 16, (40, 3), generator=generator) for _ in range(2)]
    model.use_prior(untrained(model, *grids))
    return model
