"""One epoch over the batches of any task: learning from them, or judging by them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn

from distill.errors import NonFiniteError
from distill.training.engine.learner import GuardedLearner
from distill.training.engine.processes import Processes, fetched
from distill.training.engine.task import Task
from distill.training.engine.totals import EpochTotals, StepResult


def train_epoch(
    task: Task,
    batches: Iterable[Any],
    learner: GuardedLearner,
    totals: EpochTotals,
    *,
    on_step: Callable[[StepResult], None] | None = None,
    on_skip: Callable[[str], None] | None = None,
) -> None:
    """Learns from batches, once from each.

    Args:
        task: what is learned.
        batches: as the task makes them.
        learner: takes the optimiser steps.
        totals: of this epoch so far; the batches are added.
        on_step: called with every batch that counted.
        on_skip: called with why a batch was left out.

    Raises:
        TrainingError: ten batches in a row were not finite, also over epochs' ends.
    """
    task.module.train()
    for batch in batches:
        learner.begin()
        try:
            with _buffers_put_back(task.module):
                judgement = task.train_step(batch, learner)
        except NonFiniteError as error:
            learner.put_back()
            totals.skipped += 1
            if on_skip:
                on_skip(str(error))
            learner.skip(error)
            continue
        result = learner.result(judgement)
        totals.add(result, 1.0)
        if on_step:
            on_step(result)


@torch.no_grad()
def judge_epoch(
    task: Task, batches: Iterable[tuple[Any, float]], totals: EpochTotals, processes: Processes
) -> None:
    """Judges by batches, changing nothing.

    Args:
        task: what is judged; left in evaluation mode.
        batches: this process's, each with its weight.
        totals: the batches of all processes are added.
        processes: that share the batches.
    """
    task.module.eval()
    for batch, weight in batches:
        try:
            judgement = task.judge(batch)
        except NonFiniteError:
            totals.skipped += 1
            continue
        loss, *parts = fetched([judgement.loss, *judgement.parts.values()])
        named = dict(zip(judgement.parts, parts, strict=True))
        totals.add(StepResult(loss, named, judgement.observed, 0.0), weight)
    processes.totals(totals, ("loss", *task.loss_parts))


@contextlib.contextmanager
def _buffers_put_back(module: nn.Module) -> Iterator[None]:
    """What a forward pass changes, as codebooks or running means, is as before where the batch
    turns out not to be finite: that is known after the backward pass only.
    """
    buffers = list(module.buffers())
    before = [buffer.detach().clone() for buffer in buffers]
    try:
        yield
    except NonFiniteError:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.detach().copy_(value)
        raise
