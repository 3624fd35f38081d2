"""VQReporter: what the engine tells, as events, previews, checkpoints and warnings; what people
want, as answers to the engine.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.codebook.health import LevelHealth, codebook_health, count_codes
from distill.config import VQVAEConfig
from distill.errors import AudioFileError, ModelFileError
from distill.training.engine.engine import STOPPED, STOPPED_NOW, Engine, own
from distill.training.engine.loop import EpochResult, StepResult
from distill.training.run import states
from distill.training.run.checkpoint import save_checkpoint
from distill.training.run.layout import CHECKPOINTS, PREVIEWS
from distill.training.run.writer import RunWriter
from distill.training.session.monitor import Monitor
from distill.training.session.preview import PreviewSound, write_previews
from distill.training.watch.event_lines import (
    CheckpointEvent,
    Event,
    MetricsCallback,
    PreviewEvent,
    ResumeEvent,
    VQEpochMetrics,
    VQStepMetrics,
    WarningEvent,
    call_back,
)
from distill.training.watch.history import VQMetricsHistory

_log = logging.getLogger(__name__)
_PAUSE_LOOK_S = 0.5
_CHUNK_BYTES = 16 << 20


class VQReporter:
    """A `Reporter` for vector-quantized models. A full disk or a broken callback costs messages,
    never the training.
    """

    def __init__(
        self,
        config: VQVAEConfig,
        folder: RunWriter,
        monitor: Monitor,
        *,
        callback: MetricsCallback | None,
        log_mel: LogMel,
        vocoder: Vocoder,
        preview_sounds: list[PreviewSound],
        save_model: Callable[[Engine], None],
    ) -> None:
        self.history = VQMetricsHistory()
        self.best_health: tuple[LevelHealth, ...] = ()
        self._config, self._folder, self._monitor = config, folder, monitor
        self._callback, self._save_model = callback, save_model
        self._log_mel, self._vocoder, self._preview_sounds = log_mel, vocoder, preview_sounds
        self._window = torch.zeros(config.levels, config.codebook_size, dtype=torch.int64)
        self._window_replaced = [0] * config.levels
        self._window_steps = 0
        self._thin_levels: set[int] = set()
        self._told_overfitting = False
        self._told_disk: set[str] = set()
        self._previews_made = self._saves_made = 0
        self._last_checkpoint = time.monotonic()

    def emit(self, event: Event) -> None:
        """Sends an event to the history, the run folder and the callback, in this order."""
        self.history.update(event)
        with self._disk("the events of the run", event):
            self._folder.append(event)
        if error := call_back(self._callback, event):
            self._callback = None
            self._warn(
                "callback",
                f"a callback raised {type(error).__name__}: {error}; "
                "it is not called any more, training goes on",
                event,
            )

    def between_steps(self, engine: Engine) -> str | None:
        """See `Reporter`.

        Raises:
            RunLostError: the run folder was moved, deleted or taken away.
        """
        self._monitor.move(engine.epoch, engine.step)
        self.refuse_if_lost(engine)
        self._do_wishes(engine)
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
        if result.codes is not None:
            self._window += count_codes(result.codes, self._config.codebook_size).cpu()
        self._window_steps += 1
        health: tuple[LevelHealth, ...] = ()
        if (engine.step + 1) % self._config.health_every_steps == 0:
            health = self._window_health(engine)
        self.emit(
            VQStepMetrics(
                epoch=engine.epoch,
                step=engine.step,
                loss=result.loss,
                reconstruction=result.reconstruction,
                commitment=result.parts.get("commitment", result.penalty),
                learning_rate=rate,
                gradient_norm=result.gradient_norm,
                progress=engine.progress,
                elapsed_s=engine.elapsed_s,
                health=health,
            )
        )

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """See `Reporter`."""
        message = f"step {engine.step + 1} was left out: {reason}"
        self.emit(WarningEvent(engine.epoch, engine.step, "non_finite", message))

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """See `Reporter`."""
        churn = [count / max(1, training.steps) for count in training.replaced]
        health: tuple[LevelHealth, ...] = ()
        if validation.counts is not None:
            health = codebook_health(validation.counts, churn)
        if is_best:
            self.best_health = health
        self.emit(
            VQEpochMetrics(
                epoch=engine.epoch,
                step=engine.step,
                train_loss=training.loss,
                train_reconstruction=training.reconstruction,
                train_commitment=training.parts.get("commitment", training.penalty),
                val_loss=validation.loss,
                val_reconstruction=validation.reconstruction,
                val_commitment=validation.parts.get("commitment", validation.penalty),
                is_best=is_best,
                progress=engine.progress,
                elapsed_s=engine.elapsed_s,
                skipped_steps=training.skipped,
                health=health,
            )
        )
        self._advise(engine, health)
        every = self._config.preview_every_epochs
        if every and (engine.epoch + 1) % every == 0:
            self.preview(engine, engine.epoch)

    def last_moment(self, engine: Engine) -> None:
        """See `Reporter`."""
        self.checkpoint(engine)

    def preview(self, engine: Engine, epoch: int, folder: str | None = None) -> None:
        """Makes sounds to listen to from the weights as they are, those of `epoch`."""
        # People count from 1: epoch-0010 is the tenth.
        name = folder or f"epoch-{epoch + 1:04}"
        if any(event.folder == f"{PREVIEWS}/{name}" for event in self.history.previews):
            return
        with self._disk("previews"):
            pairs = write_previews(
                engine.inner,
                self._preview_sounds,
                self._folder.files,
                f"{PREVIEWS}/{name}",
                log_mel=self._log_mel,
                vocoder=self._vocoder,
            )
            self.emit(PreviewEvent(epoch, engine.step, f"{PREVIEWS}/{name}", pairs))

    def checkpoint(self, engine: Engine) -> None:
        """Saves this moment between two steps, once."""
        done = self.history.checkpoints
        if done and (done[-1].step, done[-1].epoch) == (engine.step, engine.epoch):
            return
        last = self.history.epochs[-1] if self.history.epochs else None
        with self._disk("a checkpoint"):
            events_bytes = self._folder.sync_events()
            name = save_checkpoint(
                self._folder.files,
                CHECKPOINTS,
                {
                    **engine.state_dict(),
                    "reporter": self._state(engine),
                    "events_bytes": events_bytes,
                },
                step=engine.step,
                val_loss=last.val_loss if last else float("inf"),
                keep=self._config.checkpoints_kept,
            )
            is_best = bool(last and last.is_best)
            self.emit(CheckpointEvent(engine.epoch, engine.step, name, is_best))
        self._last_checkpoint = time.monotonic()

    def go_on(self, state: dict[str, Any], engine: Engine) -> None:
        """Takes up a run: the events so far, and what `checkpoint` saved of this reporter."""
        offset = 0
        while True:
            lines, offset = self._folder.read_lines(offset, _CHUNK_BYTES)
            if not lines:
                break
            self.history.update_lines(lines)
        self._window = own(state["window"])
        self._window_steps = state["window_steps"]
        # The model counts from when it was made; what came before lies below zero.
        self._window_replaced = [-count for count in state["window_replaced"]]
        self._thin_levels = set(state["thin_levels"])
        self._told_overfitting = state["told_overfitting"]
        self.best_health = self.history.best.health if self.history.best else ()
        kept = {event.folder for event in self.history.previews}
        self._folder.forget_previews(kept)
        self.emit(ResumeEvent(engine.epoch, engine.step, self._folder.session))

    def warn(self, kind: str, message: str) -> None:
        """Tells a person something, in plain words."""
        self._warn(kind, message, self.history.last_step)

    def _state(self, engine: Engine) -> dict[str, Any]:
        return {
            "window": self._window.clone(),
            "window_steps": self._window_steps,
            "window_replaced": self._replaced_in_window(engine),
            "thin_levels": sorted(self._thin_levels),
            "told_overfitting": self._told_overfitting,
        }

    def _window_health(self, engine: Engine) -> tuple[LevelHealth, ...]:
        churn = [count / self._window_steps for count in self._replaced_in_window(engine)]
        health = codebook_health(self._window, churn)
        self._window.zero_()
        self._window_replaced, self._window_steps = list(engine.inner.replaced_entries), 0
        return health

    def _replaced_in_window(self, engine: Engine) -> list[int]:
        pairs = zip(engine.inner.replaced_entries, self._window_replaced, strict=True)
        return [now - before for now, before in pairs]

    def _do_wishes(self, engine: Engine) -> None:
        wishes = self._monitor.control
        # Fewer than before: control.json was damaged and its counters began anew.
        made, self._previews_made = self._previews_made, wishes.previews
        if wishes.previews not in (made, 0):
            self.preview(engine, engine.epoch, f"step-{engine.step:06}")
        made, self._saves_made = self._saves_made, wishes.saves
        if wishes.saves not in (made, 0):
            self.checkpoint(engine)
            if engine.best_weights:
                with self._disk("the model"):
                    self._save_model(engine)

    def _wait_out_pause(self, engine: Engine) -> None:
        if not self._monitor.enter(states.PAUSED):
            return
        self.checkpoint(engine)
        with engine.clock_stopped():
            while self._monitor.wants_pause and not self._monitor.lost:
                self._monitor.wait_for_change(_PAUSE_LOOK_S)
                self._do_wishes(engine)
        self.refuse_if_lost(engine)
        if not self._monitor.wants_stop:
            self._monitor.enter(states.RUNNING)

    def refuse_if_lost(self, engine: Engine) -> None:
        """Ends a run whose folder was moved, after a checkpoint at its new place, or is gone.

        Raises:
            RunLostError: says which.
        """
        if lost := self._monitor.lost:
            if self._folder.files.is_in_place:  # moved: nothing of what was learned is lost
                self.checkpoint(engine)
            raise lost

    def _advise(self, engine: Engine, health: tuple[LevelHealth, ...]) -> None:
        """Warns once when a level becomes thin, again only after it recovered."""
        thin = {level.level for level in health if level.verdict != "healthy"}
        if engine.epoch > 0:
            for level in sorted(thin - self._thin_levels):
                advice = health[level].advice
                self.emit(WarningEvent(engine.epoch, engine.step, "utilization", advice, level))
            self._thin_levels = thin
        if self.history.overfitting and not self._told_overfitting:
            self._told_overfitting = True
            best = self.history.best_epoch or 0
            message = (
                f"validation has not improved since epoch {best + 1} while training has: the "
                "model learns these files by heart; its best weights are kept"
            )
            self.emit(WarningEvent(engine.epoch, engine.step, "overfitting", message))

    @contextlib.contextmanager
    def _disk(self, what: str, event: Event | None = None) -> Iterator[None]:
        try:
            yield
        except (OSError, AudioFileError, ModelFileError) as error:
            _log.warning("could not write %s: %s", what, error)
            if what not in self._told_disk:
                self._told_disk.add(what)
                message = (
                    f"could not write {what} in {self._folder.path} ({error}): training goes on, "
                    "make room"
                )
                self._warn("disk", message, event)
        else:
            self._told_disk.discard(what)

    def _warn(self, kind: str, message: str, about: Event | None) -> None:
        epoch, step = getattr(about, "epoch", 0), getattr(about, "step", 0)
        self.emit(WarningEvent(epoch, step, kind, message))
