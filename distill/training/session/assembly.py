"""The parts of a run, put together from its request: the same in every process that trains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from distill.config.start import BASE, NOTHING
from distill.models.device import choose_device
from distill.training.engine.engine import Engine, Reporter
from distill.training.engine.fabric import make_fabric
from distill.training.engine.task import Task
from distill.training.run.request import RunRequest

_ReporterT = TypeVar("_ReporterT", bound=Reporter)


def assemble(
    request: RunRequest, material: Any, make_reporter: Callable[[Task], _ReporterT]
) -> tuple[Engine, _ReporterT]:
    """Task and engine of a run, and the reporter that the engine reports to.

    Seeds torch's global random generator, from which weights and codebooks draw.

    Args:
        request: names config and device.
        material: what is learned from, as `material_of` gives it.
        make_reporter: given the task, which is not set up yet.
    """
    fabric = make_fabric(choose_device(request.device))
    torch.manual_seed(request.config.seed)
    task: Task = request.family.task(request.config)
    reporter = make_reporter(task)
    if request.start.model == BASE:
        task.keep_general()
    fine_tuning = request.start.model != NOTHING
    engine = Engine(task, material, fabric=fabric, reporter=reporter, fine_tuning=fine_tuning)
    return engine, reporter
