"""The engine: epochs until a budget ends or somebody asks it to stop.

It knows a `Task` and nothing of models, sounds or losses. It keeps the best weights by validation
and reports to a `Reporter`; stopping is a return value, never an exception. Between any two steps
its `state_dict` is a moment from which the run can be resumed exactly.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from distill.training.engine.learner import GuardedLearner
from distill.training.engine.loop import judge_epoch, train_epoch
from distill.training.engine.processes import Processes
from distill.training.engine.schedule import Budget, learning_rate
from distill.training.engine.task import Task
from distill.training.engine.totals import EpochResult, EpochTotals, StepResult, own

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STOPPED = "stopped"
STOPPED_NOW = "stopped-now"
_REASONS = (None, STOPPED, STOPPED_NOW, "max_epochs", "max_steps", "max_seconds")

_LONGEST_EPOCH_STEPS = 500  # hours of sound still report and validate every minute


class Reporter:
    """Receives what happens and may ask for an end; called in the training thread.

    This one does nothing; override what is needed.
    """

    def between_steps(self, engine: Engine) -> str | None:  # noqa: ARG002
        """Before every step, when `engine.state_dict()` is exact; may wait, save, and answer
        STOPPED (validate and keep) or STOPPED_NOW (keep what is best so far).
        """
        return None

    def must_end_now(self) -> bool:
        """Before every batch of a validation: whether the run has to end without the rest."""
        return False

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """After every optimiser step; `engine.step` is still this step's number."""

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """After a batch that was left out."""

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """After validation; `engine.epoch` is still this epoch's number."""

    def last_moment(self, engine: Engine) -> None:
        """When training is over and `engine.state_dict()` is where it would be resumed."""


class Engine:
    """Repeats epochs until the budget ends or its reporter says so.

    Args:
        task: what is learned, not set up yet.
        split: what to learn from and to judge by; see `Task.setup`.
        fabric: device, precision and number of processes.
        reporter: receives what happens.
        fine_tuning: whether the module is a trained model that learns on.
    """

    def __init__(
        self,
        task: Task,
        split: Any,
        *,
        fabric: Fabric,
        reporter: Reporter,
        fine_tuning: bool = False,
    ) -> None:
        self.config = config = task.config
        self.task, self.fabric = task, fabric
        self.epoch = 0
        self.step = 0
        self.best_epoch = 0
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self._reporter, self._fine_tuning = reporter, fine_tuning
        self._budget = Budget.of(config)
        self._optimizers = task.setup(fabric, split)
        self._learner = GuardedLearner(
            task.module, self._optimizers, fabric, clip=config.gradient_clip
        )
        self._processes = Processes(fabric)
        self.steps_per_epoch = min(
            max(math.ceil(task.batches_per_pass / fabric.world_size), config.min_steps_per_epoch),
            max(_LONGEST_EPOCH_STEPS, config.min_steps_per_epoch),
        )
        self._elapsed_s = 0.0
        self._clock: float | None = None  # running since
        self._is_prepared = False
        self._batches_done = 0  # of this epoch, skipped ones included
        self._totals = self._no_totals()
        self._reason: str | None = None
        self._cut_short = False

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
        if not self._is_prepared:
            self.task.prepare()
            self._is_prepared = True
        while True:
            train_epoch(
                self.task,
                self._training_batches(),
                self._learner,
                self._totals,
                on_step=self._step_done,
                on_skip=self._step_skipped,
            )
            training = self._totals.result()
            ended_early = self._reason is not None
            if ended_early:  # it is resumed in the middle of this epoch
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
            self._batches_done, self._totals = 0, self._no_totals()
            if self._reason is None:
                self._reason = self._agreed(self._budget_ended())
            if self._reason:
                if not ended_early:
                    self._reporter.last_moment(self)
                return self._reason

    def state_dict(self) -> dict[str, Any]:
        """Everything `load_state_dict` needs to continue as if never stopped, between two steps."""
        return {
            "model": self.task.module.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "task": self.task.state_dict(),
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
        """Resumes where `state_dict` was taken.

        Args:
            state: checked before, see `saved_state`; nothing of it is shared afterwards.
        """
        self.task.module.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.task.load_state_dict(state["task"])
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
        self._is_prepared = True

    def _no_totals(self) -> EpochTotals:
        return EpochTotals(self.task.nothing_observed())

    def _training_batches(self) -> Iterator[Any]:
        while self._batches_done < self.steps_per_epoch:
            self._reason = self._agreed(self._reporter.between_steps(self) or self._budget_ended())
            if self._reason:
                return
            self._learner.rate = learning_rate(
                self.config,
                step=self.step,
                progress=self._learner.progress,
                fine_tuning=self._fine_tuning,
            )
            yield self.task.batch(self.fabric.global_rank, self.fabric.world_size)

    def _agreed(self, reason: str | None) -> str | None:
        """What the first process decided, and how far it is: clocks differ."""
        number, self._learner.progress = self._processes.first(
            [float(_REASONS.index(reason)), self.progress]
        )
        return _REASONS[int(number)]

    def _budget_ended(self) -> str | None:
        return self._budget.ended(epochs=self.epoch, steps=self.step, seconds=self.elapsed_s)

    def _step_done(self, result: StepResult) -> None:
        self._batches_done += 1
        self._reporter.step_done(self, result, self._learner.rate or 0.0)
        self.step += 1

    def _step_skipped(self, reason: str) -> None:
        self._batches_done += 1
        self._reporter.step_skipped(self, reason)

    def _validate(self, training: EpochResult) -> bool:
        """Whether there was time for it; if not it is done when the run is resumed."""
        self._cut_short = False
        totals = self._no_totals()
        batches = self.task.validation(self.fabric.global_rank, self.fabric.world_size)
        judge_epoch(self.task, self._while_there_is_time(batches), totals, self._processes)
        if self._cut_short:
            return False
        validation = totals.result()
        loss = validation.loss if math.isfinite(validation.loss) else math.inf
        is_best = loss < self.best_loss or not self.best_weights
        if is_best:
            self.best_epoch, self.best_loss, self.best_weights = self.epoch, loss, self._weights()
        self._reporter.epoch_done(self, training, validation, is_best)
        return True

    def _while_there_is_time(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:  # of several processes none may leave while the others wait for it
            self._cut_short = self._processes.alone and self._reporter.must_end_now()
            if self._cut_short:
                return
            yield batch

    def _weights(self) -> dict[str, Tensor]:
        state = self.task.module.state_dict()
        return {name: value.detach().to("cpu", copy=True) for name, value in state.items()}
