"""The parts of a run, put together from its request: the same in every process that trains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from distill.audio.split import Split
from distill.models.device import choose_device
from distill.training.engine.engine import Engine, Reporter
from distill.training.engine.fabric import make_fabric
from distill.training.engine.task import Task
from distill.training.run.request import RunRequest

_ReporterT = TypeVar("_ReporterT", bound=Reporter)


def assemble(
    request: RunRequest, split: Split, make_reporter: Callable[[Task], _ReporterT]
) -> tuple[Engine, _ReporterT]:
    """Task and engine of a run, and the reporter that the engine reports to.

    Seeds torch's global random generator, from which weights and codebooks draw.

    Args:
        request: names config and device.
        split: the sounds.
        make_reporter: given the task, which is not set up yet.
    """
    fabric = make_fabric(choose_device(request.device))
    torch.manual_seed(request.config.seed)
    task: Task = request.family.task(request.config)
    reporter = make_reporter(task)
    return Engine(task, split, fabric=fabric, reporter=reporter), reporter
