"""TrainingResult: what a run left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.models.use.loading import load_model
from distill.training.watch.event_lines import TrainingCompleteEvent
from distill.training.watch.history import MetricsHistory


@dataclass(frozen=True)
class TrainingResult:
    """What a run left behind."""

    model_path: Path
    reason: str
    """What ended it: max_epochs, max_steps, max_seconds or stopped; finished, where the event that
    says so was lost."""
    best_epoch: int
    best_val_loss: float
    epochs: int
    steps: int
    elapsed_s: float
    history: MetricsHistory

    def load(self) -> Any:
        """The trained model, ready to use: of an RVQ-VAE a `LoadedVQModel`."""
        return load_model(self.model_path)

    @classmethod
    def of(
        cls, model_path: Path, event: TrainingCompleteEvent, history: MetricsHistory
    ) -> TrainingResult:
        """The result that a run's last event reports."""
        return cls(
            model_path=model_path,
            reason=event.reason,
            best_epoch=event.best_epoch,
            best_val_loss=event.best_val_loss,
            epochs=event.epochs,
            steps=event.steps,
            elapsed_s=event.elapsed_s,
            history=history,
        )
