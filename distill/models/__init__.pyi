from .file.container import (
    SAVED_MODEL_VERSION as SAVED_MODEL_VERSION,
    SAVED_MODEL_VERSION_V2 as SAVED_MODEL_VERSION_V2,
)
from .file.info import (
    ModelInfo as ModelInfo,
    read_model_info as read_model_info,
)
from .file.persistence import (
    edit_metadata as edit_metadata,
    save_model as save_model,
    save_model_v2 as save_model_v2,
)
from .losses import (
    annealed as annealed,
    multi_resolution_l1 as multi_resolution_l1,
    vae_loss as vae_loss,
    vqvae_loss as vqvae_loss,
)
from .use.base import LoadedModel as LoadedModel
from .use.loaded import (
    LoadedVQModel as LoadedVQModel,
)
from .use.loaded_vae import LoadedVAE as LoadedVAE
from .use.loading import load_model as load_model, load_model_v2 as load_model_v2
from .vae.model import (
    ConvVAE as ConvVAE,
)
from .vqvae.model import (
    ConvVQVAE as ConvVQVAE,
)
from .vqvae.quantizer import (
    QuantizerOutput as QuantizerOutput,
    QuantizerWrapper as QuantizerWrapper,
)
