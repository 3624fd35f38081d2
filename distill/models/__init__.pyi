from .base import (
    AudioModel as AudioModel,
)
from .base import (
    ModelOutput as ModelOutput,
)
from .container import (
    SAVED_MODEL_VERSION_V2 as SAVED_MODEL_VERSION_V2,
)
from .loaded import (
    LoadedVQModel as LoadedVQModel,
)
from .losses import (
    multi_resolution_l1 as multi_resolution_l1,
)
from .losses import (
    vqvae_loss as vqvae_loss,
)
from .persistence import (
    ModelInfo as ModelInfo,
)
from .persistence import (
    edit_metadata as edit_metadata,
)
from .persistence import (
    load_model_v2 as load_model_v2,
)
from .persistence import (
    read_model_info as read_model_info,
)
from .persistence import (
    save_model_v2 as save_model_v2,
)
from .quantizer import (
    QuantizerOutput as QuantizerOutput,
)
from .quantizer import (
    QuantizerWrapper as QuantizerWrapper,
)
from .vqvae import (
    ConvVQVAE as ConvVQVAE,
)
