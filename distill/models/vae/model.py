"""ConvVAE: log-mel frames to Gaussian latents, dimensions × time, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from distill.config import VAEConfig
from distill.models.autoencoder import ConvAutoencoder
from distill.models.vae.statistics import LatentStatistics

_WIDEST = 8.0  # of a log-variance: deviations from 0.02 to 55


class ConvVAE(ConvAutoencoder):
    """A variational autoencoder: each time step is a Gaussian of independent dimensions.

    Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes".
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        self.config = config
        self.statistics = LatentStatistics(config.latent_dim)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstructs frames from the latents: from a sample in training, else from the mean.

        Args:
            mel: (batch, n_mels, frames) log-mel, at least one frame.

        Returns:
            The reconstruction, like `mel`; mean and log-variance, (batch, latent_dim, steps).

        Raises:
            ShapeError: another shape.
        """
        mean, log_variance = self.posterior(mel)
        latent = mean
        if self.training:
            self.statistics.update(mean)
            latent = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decode(latent, frames=mel.shape[-1]), mean, log_variance

    def posterior(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, n_mels, frames) to mean and log-variance, (batch, latent_dim, steps) each."""
        mean, log_variance = self.encoded(mel).chunk(2, dim=1)
        return mean, _WIDEST * torch.tanh(log_variance / _WIDEST)

    def encode(self, mel: Tensor) -> Tensor:
        """(batch, n_mels, frames) to the means, (batch, latent_dim, steps)."""
        return self.posterior(mel)[0]
