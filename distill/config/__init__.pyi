from .adaptive import (
    get_adaptive_config as get_adaptive_config,
    get_adaptive_prior_config as get_adaptive_prior_config,
    get_adaptive_vqvae_config as get_adaptive_vqvae_config,
)
from .autoencoder import MOST_PARAMETERS as MOST_PARAMETERS, AutoencoderConfig as AutoencoderConfig
from .fields import unknown_field as unknown_field
from .prior import MOST_COPIES as MOST_COPIES, PriorConfig as PriorConfig
from .spectrogram import MOST_OVERLAP as MOST_OVERLAP, SpectrogramConfig as SpectrogramConfig
from .training import DEFAULT_BUDGET_S as DEFAULT_BUDGET_S, TrainingConfig as TrainingConfig
from .vae import VAEConfig as VAEConfig
from .vqvae import VQVAEConfig as VQVAEConfig
