from .analysis.atlas.atlas import (
    CodebookAtlas as CodebookAtlas,
)
from .analysis.atlas.build import (
    build_atlas as build_atlas,
)
from .analysis.compare.comparison import (
    Comparison as Comparison,
)
from .analysis.compare.comparison import (
    compare as compare,
)
from .analysis.compare.rate import (
    RateReport as RateReport,
)
from .analysis.compare.rate import (
    rate_distortion as rate_distortion,
)
from .analysis.latent.directions import (
    Direction as Direction,
)
from .analysis.latent.directions import (
    principal_directions as principal_directions,
)
from .analysis.library.library import (
    ModelLibrary as ModelLibrary,
)
from .analysis.sound.code_sounds import (
    CodeParts as CodeParts,
)
from .analysis.sound.entry_sounds import (
    entry_sound as entry_sound,
)
from .audio.corpus import (
    AudioCorpus as AudioCorpus,
)
from .audio.demo import (
    make_demo_corpus as make_demo_corpus,
)
from .audio.distance import (
    mel_distance as mel_distance,
)
from .audio.distance import (
    stft_distance as stft_distance,
)
from .audio.io import (
    read_audio as read_audio,
)
from .audio.io import (
    write_audio as write_audio,
)
from .audio.spectrogram import (
    LogMel as LogMel,
)
from .audio.vocoder import (
    GriffinLimVocoder as GriffinLimVocoder,
)
from .audio.vocoder import (
    Vocoder as Vocoder,
)
from .codebook.codes import (
    Codes as Codes,
)
from .codebook.health import (
    LevelHealth as LevelHealth,
)
from .codebook.health import (
    codebook_health as codebook_health,
)
from .codebook.labels import (
    level_labels as level_labels,
)
from .config import (
    SpectrogramConfig as SpectrogramConfig,
)
from .config import (
    TrainingConfig as TrainingConfig,
)
from .config import (
    VAEConfig as VAEConfig,
)
from .config import (
    VQVAEConfig as VQVAEConfig,
)
from .config import (
    get_adaptive_config as get_adaptive_config,
)
from .config import (
    get_adaptive_vqvae_config as get_adaptive_vqvae_config,
)
from .errors import (
    AtlasError as AtlasError,
)
from .errors import (
    AtlasFileError as AtlasFileError,
)
from .errors import (
    AtlasModelError as AtlasModelError,
)
from .errors import (
    AudioFileError as AudioFileError,
)
from .errors import (
    CheckpointError as CheckpointError,
)
from .errors import (
    CodesError as CodesError,
)
from .errors import (
    ComparisonError as ComparisonError,
)
from .errors import (
    ConfigError as ConfigError,
)
from .errors import (
    CorpusError as CorpusError,
)
from .errors import (
    CorruptModelError as CorruptModelError,
)
from .errors import (
    DistillError as DistillError,
)
from .errors import (
    LatentsError as LatentsError,
)
from .errors import (
    LibraryError as LibraryError,
)
from .errors import (
    MissingExtraError as MissingExtraError,
)
from .errors import (
    ModelFileError as ModelFileError,
)
from .errors import (
    ModelTypeError as ModelTypeError,
)
from .errors import (
    ModelVersionError as ModelVersionError,
)
from .errors import (
    NonFiniteError as NonFiniteError,
)
from .errors import (
    NotAModelError as NotAModelError,
)
from .errors import (
    NotEnoughMemoryError as NotEnoughMemoryError,
)
from .errors import (
    OutputExistsError as OutputExistsError,
)
from .errors import (
    OutsideDataError as OutsideDataError,
)
from .errors import (
    PartError as PartError,
)
from .errors import (
    RunFolderError as RunFolderError,
)
from .errors import (
    RunnerBusyError as RunnerBusyError,
)
from .errors import (
    ShapeError as ShapeError,
)
from .errors import (
    TrainingError as TrainingError,
)
from .errors import (
    UninitialisedError as UninitialisedError,
)
from .latent.health import (
    LatentHealth as LatentHealth,
)
from .latent.health import (
    latent_health as latent_health,
)
from .latent.latents import (
    Latents as Latents,
)
from .models.file.container import (
    SAVED_MODEL_VERSION as SAVED_MODEL_VERSION,
)
from .models.file.container import (
    SAVED_MODEL_VERSION_V2 as SAVED_MODEL_VERSION_V2,
)
from .models.file.info import (
    ModelInfo as ModelInfo,
)
from .models.file.info import (
    read_model_info as read_model_info,
)
from .models.file.persistence import (
    edit_metadata as edit_metadata,
)
from .models.file.persistence import save_model as save_model
from .models.file.persistence import (
    save_model_v2 as save_model_v2,
)
from .models.losses import (
    vae_loss as vae_loss,
)
from .models.losses import (
    vqvae_loss as vqvae_loss,
)
from .models.use.base import LoadedModel as LoadedModel
from .models.use.loaded import (
    LoadedVQModel as LoadedVQModel,
)
from .models.use.loaded_vae import LoadedVAE as LoadedVAE
from .models.use.loading import load_model as load_model
from .models.use.loading import load_model_v2 as load_model_v2
from .models.vae.model import (
    ConvVAE as ConvVAE,
)
from .models.vqvae.model import (
    ConvVQVAE as ConvVQVAE,
)
from .models.vqvae.quantizer import (
    QuantizerWrapper as QuantizerWrapper,
)
from .training.fronts import resume as resume
from .training.fronts import train as train
from .training.fronts import train_epoch as train_epoch
from .training.fronts import validate_epoch as validate_epoch
from .training.run.checkpoint import load_checkpoint as load_checkpoint
from .training.run.checkpoint import (
    load_vqvae_checkpoint as load_vqvae_checkpoint,
)
from .training.run.checkpoint import save_checkpoint as save_checkpoint
from .training.run.checkpoint import (
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
from .training.run.folder import (
    RunFolder as RunFolder,
)
from .training.runner import (
    TrainingRunner as TrainingRunner,
)
from .training.session.result import (
    TrainingResult as TrainingResult,
)
from .training.tasks.preview import (
    generate_reconstruction_preview as generate_reconstruction_preview,
)
from .training.tasks.preview import (
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .training.vqvae import (
    resume_vqvae as resume_vqvae,
)
from .training.vqvae import (
    train_vqvae as train_vqvae,
)
from .training.vqvae import (
    train_vqvae_epoch as train_vqvae_epoch,
)
from .training.vqvae import (
    validate_vqvae_epoch as validate_vqvae_epoch,
)
from .training.watch.event_lines import (
    CheckpointEvent as CheckpointEvent,
)
from .training.watch.event_lines import EpochMetrics as EpochMetrics
from .training.watch.event_lines import (
    Event as Event,
)
from .training.watch.event_lines import (
    MetricsCallback as MetricsCallback,
)
from .training.watch.event_lines import (
    PreviewEvent as PreviewEvent,
)
from .training.watch.event_lines import (
    ResumeEvent as ResumeEvent,
)
from .training.watch.event_lines import StepMetrics as StepMetrics
from .training.watch.event_lines import (
    TrainingCompleteEvent as TrainingCompleteEvent,
)
from .training.watch.event_lines import (
    TrainingFailedEvent as TrainingFailedEvent,
)
from .training.watch.event_lines import (
    VQEpochMetrics as VQEpochMetrics,
)
from .training.watch.event_lines import (
    VQStepMetrics as VQStepMetrics,
)
from .training.watch.event_lines import (
    WarningEvent as WarningEvent,
)
from .training.watch.history import MetricsHistory as MetricsHistory
from .training.watch.history import (
    VQMetricsHistory as VQMetricsHistory,
)
