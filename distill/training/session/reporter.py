"""RunReporter: what the engine reports, as events, previews and checkpoints; what people request,
as answers to the engine.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from distill.family import Family, family_of
from distill.training.engine.engine import STOPPED, STOPPED_NOW, Engine, Reporter
from distill.training.engine.task import Task
from distill.training.engine.totals import EpochResult, StepResult
from distill.training.run import states
from distill.training.run.checkpoint import write_checkpoint
from distill.training.run.layout import CHECKPOINTS, PREVIEWS
from distill.training.run.writer import RunWriter
from distill.training.session.monitor import Monitor
from distill.training.session.run_log import RunLog
from distill.training.session.watches import HealthWatch, OverfitWatch
from distill.training.watch.event_lines import (
    CheckpointEvent,
    EpochMetrics,
    MetricsCallback,
    PreviewEvent,
    ResumeEvent,
    StepMetrics,
    WarningEvent,
)
from distill.training.watch.history import history_of

_PAUSE_POLL_S = 0.5


class RunReporter(Reporter):
    """Writes a run: its events, previews and checkpoints; pauses and stops when asked.

    Args:
        task: what is learned.
        folder: of the run, held by the caller.
        monitor: says what is requested.
        callback: gets every event.
        save_model: writes the best weights so far.
        write_weights: writes the weights of this moment, for the request of a serial number.
    """

    def __init__(
        self,
        task: Task,
        folder: RunWriter,
        monitor: Monitor,
        *,
        callback: MetricsCallback | None,
        save_model: Callable[[Engine], None],
        write_weights: Callable[[Engine, int], None],
    ) -> None:
        config = task.config
        self._kind: Family = family_of(config)
        self.log = RunLog(history_of(self._kind), folder, callback)
        self.history = self.log.history
        self.best_health: tuple[Any, ...] = ()
        self._config, self._folder, self._monitor = config, folder, monitor
        self._save_model, self._write_weights = save_model, write_weights
        self._health = HealthWatch(
            self._kind, task.nothing_observed(), every_steps=config.health_every_steps
        )
        self._overfit = OverfitWatch()
        self._previews_made = self._saves_made = self._weights_written = 0
        self._last_checkpoint = time.monotonic()
        name = self._kind.name
        self._step_event = self._kind.step_event or functools.partial(StepMetrics, name)
        self._epoch_event = self._kind.epoch_event or functools.partial(EpochMetrics, name)

    def between_steps(self, engine: Engine) -> str | None:
        """See `Reporter`.

        Raises:
            RunLostError: the run folder was moved, deleted or taken away.
        """
        self._monitor.move(engine.epoch, engine.step)
        self._monitor.look()
        self.refuse_if_lost(engine)
        self._answer_requests(engine)
        if self._monitor.wants_pause:
            self._wait_out_pause(engine)
        if self._monitor.wants_stop:
            self._monitor.enter(states.STOPPING)
            return STOPPED_NOW if self._monitor.wants_stop_now else STOPPED
        if time.monotonic() - self._last_checkpoint >= self._config.checkpoint_every_s:
            self.checkpoint(engine)
        return None

    def must_end_now(self) -> bool:
        """See `Reporter`."""
        return self._monitor.wants_stop_now or self._monitor.lost is not None

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """See `Reporter`."""
        self.log.emit(
            self._step_event(
                epoch=engine.epoch,
                step=engine.step,
                loss=result.loss,
                parts=self._parts(result.parts),
                learning_rate=rate,
                gradient_norm=result.gradient_norm,
                progress=engine.progress,
                elapsed_s=engine.elapsed_s,
                health=self._health.step(result.observed, engine.step),
            )
        )

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """See `Reporter`."""
        message = f"step {engine.step + 1} was left out: {reason}"
        self.log.emit(WarningEvent(engine.epoch, engine.step, "non_finite", message))

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """See `Reporter`."""
        health = self._health.epoch(training, validation, engine.steps_per_epoch)
        if is_best:
            self.best_health = health
        self.log.emit(
            self._epoch_event(
                epoch=engine.epoch,
                step=engine.step,
                train_loss=training.loss,
                train_parts=self._parts(training.parts),
                val_loss=validation.loss,
                val_parts=self._parts(validation.parts),
                is_best=is_best,
                progress=engine.progress,
                elapsed_s=engine.elapsed_s,
                skipped_steps=training.skipped,
                health=health,
            )
        )
        for warning in (
            *self._health.warnings(health, engine.epoch, engine.step),
            *self._overfit.warnings(self.history, engine.epoch, engine.step),
        ):
            self.log.emit(warning)
        every = self._config.preview_every_epochs
        if every and (engine.epoch + 1) % every == 0:
            self.preview(engine, engine.epoch)

    def last_moment(self, engine: Engine) -> None:
        """See `Reporter`."""
        self.checkpoint(engine)

    def preview(self, engine: Engine, epoch: int, folder: str | None = None) -> None:
        """Makes sounds to listen to from the weights as they are, those of `epoch`."""
        # People count from 1: epoch-0010 is the tenth.
        name = f"{PREVIEWS}/{folder or f'epoch-{epoch + 1:04}'}"
        if any(event.folder == name for event in self.history.previews):
            return
        with self.log.disk("previews"):
            pairs = engine.task.preview(self._folder.files, name)
            self.log.emit(PreviewEvent(epoch, engine.step, name, pairs))

    def checkpoint(self, engine: Engine) -> None:
        """Saves this moment between two steps, once."""
        done = self.history.checkpoints
        if done and (done[-1].step, done[-1].epoch) == (engine.step, engine.epoch):
            return
        last = self.history.epochs[-1] if self.history.epochs else None
        with self.log.disk("a checkpoint"):
            events_bytes = self._folder.sync_events()
            name = write_checkpoint(
                self._folder.files,
                CHECKPOINTS,
                {
                    "family": self._kind.name,
                    **engine.state_dict(),
                    "reporter": self._state_dict(),
                    "events_bytes": events_bytes,
                    "processes": engine.fabric.world_size,
                },
                step=engine.step,
                val_loss=last.val_loss if last else float("inf"),
                keep=self._config.checkpoints_kept,
            )
            is_best = bool(last and last.is_best)
            self.log.emit(CheckpointEvent(engine.epoch, engine.step, name, is_best))
        self._last_checkpoint = time.monotonic()

    def resume(self, state: dict[str, Any], engine: Engine) -> None:
        """Resumes a run: with the events so far, and what `checkpoint` saved of this reporter."""
        self.log.read_again()
        self._health.load_state_dict(state["health"])
        self._overfit.load_state_dict(state["overfitting"])
        self.best_health = self.history.best.health if self.history.best else ()
        self._folder.forget_previews({event.folder for event in self.history.previews})
        self.log.emit(ResumeEvent(engine.epoch, engine.step, self._folder.session))

    def refuse_if_lost(self, engine: Engine) -> None:
        """Ends a run whose folder was moved, after a checkpoint at its new place, or is gone.

        Raises:
            RunLostError: says which.
        """
        if lost := self._monitor.lost:
            if self._folder.files.is_in_place:  # moved: nothing of what was learned is lost
                self.checkpoint(engine)
            raise lost

    def _state_dict(self) -> dict[str, Any]:
        return {"health": self._health.state_dict(), "overfitting": self._overfit.state_dict()}

    def _parts(self, found: Mapping[str, float]) -> dict[str, float]:
        return {name: found.get(name, math.nan) for name in self._kind.loss_parts}

    def _answer_requests(self, engine: Engine) -> None:
        requested = self._monitor.control
        # Fewer than before: control.json was damaged and its counters began anew.
        made, self._previews_made = self._previews_made, requested.previews
        if requested.previews not in (made, 0):
            self.preview(engine, engine.epoch, f"step-{engine.step:06}")
        made, self._saves_made = self._saves_made, requested.saves
        if requested.saves not in (made, 0):
            self.checkpoint(engine)
            if engine.best_weights:
                with self.log.disk("the model"):
                    self._save_model(engine)
        written, self._weights_written = self._weights_written, requested.weights
        if requested.weights not in (written, 0):
            with self.log.disk("the weights of this moment"):
                self._write_weights(engine, requested.serial)

    def _wait_out_pause(self, engine: Engine) -> None:
        if not self._monitor.enter(states.PAUSED):
            return
        self.checkpoint(engine)
        with engine.clock_stopped():
            while self._monitor.wants_pause and not self._monitor.lost:
                self._monitor.wait_for_change(_PAUSE_POLL_S)
                self._answer_requests(engine)
        self.refuse_if_lost(engine)
        if not self._monitor.wants_stop:
            self._monitor.enter(states.RUNNING)
