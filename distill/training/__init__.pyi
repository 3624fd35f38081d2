from .checkpoint import (
    load_vqvae_checkpoint as load_vqvae_checkpoint,
)
from .checkpoint import (
    save_vqvae_checkpoint as save_vqvae_checkpoint,
)
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
from .history import (
    VQMetricsHistory as VQMetricsHistory,
)
from .loop import (
    EpochResult as EpochResult,
)
from .metrics import (
    CheckpointEvent as CheckpointEvent,
)
from .metrics import (
    Event as Event,
)
from .metrics import (
    MetricsCallback as MetricsCallback,
)
from .metrics import (
    PreviewEvent as PreviewEvent,
)
from .metrics import (
    PreviewPair as PreviewPair,
)
from .metrics import (
    ResumeEvent as ResumeEvent,
)
from .metrics import (
    TrainingCompleteEvent as TrainingCompleteEvent,
)
from .metrics import (
    TrainingFailedEvent as TrainingFailedEvent,
)
from .metrics import (
    VQEpochMetrics as VQEpochMetrics,
)
from .metrics import (
    VQStepMetrics as VQStepMetrics,
)
from .metrics import (
    WarningEvent as WarningEvent,
)
from .preview import (
    PreviewSound as PreviewSound,
)
from .preview import (
    generate_vqvae_reconstruction_preview as generate_vqvae_reconstruction_preview,
)
from .result import (
    TrainingResult as TrainingResult,
)
from .run_folder import (
    RunFolder as RunFolder,
)
from .run_folder import (
    RunStatus as RunStatus,
)
from .runner import (
    TrainingRunner as TrainingRunner,
)
from .runs import (
    RunInfo as RunInfo,
)
from .runs import (
    RunList as RunList,
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
