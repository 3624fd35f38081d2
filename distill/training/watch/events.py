"""What training reports to those who watch: frozen events of numbers, strings and tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from distill.codebook.health import LevelHealth


@dataclass(frozen=True)
class StepMetrics:
    """One optimiser step of a run of any family."""

    family: str
    """As `vae`."""
    epoch: int
    step: int
    """Steps done before this one, over the whole run."""
    loss: float
    parts: Mapping[str, float]
    """What the loss consists of, by name."""
    learning_rate: float
    gradient_norm: float
    progress: float
    """Share of the budget used, 0 to 1."""
    elapsed_s: float
    """Training time so far, over all sessions of the run."""
    health: tuple[Any, ...] = ()
    """Since the last report, in the family's own words; empty on most steps."""


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch, validated, of a run of any family."""

    family: str
    epoch: int
    step: int
    """Steps done, over the whole run."""
    train_loss: float
    train_parts: Mapping[str, float]
    val_loss: float
    val_parts: Mapping[str, float]
    is_best: bool
    progress: float
    elapsed_s: float
    skipped_steps: int = 0
    """Steps left out in this epoch because of NaN or Inf."""
    health: tuple[Any, ...] = ()
    """Over the whole validation set, and the epoch's training where the family says so."""


@dataclass(frozen=True)
class VQStepMetrics:
    """One optimiser step."""

    epoch: int
    step: int
    """Steps done before this one, over the whole run."""
    loss: float
    reconstruction: float
    commitment: float
    learning_rate: float
    gradient_norm: float
    progress: float
    """Share of the budget used, 0 to 1."""
    elapsed_s: float
    """Training time so far, over all sessions of the run."""
    health: tuple[LevelHealth, ...] = ()
    """Over the codes since the last report; empty on most steps."""

    @property
    def parts(self) -> dict[str, float]:
        """What the loss consists of, by name; see `StepMetrics`."""
        return {"reconstruction": self.reconstruction, "commitment": self.commitment}


@dataclass(frozen=True)
class VQEpochMetrics:
    """One epoch, validated."""

    epoch: int
    step: int
    """Steps done, over the whole run."""
    train_loss: float
    train_reconstruction: float
    train_commitment: float
    val_loss: float
    val_reconstruction: float
    val_commitment: float
    is_best: bool
    progress: float
    elapsed_s: float
    skipped_steps: int = 0
    """Steps left out in this epoch because of NaN or Inf."""
    health: tuple[LevelHealth, ...] = ()
    """Over the whole validation set or the epoch's training, whichever has more codes, the other
    beside it; churn over the epoch.
    """

    @property
    def train_parts(self) -> dict[str, float]:
        """What the training loss consists of, by name; see `EpochMetrics`."""
        return {"reconstruction": self.train_reconstruction, "commitment": self.train_commitment}

    @property
    def val_parts(self) -> dict[str, float]:
        """What the validation loss consists of, by name."""
        return {"reconstruction": self.val_reconstruction, "commitment": self.val_commitment}


@dataclass(frozen=True)
class PreviewPair:
    """A sound and what the model makes of it, as files."""

    name: str
    seconds: float
    original: str
    """Path relative to the run folder."""
    reconstruction: str
    mel: float | None = None
    """`mel_distance` of the two; None where none was measured, as in runs of older versions."""
    stft: float | None = None
    """`stft_distance` of the two."""
    mel_floor: float | None = None
    """What is left of `mel` where the model makes no error: of the original's own spectrogram,
    made sound in the same way."""
    stft_floor: float | None = None
    """The same of `stft`."""


@dataclass(frozen=True)
class PreviewEvent:
    """Sounds to listen to."""

    epoch: int
    step: int
    folder: str
    """Relative to the run folder."""
    pairs: tuple[PreviewPair, ...]


@dataclass(frozen=True)
class CheckpointEvent:
    """The run can be resumed from here."""

    epoch: int
    step: int
    path: str
    """Relative to the run folder."""
    is_best: bool


@dataclass(frozen=True)
class ResumeEvent:
    """A run was resumed from a checkpoint; what came after that was forgotten and is done again."""

    epoch: int
    step: int
    session: int
    """Counts how often the run was started or resumed, from 1."""


@dataclass(frozen=True)
class WarningEvent:
    """Something a person should know, in plain words."""

    epoch: int
    step: int
    kind: str
    """utilization, non_finite, overfitting, callback, disk, corpus, checkpoint, events, versions or
    another of a later version."""
    message: str
    level: int | None = None


@dataclass(frozen=True)
class TrainingCompleteEvent:
    """The end of a run that has a model."""

    reason: str
    """max_epochs, max_steps, max_seconds or stopped."""
    model_path: str
    """Relative to the run folder."""
    best_epoch: int
    best_val_loss: float
    epochs: int
    steps: int
    elapsed_s: float


@dataclass(frozen=True)
class TrainingFailedEvent:
    """The end of a run that broke."""

    error: str
    message: str
    model_path: str | None = None
    """The last good weights, where there were any."""


Event = (
    VQStepMetrics
    | VQEpochMetrics
    | StepMetrics
    | EpochMetrics
    | PreviewEvent
    | CheckpointEvent
    | ResumeEvent
    | WarningEvent
    | TrainingCompleteEvent
    | TrainingFailedEvent
)
EVENT_CLASSES: tuple[type[Event], ...] = get_args(Event)
STEPS = (StepMetrics, VQStepMetrics)
"""Events of optimiser steps."""
EPOCHS = (EpochMetrics, VQEpochMetrics)
MetricsCallback = Callable[[Event], None]
"""What training calls with every event, in order."""
