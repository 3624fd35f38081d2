from .health import (
    LatentHealth as LatentHealth,
)
from .health import (
    latent_health as latent_health,
)
from .health import (
    latent_sums as latent_sums,
)
from .health import (
    no_latent_sums as no_latent_sums,
)
from .latents import (
    Latents as Latents,
)
