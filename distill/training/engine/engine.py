"""The engine: epochs until a budget ends or somebody asks it to stop.

It knows no model family. It keeps the best weights by validation and tells a `Reporter` what
happens; stopping is a return value, never an exception. Between any two steps its `state_dict` is
a moment the run can go on from exactly.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from distill.audio.segments import SegmentSampler
from distill.config import TrainingConfig
from distill.training.engine.loop import (
    Batch,
    EpochResult,
    EpochTotals,
    Learner,
    StepResult,
    run_epoch,
    unwrapped,
)
from distill.training.engine.schedule import Budget, learning_rate

STOPPED = "stopped"
STOPPED_NOW = "stopped-now"
_REASONS = (None, STOPPED, STOPPED_NOW, "max_epochs", "max_steps", "max_seconds")

_LONGEST_EPOCH_STEPS = 500  # hours of sound still report and validate every minute
_KMEANS_SAMPLES_PER_ENTRY = 4
_FRAMES_PER_SAMPLE = 4  # at most, in the usual models: enough sound for k-means to choose from
_MOST_KMEANS_SAMPLES = 2**25  # of sound, 128 MB: met by more than 4096 entries only


def own(tensor: Tensor) -> Tensor:
    """A copy in memory of its own, in the order of its dimensions: one that was read may share its
    numbers with another, or with itself.
    """
    return tensor.clone(memory_format=torch.contiguous_format)


class Reporter(Protocol):
    """Whoever wants to know, and to have a say. Called in the training thread."""

    def between_steps(self, engine: Engine) -> str | None:
        """Before every step, when `engine.state_dict()` is exact; may wait, save, and answer
        STOPPED (validate and keep) or STOPPED_NOW (keep what is best so far).
        """

    def must_end_now(self) -> bool:
        """Before every batch of a validation: whether the run has to end without the rest."""

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """After every optimiser step; `engine.step` is still this step's number."""

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """After a batch that was left out."""

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """After validation; `engine.epoch` is still this epoch's number."""

    def last_moment(self, engine: Engine) -> None:
        """When training is over and `engine.state_dict()` is where it would go on."""


