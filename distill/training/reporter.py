"""VQReporter: what the engine tells, as events, run folder, previews, checkpoints, warnings."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

import torch

from distill.audio.spectrogram import LogMel
from distill.audio.vocoder import Vocoder
from distill.codebook.health import LevelHealth, codebook_health, count_codes
from distill.config import VQVAEConfig
from distill.errors import AudioFileError
from distill.training.checkpoint import save_vqvae_checkpoint
from distill.training.engine import Engine
from distill.training.history import VQMetricsHistory
from distill.training.loop import EpochResult, StepResult
from distill.training.metrics import (
    CheckpointEvent,
    Event,
    MetricsCallback,
    PreviewEvent,
    VQEpochMetrics,
    VQStepMetrics,
    WarningEvent,
    call_back,
)
from distill.training.preview import (
    PreviewSound,
    generate_vqvae_reconstruction_preview,
    preview_folder_name,
)
from distill.training.run_folder import RunWriter

_log = logging.getLogger(__name__)


class VQReporter:
    """A `Reporter` for vector-quantized models. A full disk or a broken callback costs messages,
    never the training.
    """

    def __init__(
        self,
        config: VQVAEConfig,
        folder: RunWriter,
        *,
        callback: MetricsCallback | None,
        log_mel: LogMel,
        vocoder: Vocoder,
        preview_sounds: list[PreviewSound],
    ) -> None:
        self.history = VQMetricsHistory()
        self.best_health: tuple[LevelHealth, ...] = ()
        self._config, self._folder, self._callback = config, folder, callback
        self._log_mel, self._vocoder, self._preview_sounds = log_mel, vocoder, preview_sounds
        self._window = torch.zeros(config.levels, config.codebook_size, dtype=torch.int64)
        self._window_replaced = (0,) * config.levels
        self._window_steps = 0
        self._thin_levels: set[int] = set()
        self._last_checkpoint = time.monotonic()
        self._disk_complained = False
        self._overfitting_told = False

    def emit(self, event: Event) -> None:
        """Sends an event to the history, the run folder and the callback, in this order."""
        self.history.update(event)
        with self._disk("the events of the run", event):
            self._folder.append(event)
        if error := call_back(self._callback, event):
            self._callback = None
            self._warn(
                event,
                "callback",
                f"a callback raised {type(error).__name__}: {error}; "
                "it is not called any more, training goes on",
            )

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
                progress=engine.progress(),
                elapsed_s=engine.elapsed_s,
                health=health,
            )
        )
        self.status("running", engine, now=False)

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
                progress=engine.progress(),
                elapsed_s=engine.elapsed_s,
                skipped_steps=training.skipped,
                health=health,
            )
        )
        self._advise(engine, health)
        every = self._config.preview_every_epochs
        if every and (engine.epoch + 1) % every == 0:
            self.preview(engine, engine.epoch)
        self.status("running", engine)

    def preview(self, engine: Engine, epoch: int) -> None:
        """Makes sounds to listen to from the weights as they are, those of `epoch`."""
        if any(preview.epoch == epoch for preview in self.history.previews):
            return
        with self._disk("previews"):
            pairs = generate_vqvae_reconstruction_preview(
                engine.inner,
                self._preview_sounds,
                self._folder.previews / preview_folder_name(epoch),
                log_mel=self._log_mel,
                vocoder=self._vocoder,
            )
            self.emit(PreviewEvent(epoch, engine.step, pairs))

    def between_epochs(self, engine: Engine) -> None:
        """See `Reporter`."""
        waited = time.monotonic() - self._last_checkpoint
        if engine.epoch == 1 or waited >= self._config.checkpoint_every_s:
            self.checkpoint(engine)

    def checkpoint(self, engine: Engine) -> None:
        """Saves a moment the run can go on from, once."""
        last = self.history.epochs[-1]
        if self.history.checkpoints and self.history.checkpoints[-1].step == engine.step:
            return
        with self._disk("a checkpoint"):
            state = {**engine.state_dict(), "events_bytes": self._folder.sync_events()}
            path = save_vqvae_checkpoint(
                self._folder.checkpoints,
                state,
                step=engine.step,
                val_loss=last.val_loss,
                keep=self._config.checkpoints_kept,
            )
            relative = path.relative_to(self._folder.path).as_posix()
            self.emit(CheckpointEvent(last.epoch, engine.step, relative, last.is_best))
        self._last_checkpoint = time.monotonic()

    def status(self, state: str, engine: Engine | None = None, *, now: bool = True) -> None:
        """Says where the run is."""
        epoch, step = (engine.epoch, engine.step) if engine else (0, 0)
        with self._disk("the status of the run"):
            self._folder.write_status(state, epoch, step, now=now)

    def _window_health(self, engine: Engine) -> tuple[LevelHealth, ...]:
        replaced = engine.inner.replaced_entries
        pairs = zip(replaced, self._window_replaced, strict=True)
        churn = [(now - before) / self._window_steps for now, before in pairs]
        health = codebook_health(self._window, churn)
        self._window.zero_()
        self._window_replaced, self._window_steps = replaced, 0
        return health

    def _advise(self, engine: Engine, health: tuple[LevelHealth, ...]) -> None:
        """Warns once when a level becomes thin, again only after it recovered."""
        thin = {level.level for level in health if level.verdict != "healthy"}
        if engine.epoch > 0:
            for level in sorted(thin - self._thin_levels):
                advice = health[level].advice
                self.emit(WarningEvent(engine.epoch, engine.step, "utilization", advice, level))
            self._thin_levels = thin
        if self.history.overfitting and not self._overfitting_told:
            self._overfitting_told = True
            best = self.history.best_epoch or 0
            self.emit(
                WarningEvent(
                    engine.epoch,
                    engine.step,
                    "overfitting",
                    f"validation has not improved since epoch {best + 1} while training has: the "
                    "model learns these files by heart; its best weights are kept",
                )
            )

    @contextlib.contextmanager
    def _disk(self, what: str, event: Event | None = None) -> Iterator[None]:
        try:
            yield
        except (OSError, AudioFileError) as error:
            _log.warning("could not write %s: %s", what, error)
            if self._disk_complained:
                return
            self._disk_complained = True
            self._warn(
                event,
                "disk",
                f"could not write {what} in {self._folder.path} ({error}): "
                "training goes on, make room",
            )

    def _warn(self, about: Event | None, kind: str, message: str) -> None:
        last = about or self.history.last_step
        epoch, step = getattr(last, "epoch", 0), getattr(last, "step", 0)
        self.emit(WarningEvent(epoch, step, kind, message))
