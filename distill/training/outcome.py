"""How a run ended: what it left behind, or why it failed."""

from __future__ import annotations

import math

from distill.training.run import states
from distill.training.run.death_notice import FAILED, LOST, rebuilt, why_it_ended
from distill.training.run.folder import RunFolder
from distill.training.session.result import TrainingResult
from distill.training.trainers import Trainer
from distill.training.watch.event_lines import TrainingCompleteEvent, TrainingFailedEvent
from distill.training.watch.history import MetricsHistory


def result_of(folder: RunFolder, history: MetricsHistory) -> TrainingResult | None:
    """What a run left behind; None until it has ended well."""
    outcome = history.outcome
    if isinstance(outcome, TrainingCompleteEvent):
        return TrainingResult.of(folder.model_path, outcome, history)
    if outcome is None:
        return _result_without_its_event(folder, history)
    return None


def error_of(
    folder: RunFolder, history: MetricsHistory, trainer: Trainer | None
) -> BaseException | None:
    """What ended a run that is over; None where it ended well.

    Args:
        folder: of the run.
        history: all that it reported.
        trainer: what trained it last, where that was started here.
    """
    outcome = history.outcome
    if isinstance(outcome, TrainingFailedEvent):
        return rebuilt(outcome)
    if trainer is not None and trainer.error is not None:
        return trainer.error
    code = trainer.exit_code if trainer is not None else None
    if code not in (FAILED, LOST) and result_of(folder, history) is not None:
        return None  # else it ended well before, and could not be resumed
    return why_it_ended(folder, code, str(history.gaps or ""))


def _result_without_its_event(folder: RunFolder, history: MetricsHistory) -> TrainingResult | None:
    """What is left of a run that ended well, but whose log was damaged since."""
    status = folder.read_status()
    if status is None or status.state not in (states.FINISHED, states.STOPPED):
        return None
    return TrainingResult(
        model_path=folder.model_path,
        reason=status.state,
        best_epoch=history.best_epoch or 0,
        best_val_loss=history.best.val_loss if history.best else math.nan,
        epochs=status.epoch,
        steps=status.step,
        elapsed_s=history.elapsed_s,
        history=history,
    )
