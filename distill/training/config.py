"""The configs under the name they had in the first version; see `distill.config`."""

from __future__ import annotations

from distill.config import (
    SpectrogramConfig,
    TrainingConfig,
    VQVAEConfig,
    get_adaptive_vqvae_config,
)

__all__ = ["SpectrogramConfig", "TrainingConfig", "VQVAEConfig", "get_adaptive_vqvae_config"]
