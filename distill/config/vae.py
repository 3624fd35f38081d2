"""Everything about one continuous VAE and its training."""

from __future__ import annotations

from dataclasses import dataclass

from distill.config.autoencoder import AutoencoderConfig
from distill.config.fields import number
from distill.config.training import TrainingConfig
from distill.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class VAEConfig(AutoencoderConfig):
    """Everything about one continuous VAE and its training.

    Example:
        >>> VAEConfig(latent_dim=16).step_rate_hz
        46.875
        >>> VAEConfig(kl_weight=-1)
        Traceback (most recent call last):
            ...
        distill.errors.ConfigError: kl_weight=-1: expected a number from 0 to 1000
    """

    latent_dim: int = number(32, 1, 1024)
    kl_weight: float = number(1e-3, 0.0, 1000.0)
    """What a nat of KL divergence, summed over the dimensions of a time step, costs."""
    kl_warmup: float = number(0.2, 0.0, 1.0)
    """Share of the budget over which the weight grows from nothing to `kl_weight`."""
    free_bits: float = number(0.05, 0.0, 100.0)
    """Nats that each dimension may use at no cost; they keep it from collapsing. How many then say
    something, on which sounds, `benchmarks/collapse.py` counts.
    """

    @property
    def encoder_channels(self) -> int:
        """A mean and a log-variance for each dimension."""
        return 2 * self.latent_dim

    @property
    def bottleneck_parameters(self) -> int:
        """Numbers in the statistics of the latents; see `LatentStatistics`."""
        return 2 * self.latent_dim**2 + self.latent_dim + 1

    @classmethod
    def of(cls, config: TrainingConfig) -> VAEConfig:
        """A plain `TrainingConfig` with this family's defaults for all that it does not say.

        Raises:
            ConfigError: settings of another family.
        """
        if isinstance(config, cls):
            return config
        if type(config) is not TrainingConfig:
            raise ConfigError(
                f"settings of type {type(config).__name__}: expected VAEConfig, or a plain "
                "TrainingConfig"
            )
        return cls(**config.to_dict())
