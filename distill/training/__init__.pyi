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
from .engine.loop import (
    EpochResult as EpochResult,
)
from .run.checkpoint import (
    load_vqvae_checkpoint as load_vqvae_checkpoint,
)
from .run.checkpoint import (
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
from .run.folder import (
    RunFolder as RunFolder,
)
from .run.folder import (
    RunStatus as RunStatus,
)
from .run.runs import (
    RunInfo as RunInfo,
)
from .run.runs import (
    RunList as RunList,
)
from .runner import (
    TrainingRunner as TrainingRunner,
)
from .session.preview import (
    PreviewSound as PreviewSound,
)
from .session.preview import (
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .session.result import (
    TrainingResult as TrainingResult,
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
from .watch.history import (
    VQMetricsHistory as VQMetricsHistory,
)