class Engine:
    """Repeats epochs until the budget ends or its reporter says so."""

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
    ) -> None:
        """Args:
        model: an AudioModel on any device.
        config: budget, optimiser, epoch length.
        fabric: device, precision and number of processes.
        sampler: training crops.
        frames_of: waveforms (batch, samples) to log-mel frames on the model's device.
        validation: starts another pass over the validation batches.
        training_samples: length of all training sounds; one epoch hears about that much.
        reporter: told what happens.
        """
        self.config = config
        self.fabric = fabric
        self.sampler = sampler
        self.epoch = 0
        self.step = 0
        self.best_epoch = 0
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self._frames_of, self._validation, self._reporter = frames_of, validation, reporter
        self._budget = Budget.of(config)
        optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=config.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=config.weight_decay,
        )
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self._learner = Learner(self.model, self.optimizer, fabric, config.gradient_clip)
        heard = training_samples / (
            fabric.world_size * config.batch_size * max(1, sampler.segment_samples)
        )
        self.steps_per_epoch = min(
            max(math.ceil(heard), config.min_steps_per_epoch),
            max(_LONGEST_EPOCH_STEPS, config.min_steps_per_epoch),
        )
        self._elapsed_s = 0.0
        self._clock: float | None = None  # running since
        self._initialised = False
        self._batches_done = 0  # of this epoch, skipped ones included
        self._totals = EpochTotals(self.inner)
        self._reason: str | None = None
        self._cut_short = False
        self._rate = self._step_progress = 0.0

    @property
    def inner(self) -> Any:
        """The model without Fabric's wrapping."""
        return unwrapped(self.model)

    @property
    def elapsed_s(self) -> float:
        """Training time over all sessions of the run, without pauses."""
        running_s = 0.0 if self._clock is None else time.monotonic() - self._clock
        return self._elapsed_s + running_s

    @property
    def progress(self) -> float:
        """Share of the budget used, 0 to 1."""
        return self._budget.progress(
            epochs=self.epoch + self._batches_done / self.steps_per_epoch,
            steps=self.step,
            seconds=self.elapsed_s,
        )

    @property
    def weights_to_keep(self) -> dict[str, Tensor]:
        """The best by validation; before any validation, those there are."""
        return self.best_weights or self._weights()

    @contextlib.contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Time spent within does not count as training."""
        self._elapsed_s, self._clock = self.elapsed_s, None
        try:
            yield
        finally:
            self._clock = time.monotonic()

    def run(self) -> str:
        """Trains to the end; returns why it ended: a budget's name, or "stopped".

        Raises:
            TrainingError: ten steps in a row were not finite.
        """
        self._clock = time.monotonic()
        if not self._initialised:
            self._initialise()
        while True:
            training = run_epoch(
                self.model,
                self._training_batches(),
                learner=self._learner,
                totals=self._totals,
                rate=self._next_rate,
                combine=self._combine if self.fabric.world_size > 1 else None,
                on_step=self._step_done,
                on_skip=self._step_skipped,
            )
            ended_early = self._reason is not None
            if ended_early:  # to go on later is to go on in the middle of this epoch
                self._reporter.last_moment(self)
            if self._reason == STOPPED_NOW:
                self.best_weights = self.weights_to_keep
                return STOPPED
            if training.steps or not self.best_weights:
                if not self._validate(training):
                    if not ended_early:
                        self._reporter.last_moment(self)
                    self.best_weights = self.weights_to_keep
                    return STOPPED
                self.epoch += 1
            self._batches_done, self._totals = 0, EpochTotals(self.inner)
            if self._reason is None:
                self._reason = self._agreed(self._budget_ended())
            if self._reason:
                if not ended_early:
                    self._reporter.last_moment(self)
                return self._reason

    def state_dict(self) -> dict[str, Any]:
        """Everything `load_state_dict` needs to go on as if never stopped, between two steps."""
        return {
            "model": self.inner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "sampler": self.sampler.state_dict(),
            "totals": self._totals.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "epoch": self.epoch,
            "step": self.step,
            "batches_done": self._batches_done,
            "skipped_in_a_row": self._learner.skipped_in_a_row,
            "elapsed_s": self.elapsed_s,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken.

        Args:
            state: checked before, see `saved_state`; nothing of it is shared afterwards.
        """
        self.inner.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.load_state_dict(state["sampler"])
        self._totals.load_state_dict(state["totals"])
        torch.set_rng_state(state["torch_rng"])
        if torch.cuda.is_available():  # another machine may have fewer, or others
            for device, rng in enumerate(state["cuda_rng"][: torch.cuda.device_count()]):
                if rng.shape == torch.cuda.get_rng_state(device).shape:
                    torch.cuda.set_rng_state(rng, device)
        self.epoch, self.step = state["epoch"], state["step"]
        self._batches_done = state["batches_done"]
        self._learner.skipped_in_a_row = state["skipped_in_a_row"]
        self._elapsed_s = state["elapsed_s"]
        self.best_epoch, self.best_loss = state["best_epoch"], state["best_loss"]
        self.best_weights = {name: own(value) for name, value in state["best_weights"].items()}
        self._initialised = True

    def _initialise(self) -> None:
        shape = self.inner.codebook_shape
        size = self.config.batch_size
        if shape:
            samples = self.config.segment_frames / _FRAMES_PER_SAMPLE
            wanted = math.ceil(_KMEANS_SAMPLES_PER_ENTRY * shape[1] / samples)
            fitting = _MOST_KMEANS_SAMPLES // self.sampler.segment_samples
            size = max(size, min(wanted, fitting))
        self.inner.initialise(self._frames_of(self.sampler.batch(size)))
        self._initialised = True

    def _training_batches(self) -> Iterator[Batch]:
        while self._batches_done < self.steps_per_epoch:
            self._reason = self._agreed(self._reporter.between_steps(self) or self._budget_ended())
            if self._reason:
                return
            waves = self.sampler.batch(rank=self.fabric.global_rank, ranks=self.fabric.world_size)
            yield self._frames_of(waves), 1.0

    def _agreed(self, reason: str | None) -> str | None:
        """What the first process decided, and how far it is: clocks differ."""
        self._step_progress = self.progress
        if self.fabric.world_size > 1:
            values = [float(_REASONS.index(reason)), self._step_progress]
            shared = torch.tensor(values, dtype=torch.float64, device=self.fabric.device)
            torch.distributed.broadcast(shared, src=0)
            reason, self._step_progress = _REASONS[int(shared[0])], float(shared[1])
        return reason

    def _budget_ended(self) -> str | None:
        return self._budget.ended(epochs=self.epoch, steps=self.step, seconds=self.elapsed_s)

    def _next_rate(self) -> float:
        self._rate = learning_rate(self.config, step=self.step, progress=self._step_progress)
        return self._rate

    def _combine(self, result: StepResult) -> StepResult:
        """The step of all processes together."""
        names = list(result.parts)
        values = [result.loss, result.reconstruction, result.penalty, *result.parts.values()]
        shared = torch.tensor(values, dtype=torch.float64, device=self.fabric.device)
        means = cast(Tensor, self.fabric.all_reduce(shared, reduce_op="mean")).tolist()
        codes = result.codes
        if codes is not None:
            codes = cast(Tensor, self.fabric.all_gather(codes)).flatten(0, 1)
        return replace(
            result,
            loss=means[0],
            reconstruction=means[1],
            penalty=means[2],
            parts=dict(zip(names, means[3:], strict=True)),
            codes=codes,
        )

    def _step_done(self, result: StepResult) -> None:
        self._batches_done += 1
        self._reporter.step_done(self, result, self._rate)
        self.step += 1

    def _step_skipped(self, reason: str) -> None:
        self._batches_done += 1
        self._reporter.step_skipped(self, reason)

    def _validate(self, training: EpochResult) -> bool:
        """Whether there was time for it; if not it is done when the run goes on."""
        self._cut_short = False
        validation = run_epoch(self.model, self._while_there_is_time(self._validation()))
        if self._cut_short:
            return False
        loss = validation.loss if math.isfinite(validation.loss) else math.inf
        is_best = loss < self.best_loss or not self.best_weights
        if is_best:
            self.best_epoch, self.best_loss, self.best_weights = self.epoch, loss, self._weights()
        self._reporter.epoch_done(self, training, validation, is_best)
        return True

    def _while_there_is_time(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        alone = self.fabric.world_size == 1  # or one would leave while the others wait for it
        for batch in batches:
            self._cut_short = alone and self._reporter.must_end_now()
            if self._cut_short:
                return
            yield batch

    def _weights(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.inner.state_dict()
        return {name: value.detach().to("cpu", copy=True) for name, value in state.items()}
