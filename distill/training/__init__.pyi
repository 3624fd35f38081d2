from .config import (
    SpectrogramConfig as SpectrogramConfig,
    TrainingConfig as TrainingConfig,
    VQVAEConfig as VQVAEConfig,
    get_adaptive_vqvae_config as get_adaptive_vqvae_config,
)
from .engine.totals import (
    EpochResult as EpochResult,
)
from .fronts import (
    resume as resume,
    train as train,
    train_epoch as train_epoch,
    validate_epoch as validate_epoch,
)
from .run.checkpoint import (
    load_checkpoint as load_checkpoint,
    load_vqvae_checkpoint as load_vqvae_checkpoint,
    save_checkpoint as save_checkpoint,
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
from .run.folder import (
    RunFolder as RunFolder,
)
from .run.runs import (
    RunInfo as RunInfo,
    RunList as RunList,
)
from .run.status import (
    RunStatus as RunStatus,
)
from .runner import (
    TrainingRunner as TrainingRunner,
)
from .session.result import (
    TrainingResult as TrainingResult,
)
from .tasks.preview import (
    PreviewSound as PreviewSound,
    generate_reconstruction_preview as generate_reconstruction_preview,
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .vqvae import (
    resume_vqvae as resume_vqvae,
    train_vqvae as train_vqvae,
    train_vqvae_epoch as train_vqvae_epoch,
    validate_vqvae_epoch as validate_vqvae_epoch,
)
from .watch.event_lines import (
    CheckpointEvent as CheckpointEvent,
    EpochMetrics as EpochMetrics,
    Event as Event,
    MetricsCallback as MetricsCallback,
    PreviewEvent as PreviewEvent,
    PreviewPair as PreviewPair,
    ResumeEvent as ResumeEvent,
    StepMetrics as StepMetrics,
    TrainingCompleteEvent as TrainingCompleteEvent,
    TrainingFailedEvent as TrainingFailedEvent,
    VQEpochMetrics as VQEpochMetrics,
    VQStepMetrics as VQStepMetrics,
    WarningEvent as WarningEvent,
)
from .watch.history import (
    MetricsHistory as MetricsHistory,
    VQMetricsHistory as VQMetricsHistory,
)
