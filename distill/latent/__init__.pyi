from .health import (
    LatentHealth as LatentHealth,
    latent_health as latent_health,
    latent_sums as latent_sums,
    no_latent_sums as no_latent_sums,
)
from .latents import (
    Latents as Latents,
)
