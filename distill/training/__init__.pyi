from .config import (
    SpectrogramConfig as SpectrogramConfig,
)
from .config import (
    TrainingConfig as TrainingConfig,
)
from .config import (
    VQVAEConfig as VQVAEConfig,
)
from .config import (
    get_adaptive_vqvae_config as get_adaptive_vqvae_config,
)
from .engine.totals import (
    EpochResult as EpochResult,
)
from .fronts import resume as resume
from .fronts import train as train
from .fronts import train_epoch as train_epoch
from .fronts import validate_epoch as validate_epoch
from .run.checkpoint import load_checkpoint as load_checkpoint
from .run.checkpoint import (
    load_vqvae_checkpoint as load_vqvae_checkpoint,
)
from .run.checkpoint import save_checkpoint as save_checkpoint
from .run.checkpoint import (
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
from .run.folder import (
    RunFolder as RunFolder,
)
from .run.runs import (
    RunInfo as RunInfo,
)
from .run.runs import (
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
)
from .tasks.preview import (
    generate_reconstruction_preview as generate_reconstruction_preview,
)
from .tasks.preview import (
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .vqvae import (
    resume_vqvae as resume_vqvae,
)
from .vqvae import (
    train_vqvae as train_vqvae,
)
from .vqvae import (
    train_vqvae_epoch as train_vqvae_epoch,
)
from .vqvae import (
    validate_vqvae_epoch as validate_vqvae_epoch,
)
from .watch.event_lines import (
    CheckpointEvent as CheckpointEvent,
)
from .watch.event_lines import EpochMetrics as EpochMetrics
from .watch.event_lines import (
    Event as Event,
)
from .watch.event_lines import (
    MetricsCallback as MetricsCallback,
)
from .watch.event_lines import (
    PreviewEvent as PreviewEvent,
)
from .watch.event_lines import (
    PreviewPair as PreviewPair,
)
from .watch.event_lines import (
    ResumeEvent as ResumeEvent,
)
from .watch.event_lines import StepMetrics as StepMetrics
from .watch.event_lines import (
    TrainingCompleteEvent as TrainingCompleteEvent,
)
from .watch.event_lines import (
    TrainingFailedEvent as TrainingFailedEvent,
)
from .watch.event_lines import (
    VQEpochMetrics as VQEpochMetrics,
)
from .watch.event_lines import (
    VQStepMetrics as VQStepMetrics,
)
from .watch.event_lines import (
    WarningEvent as WarningEvent,
)
from .watch.history import MetricsHistory as MetricsHistory
from .watch.history import (
    VQMetricsHistory as VQMetricsHistory,
)
