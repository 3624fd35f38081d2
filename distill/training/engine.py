"""The engine: epochs until a budget ends or somebody asks it to stop.

It knows no model family. It keeps the best weights by validation and tells a `Reporter` what
happened; stopping is a return value, never an exception.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from distill.audio.segments import SegmentSampler
from distill.config import TrainingConfig
from distill.training.loop import (
    Batch,
    EpochResult,
    Learner,
    StepResult,
    run_epoch,
    unwrapped,
)
from distill.training.schedule import Budget, learning_rate

_LONGEST_EPOCH_STEPS = 500  # hours of sound still report, validate and save every minute
_KMEANS_SAMPLES_PER_ENTRY = 4
_FRAMES_PER_SAMPLE = 4  # at most, in the usual models: enough sound for k-means to choose from


class Reporter(Protocol):
    """Whoever wants to know. Called in the training thread."""

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """After every optimiser step."""

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """After a batch that was left out."""

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """After validation; `engine.epoch` is still this epoch's number."""

    def between_epochs(self, engine: Engine) -> None:
        """When `engine.state_dict()` holds a moment the run can go on from exactly."""


class Engine:
    """Repeats epochs until the budget ends or `should_stop` says so."""

    def __init__(
        self,
        model: nn.Module,
        config: TrainingConfig,
        *,
        fabric: Fabric,
        sampler: SegmentSampler,
        frames_of: Callable[[Tensor], Tensor],
        validation: Callable[[], Iterable[Batch]],
        training_samples: int,
        reporter: Reporter,
        should_stop: Callable[[], bool],
    ) -> None:
        """Args:
        model: an AudioModel on any device.
        config: budget, optimiser, epoch length.
        fabric: device and precision.
        sampler: training crops.
        frames_of: waveforms (batch, samples) to log-mel frames on the model's device.
        validation: starts another pass over the validation batches.
        training_samples: length of all training sounds; one epoch hears about that much.
        reporter: told what happens.
        should_stop: asked before every step.
        """
        self.config = config
        self.fabric = fabric
        self.sampler = sampler
        self.epoch = 0
        self.step = 0
        self.best_epoch = 0
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self._frames_of, self._validation = frames_of, validation
        self._reporter, self._should_stop = reporter, should_stop
        self._budget = Budget.of(config)
        optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=config.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=config.weight_decay,
        )
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self._learner = Learner(self.model, self.optimizer, fabric, config.gradient_clip)
        self._elapsed_before, self._started = 0.0, time.monotonic()
        heard = training_samples / (config.batch_size * max(1, sampler.segment_samples))
        self.steps_per_epoch = min(
            max(math.ceil(heard), config.min_steps_per_epoch),
            max(_LONGEST_EPOCH_STEPS, config.min_steps_per_epoch),
        )
        self._rate = 0.0
        self._first_step = 0  # of this epoch

    @property
    def inner(self) -> Any:
        """The model without Fabric's wrapping."""
        return unwrapped(self.model)

    @property
    def elapsed_s(self) -> float:
        """Training time over all sessions of the run."""
        return self._elapsed_before + time.monotonic() - self._started

    def progress(self, step_in_epoch: int = 0) -> float:
        """Share of the budget used, 0 to 1."""
        return self._budget.progress(
            epochs=self.epoch + step_in_epoch / self.steps_per_epoch,
            steps=self.step,
            seconds=self.elapsed_s,
        )

    def run(self) -> str:
        """Trains to the end; returns why it ended: a budget's name, or "stopped".

        Raises:
            TrainingError: ten steps in a row were not finite.

        """
        self._started = time.monotonic()
        if not self.best_weights:
            self._initialise()
        while True:
            self._first_step = self.step
            training = run_epoch(
                self.model,
                self._training_batches(),
                learner=self._learner,
                rate=self._next_rate,
                on_step=self._step_done,
                on_skip=lambda reason: self._reporter.step_skipped(self, reason),
            )
            if training.steps or not self.best_weights:
                self._validate(training)
            if reason := self._ended():
                return reason

    def state_dict(self) -> dict[str, Any]:
        """Everything `load_state_dict` needs to go on as if never stopped, at an epoch's end."""
        return {
            "model": self.inner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "sampler": self.sampler.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "epoch": self.epoch,
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken."""
        self.inner.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.load_state_dict(state["sampler"])
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda_rng"])
        self.epoch, self.step = state["epoch"], state["step"]
        self._elapsed_before = state["elapsed_s"]
        self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
        self.best_weights = state["best_weights"]

    def _initialise(self) -> None:
        shape = self.inner.codebook_shape
        size = self.config.batch_size
        if shape:
            samples = self.config.segment_frames / _FRAMES_PER_SAMPLE
            size = max(size, math.ceil(_KMEANS_SAMPLES_PER_ENTRY * shape[1] / samples))
        self.inner.initialise(self._frames_of(self.sampler.batch(size)))

    def _training_batches(self) -> Iterator[Batch]:
        for _ in range(self.steps_per_epoch):
            if self._ended():
                return
            yield self._frames_of(self.sampler.batch()), 1.0

    def _ended(self) -> str | None:
        if self._should_stop():
            return "stopped"
        return self._budget.ended(epochs=self.epoch, steps=self.step, seconds=self.elapsed_s)

    def _next_rate(self) -> float:
        progress = self.progress(self.step - self._first_step)
        self._rate = learning_rate(self.config, step=self.step, progress=progress)
        return self._rate

    def _step_done(self, result: StepResult) -> None:
        self._reporter.step_done(self, result, self._rate)
        self.step += 1

    def _validate(self, training: EpochResult) -> None:
        validation = run_epoch(self.model, self._validation())
        loss = validation.loss if math.isfinite(validation.loss) else math.inf
        is_best = loss < self.best_loss or not self.best_weights
        if is_best:
            self.best_epoch, self.best_loss = self.epoch, loss
            self.best_weights = {
                name: value.detach().to("cpu", copy=True)
                for name, value in self.inner.state_dict().items()
            }
        self._reporter.epoch_done(self, training, validation, is_best)
        self.epoch += 1
        self._reporter.between_epochs(self)
