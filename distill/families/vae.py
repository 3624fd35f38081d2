"""The continuous VAE as a family: Gaussian latents, dimensions × time."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from distill.config import VAEConfig, get_adaptive_config
from distill.family import Family
from distill.latent.health import LatentHealth, latent_health
from distill.latent.health_section import read_latent_health
from distill.models.file.container import SAVED_MODEL_VERSION
from distill.models.use.loaded_vae import LoadedVAE
from distill.models.vae.model import ConvVAE
from distill.training.tasks.vae import VAETask


def _health(
    observed: Mapping[str, Tensor], _trained: Mapping[str, Tensor], _steps: int
) -> tuple[LatentHealth, ...]:
    return (latent_health(observed),)


def _facts(config: VAEConfig) -> tuple[tuple[str, str], ...]:
    latents = f"{config.latent_dim} dimensions, {config.step_rate_hz:.1f} steps/s"
    return (("latents", latents),)


FAMILY = Family(
    name="vae",
    title="VAE",
    file_version=SAVED_MODEL_VERSION,
    config=VAEConfig,
    loss_parts=VAETask.loss_parts,
    build=ConvVAE,
    open=LoadedVAE,
    task=VAETask,
    adaptive_config=get_adaptive_config,
    health=_health,
    health_type=LatentHealth,
    decides=(
        "width",
        "encoder_depth",
        "decoder_depth",
        "kernel_size",
        "latent_dim",
        "stride",
    ),
    health_section="latent_health",
    read_health=read_latent_health,
    facts=_facts,
)
