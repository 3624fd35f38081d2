"""The engine over a task that is no sound, no codebook and no single optimiser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from distill.config import TrainingConfig
from distill.errors import NonFiniteError, TrainingError
from distill.training.engine.engine import Engine, Reporter
from distill.training.engine.fabric import make_fabric
from distill.training.engine.task import Judgement, Learner
from distill.training.engine.totals import EpochResult, StepResult

CONFIG = TrainingConfig(max_steps=12, batch_size=1, min_steps_per_epoch=4, learning_rate=0.05)


class Duel:
    """Two numbers, each with an optimiser of its own: one seeks the other, which flees."""

    config = CONFIG
    loss_parts = ("near", "far")
    batches_per_pass = 4.0

    def __init__(self, bad: dict[int, str] | None = None) -> None:
        self.module = nn.ParameterList([torch.zeros(1), torch.ones(1)])
        self.module.register_buffer("seen", torch.zeros(1))
        self.drawn = 0
        self.bad = bad or {}
        """By batch: which loss, or part of it, is no number."""

    def optimizers(self) -> Sequence[Optimizer]:
        return SGD([self.module[0]], 0.1), Adam([self.module[1]], 0.1)

    def setup(self, fabric: Fabric, split: Any) -> Sequence[Optimizer]:
        self.split = split
        return [fabric.setup_optimizers(optimizer) for optimizer in self.optimizers()]

    def prepare(self) -> None:
        self.drawn = 0

    def batch(self, rank: int, ranks: int) -> Tensor:
        self.drawn += 1
        return torch.full((1,), float(self.drawn))

    def validation(self, rank: int, ranks: int) -> Iterator[tuple[Tensor, float]]:
        yield torch.ones(1), 1.0
        yield torch.zeros(1), 3.0

    def train_step(self, batch: Tensor, learner: Learner) -> Judgement:
        seeks, flees, bad = self.module[0], self.module[1], self.bad.get(int(batch))
        self.module.seen += 1
        near = (seeks - flees.detach()).square().sum() * (float("nan") if bad == "near" else 1.0)
        learner.apply(Judgement(near, {"near": near}), optimizer=0)
        if bad == "between":
            raise NonFiniteError("NaN or Inf in the sound")
        far = (seeks.detach() - flees).square().mul(-0.01).sum() + (flees - batch / 10).abs().sum()
        far = far * (float("inf") if bad == "far" else 1.0)
        learner.apply(Judgement(far, {"far": far}), optimizer=1)
        return Judgement(near, {"near": near, "far": far}, {"batches": torch.ones(1)})

    def judge(self, batch: Tensor) -> Judgement:
        value = batch.sum()
        return Judgement(value, {"near": value, "far": 2 * value}, {"batches": torch.ones(1)})

    def nothing_observed(self) -> dict[str, Tensor]:
        return {"batches": torch.zeros(1)}

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.drawn = state["drawn"]


class Log(Reporter):
    """What the engine reports; takes its state before one of the steps."""

    def __init__(self, state_at: int | None = None) -> None:
        self.steps: list[tuple[float, dict[str, float]]] = []
        self.skipped: list[str] = []
        self.epochs: list[EpochResult] = []
        self.validations: list[EpochResult] = []
        self.state: dict[str, Any] | None = None
        self._state_at = state_at

    def between_steps(self, engine: Engine) -> None:
        if engine.step == self._state_at:
            state = engine.state_dict()
            state["model"] = {name: value.clone() for name, value in state["model"].items()}
            state["optimizers"] = [
                {**one, "state": {k: {n: torch.as_tensor(x).clone() for n, x in v.items()
                                      if x is not None} for k, v in one["state"].items()}}
                for one in state["optimizers"]
            ]  # fmt: skip
            self.state = state

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        self.steps.append((result.loss, result.parts))

    def step_skipped(self, engine: Engine, reason: str) -> None:
        self.skipped.append(reason)

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        self.epochs.append(training)
        self.validations.append(validation)


def engine_of(task: Duel, log: Log) -> Engine:
    return Engine(task, "the data", fabric=make_fabric(torch.device("cpu")), reporter=log)  # type: ignore[arg-type]


def test_each_optimiser_takes_its_own_steps() -> None:
    task, log = Duel(), Log()
    before = [value.detach().clone() for value in task.module]
    assert engine_of(task, log).run() == "max_steps"
    assert task.split == "the data"
    assert len(log.steps) == 12 and all(set(parts) == {"near", "far"} for _, parts in log.steps)
    assert all(not torch.equal(a, b) for a, b in zip(before, task.module, strict=True))


def test_validation_is_a_weighted_mean_and_observed_sums_add_up() -> None:
    log = Log()
    engine_of(Duel(), log).run()
    assert [one.loss for one in log.validations] == pytest.approx([0.25] * 3)
    assert log.validations[0].parts == pytest.approx({"near": 0.25, "far": 0.5})
    assert [int(one.observed["batches"]) for one in log.epochs] == [4, 4, 4]
    assert [int(one.observed["batches"]) for one in log.validations] == [2, 2, 2]


@pytest.mark.parametrize("step", [1, 4, 6, 11])
def test_resumed_with_two_optimisers_is_as_never_stopped(step: int) -> None:
    task, log = Duel(), Log(state_at=step)
    engine_of(task, log).run()
    other, rest = Duel(), Log()
    engine = engine_of(other, rest)
    assert log.state is not None
    engine.load_state_dict(log.state)
    engine.run()
    assert rest.steps == log.steps[step:]
    assert all(torch.equal(a, b) for a, b in zip(task.module, other.module, strict=True))


def without(bad: set[int]) -> list[tuple[float, dict[str, float]]]:
    """The steps of a training in which some batches were never drawn."""

    class Fewer(Duel):
        def batch(self, rank: int, ranks: int) -> Tensor:
            drawn = super().batch(rank, ranks)
            return self.batch(rank, ranks) if int(drawn) in bad else drawn

    log = Log()
    engine_of(Fewer(), log).run()
    return log.steps


@pytest.mark.parametrize("what", ["near", "between", "far"])
@pytest.mark.parametrize("batches", [(1,), (4,), (2, 3, 7)])
def test_a_batch_counts_for_all_optimisers_or_for_none(what: str, batches: tuple[int, ...]) -> None:
    """Also where the first has stepped before the loss of the second turned out to be no number:
    weights, moments and buffers go on as if the batch had never been.
    """
    task, log = Duel(bad=dict.fromkeys(batches, what)), Log()
    engine_of(task, log).run()
    assert len(log.skipped) == len(batches)
    assert all("NaN or Inf in the" in reason for reason in log.skipped)
    assert log.steps == without(set(batches))
    assert int(task.module.seen) == len(log.steps) == 12


def test_ten_batches_in_a_row_that_spoil_the_second_loss_end_the_run() -> None:
    task, log = Duel(bad=dict.fromkeys(range(3, 99), "far")), Log()
    with pytest.raises(TrainingError, match=r"10 batches in a row .*NaN or Inf in the loss"):
        engine_of(task, log).run()
    good = without(set())[:2]
    assert log.steps == good
    assert all(torch.isfinite(value).all() for value in task.module.state_dict().values())
