"""VAETask: learning a continuous VAE, and what is seen of its latents meanwhile."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from distill.config import VAEConfig
from distill.latent.health import latent_sums, no_latent_sums
from distill.models.losses import annealed, vae_loss
from distill.models.vae.model import ConvVAE
from distill.training.engine.task import Judgement
from distill.training.tasks.autoencoder import AutoencoderTask


class VAETask(AutoencoderTask):
    """The weight of the KL divergence grows while it learns; the full weight is judged by.

    Args:
        config: of the model and its training.
        module: learns on; default a new one.
    """

    config: VAEConfig
    module: ConvVAE
    loss_parts = ("reconstruction", "kl")

    def __init__(self, config: VAEConfig, module: ConvVAE | None = None) -> None:
        super().__init__(config, ConvVAE(config) if module is None else module)

    def judgement(self, mel: Tensor, output: Any, progress: float) -> Judgement:
        """What a batch costs; see `AutoencoderTask`."""
        reconstruction, mean, log_variance = output
        config, observed = self.config, latent_sums(mean, log_variance)
        loss, distance, _ = vae_loss(
            reconstruction,
            mel,
            mean,
            log_variance,
            kl_weight=annealed(config.kl_weight, progress, config.kl_warmup),
            free_bits=config.free_bits,
        )
        nats = observed["kl"].sum() / observed["positions"]
        return Judgement(loss, {"reconstruction": distance, "kl": nats}, observed)

    def nothing_observed(self) -> dict[str, Tensor]:
        """See `Task`."""
        return no_latent_sums(self.config.latent_dim)
