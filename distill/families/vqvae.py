"""The RVQ-VAE: a family whose bottleneck is a grid of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from distill.codebook.health import LevelHealth, codebook_health
from distill.codebook.health_section import read_levels
from distill.codebook.labels import level_labels
from distill.config import VQVAEConfig, get_adaptive_vqvae_config
from distill.family import Family
from distill.models.file.container import SAVED_MODEL_VERSION_V2
from distill.models.use.loaded import LoadedVQModel
from distill.models.vqvae.model import ConvVQVAE


def _health(observed: Mapping[str, Tensor], steps: int) -> tuple[LevelHealth, ...]:
    churn = (observed["replaced"] / max(steps, 1)).tolist()
    return codebook_health(observed["uses"], churn)


def _labels(config: VQVAEConfig) -> tuple[str, ...]:
    return level_labels(config.levels)


def _facts(config: VQVAEConfig) -> tuple[tuple[str, str], ...]:
    codes = (
        f"{config.levels} levels × {config.codebook_size} entries, {config.step_rate_hz:.1f} "
        f"steps/s, {config.bits_per_second:.0f} bit/s"
    )
    return (("codes", codes),)


def _task(*_arguments: Any) -> Any:
    # Trained by `train_vqvae`, which does not ask its family yet.
    raise NotImplementedError


FAMILY = Family(
    name="vqvae",
    title="RVQ-VAE",
    file_version=SAVED_MODEL_VERSION_V2,
    config=VQVAEConfig,
    loss_parts=("reconstruction", "commitment"),
    build=ConvVQVAE,
    open=LoadedVQModel,
    task=_task,
    adaptive_config=get_adaptive_vqvae_config,
    health=_health,
    health_type=LevelHealth,
    decides=(
        "levels",
        "codebook_size",
        "width",
        "encoder_depth",
        "decoder_depth",
        "kernel_size",
        "latent_dim",
        "stride",
    ),
    health_section="codebook_health",
    read_health=read_levels,
    facts=_facts,
    labels=_labels,
)
