"""The RVQ-VAE: a family whose bottleneck is a grid of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from distill.codebook.health import TRAINING, LevelHealth, codebook_health, health_of_both
from distill.codebook.health_section import read_levels
from distill.codebook.labels import level_labels
from distill.config import VQVAEConfig, get_adaptive_vqvae_config
from distill.family import VQVAE, Family, WarmStart
from distill.models.file.container import SAVED_MODEL_VERSION_V2
from distill.models.use.loaded import LoadedVQModel
from distill.models.vqvae.model import ConvVQVAE
from distill.training.tasks.vqvae import VQVAETask
from distill.training.watch.events import VQEpochMetrics, VQStepMetrics
from distill.training.watch.history import VQMetricsHistory


def _health(
    observed: Mapping[str, Tensor], trained: Mapping[str, Tensor], steps: int
) -> tuple[LevelHealth, ...]:
    churn = [count / max(1, steps) for count in trained["replaced"].tolist()]
    if observed is trained:  # a stretch of steps
        return codebook_health(trained["counts"], churn, over=TRAINING)
    return health_of_both(observed["counts"], trained["counts"], churn)


def _step_event(parts: Mapping[str, float], **fields: Any) -> VQStepMetrics:
    return VQStepMetrics(**{**fields, **parts})


def _epoch_event(
    train_parts: Mapping[str, float], val_parts: Mapping[str, float], **fields: Any
) -> VQEpochMetrics:
    train = {f"train_{name}": value for name, value in train_parts.items()}
    judged = {f"val_{name}": value for name, value in val_parts.items()}
    return VQEpochMetrics(**{**fields, **train, **judged})


def _labels(config: VQVAEConfig) -> tuple[str, ...]:
    return level_labels(config.levels)


def _facts(config: VQVAEConfig) -> tuple[tuple[str, str], ...]:
    codes = (
        f"{config.levels} levels × {config.codebook_size} entries, {config.step_rate_hz:.1f} "
        f"steps/s, {config.bits_per_second:.0f} bit/s"
    )
    return (("codes", codes),)


_LAYERS = ("width", "encoder_depth", "decoder_depth", "kernel_size", "latent_dim", "stride")

FAMILY = Family(
    name=VQVAE,
    title="RVQ-VAE",
    file_version=SAVED_MODEL_VERSION_V2,
    config=VQVAEConfig,
    loss_parts=VQVAETask.loss_parts,
    build=ConvVQVAE,
    open=LoadedVQModel,
    task=VQVAETask,
    adaptive_config=get_adaptive_vqvae_config,
    health=_health,
    health_type=LevelHealth,
    decides=("levels", "codebook_size", *_LAYERS),
    health_section="codebook_health",
    read_health=read_levels,
    # Codebooks are made from the sounds of the run, and from other sound where that is known, in
    # whatever size: see VQVAETask.prepare.
    warm_start=WarmStart(parts=("encoder", "decoder"), settings=_LAYERS),
    facts=_facts,
    labels=_labels,
    history=VQMetricsHistory,
    health_warning="utilization",
    step_event=_step_event,
    epoch_event=_epoch_event,
)
