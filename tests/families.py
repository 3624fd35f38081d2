"""The families that distill brings, each small, for the tests that all of them must pass."""

from __future__ import annotations

from typing import Any

from distill.config import TrainingConfig
from distill.family import family

FAMILIES = ("vqvae", "vae")

_SMALL: dict[str, Any] = {
    "width": 16,
    "latent_dim": 8,
    "batch_size": 4,
    "segment_frames": 24,
    "min_steps_per_epoch": 5,
    "preview_count": 2,
    "preview_seconds": 0.3,
    "preview_every_epochs": 2,
}
_OWN: dict[str, dict[str, Any]] = {
    "vqvae": {"stride": 2, "levels": 3, "codebook_size": 16},
    "vae": {},
}


def tiny(name: str, **changes: Any) -> TrainingConfig:
    """Settings of a family with which a few steps take seconds."""
    return family(name).config(**{**_SMALL, **_OWN[name], **changes})
