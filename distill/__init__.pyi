from . import errors as errors
from .analysis.atlas.atlas import CodebookAtlas as CodebookAtlas
from .analysis.atlas.build import build_atlas as build_atlas
from .analysis.compare.comparison import compare as compare
from .analysis.compare.rate import rate_distortion as rate_distortion
from .analysis.latent.directions import principal_directions as principal_directions
from .analysis.library.library import ModelLibrary as ModelLibrary
from .analysis.library.remake import remake as remake
from .analysis.sound.code_sounds import CodeParts as CodeParts
from .analysis.sound.entry_sounds import entry_sound as entry_sound
from .audio.corpus import AudioCorpus as AudioCorpus
from .audio.demo import make_demo_corpus as make_demo_corpus
from .audio.distance import (
    mel_distance as mel_distance,
    stft_distance as stft_distance,
)
from .audio.io import (
    read_audio as read_audio,
    write_audio as write_audio,
)
from .audio.spectrogram import LogMel as LogMel
from .audio.vocoder import (
    GriffinLimVocoder as GriffinLimVocoder,
    Vocoder as Vocoder,
)
from .codebook.codes import Codes as Codes
from .codebook.health import (
    LevelHealth as LevelHealth,
    codebook_health as codebook_health,
)
from .config import (
    PriorConfig as PriorConfig,
    SpectrogramConfig as SpectrogramConfig,
    TrainingConfig as TrainingConfig,
    VAEConfig as VAEConfig,
    VQVAEConfig as VQVAEConfig,
    get_adaptive_config as get_adaptive_config,
    get_adaptive_prior_config as get_adaptive_prior_config,
    get_adaptive_vqvae_config as get_adaptive_vqvae_config,
)
from .errors import (
    AudioFileError as AudioFileError,
    CheckpointError as CheckpointError,
    CodesError as CodesError,
    ConfigError as ConfigError,
    CorpusError as CorpusError,
    DistillError as DistillError,
    LatentsError as LatentsError,
    ModelFileError as ModelFileError,
    OutputExistsError as OutputExistsError,
    PriorError as PriorError,
    RunFolderError as RunFolderError,
    TrainingError as TrainingError,
)
from .latent.latents import Latents as Latents
from .models.file.container import (
    SAVED_MODEL_VERSION as SAVED_MODEL_VERSION,
    SAVED_MODEL_VERSION_V2 as SAVED_MODEL_VERSION_V2,
)
from .models.file.info import read_model_info as read_model_info
from .models.file.persistence import (
    edit_metadata as edit_metadata,
    save_model as save_model,
    save_model_v2 as save_model_v2,
)
from .models.losses import (
    vae_loss as vae_loss,
    vqvae_loss as vqvae_loss,
)
from .models.prior.corpus import CodeCorpus as CodeCorpus
from .models.use.base import LoadedModel as LoadedModel
from .models.use.loaded import LoadedVQModel as LoadedVQModel
from .models.use.loaded_vae import LoadedVAE as LoadedVAE
from .models.use.loading import (
    load_model as load_model,
    load_model_v2 as load_model_v2,
)
from .models.vae.model import ConvVAE as ConvVAE
from .models.vqvae.model import ConvVQVAE as ConvVQVAE
from .models.vqvae.quantizer import QuantizerWrapper as QuantizerWrapper
from .training.fronts import (
    resume as resume,
    train as train,
    train_epoch as train_epoch,
    validate_epoch as validate_epoch,
)
from .training.prior import train_prior as train_prior
from .training.run.checkpoint import (
    load_checkpoint as load_checkpoint,
    load_vqvae_checkpoint as load_vqvae_checkpoint,
    save_checkpoint as save_checkpoint,
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
from .training.run.folder import RunFolder as RunFolder
from .training.runner import TrainingRunner as TrainingRunner
from .training.session.result import TrainingResult as TrainingResult
from .training.tasks.preview import (
    generate_reconstruction_preview as generate_reconstruction_preview,
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .training.vqvae import (
    resume_vqvae as resume_vqvae,
    train_vqvae as train_vqvae,
    train_vqvae_epoch as train_vqvae_epoch,
    validate_vqvae_epoch as validate_vqvae_epoch,
)
from .training.watch.event_lines import (
    CheckpointEvent as CheckpointEvent,
    EpochMetrics as EpochMetrics,
    Event as Event,
    MetricsCallback as MetricsCallback,
    PreviewEvent as PreviewEvent,
    ResumeEvent as ResumeEvent,
    StepMetrics as StepMetrics,
    TrainingCompleteEvent as TrainingCompleteEvent,
    TrainingFailedEvent as TrainingFailedEvent,
    VQEpochMetrics as VQEpochMetrics,
    VQStepMetrics as VQStepMetrics,
    WarningEvent as WarningEvent,
)
from .training.watch.history import (
    MetricsHistory as MetricsHistory,
    VQMetricsHistory as VQMetricsHistory,
)
