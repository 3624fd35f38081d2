"""A trainer that does not train: writes a run's events at a given pace, as fast as wanted.

    python benchmarks/pretend_trainer.py RUN STEPS STEPS_A_SECOND

For measuring what a dashboard costs without a training beside it.
"""

from __future__ import annotations

import math
import os
import random
import sys
import time
from pathlib import Path

import torch

from distill import VQVAEConfig
from distill.codebook.health import codebook_health
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.status import RunStatus
from distill.training.run.writer import RunWriter, hold_run
from distill.training.watch.event_lines import TrainingCompleteEvent, VQEpochMetrics, VQStepMetrics

STEPS_AN_EPOCH = 50


def begin(path: Path) -> None:
    """The run folder, ready for somebody to watch."""
    config = VQVAEConfig(max_steps=1_000_000)
    begin_run(path, RunRequest.of(config, [], name="pretended", device="cpu").to_dict())


def report(writer: RunWriter, state: str, epoch: int, step: int) -> None:
    status = RunStatus.now(state, pid=os.getpid(), epoch=epoch, step=step, session=writer.session)
    writer.write_status(status)


def step_event(step: int, steps: int) -> VQStepMetrics:
    loss = math.exp(-step / 300) + 0.02 * random.random() + 0.3
    epoch, progress = step // STEPS_AN_EPOCH, step / steps
    return VQStepMetrics(
        epoch, step, loss, loss * 0.8, loss * 0.2, 1e-3, 0.5, progress, step * 0.05
    )


def epoch_event(step: int, steps: int) -> VQEpochMetrics:
    counts = torch.randint(0, 3, (3, 256))
    loss = math.exp(-step / 300) + 0.32
    return VQEpochMetrics(
        step // STEPS_AN_EPOCH - 1, step, loss, loss * 0.8, loss * 0.2, loss + 0.02, loss * 0.82,
        loss * 0.2, False, step / steps, step * 0.05, health=codebook_health(counts, [0.1] * 3),
    )  # fmt: skip


def run(path: Path, steps: int, pace: float) -> None:
    """Writes everything, then ends well."""
    with hold_run(path) as writer:
        began, reported = time.monotonic(), 0.0
        for step in range(steps):
            writer.append(step_event(step, steps))
            if step and step % STEPS_AN_EPOCH == 0:
                writer.append(epoch_event(step, steps))
            wait = began + step / pace - time.monotonic()
            if wait > 0.002:
                time.sleep(wait)
            if time.monotonic() - reported > 0.25:
                report(writer, "running", step // STEPS_AN_EPOCH, step)
                reported = time.monotonic()
        epochs = steps // STEPS_AN_EPOCH
        writer.append(
            TrainingCompleteEvent("max_steps", "model.distill", 0, 0.3, epochs, steps, steps * 0.05)
        )
        report(writer, "finished", epochs, steps)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if not (place / "run.json").exists():
        begin(place)
    run(place, int(sys.argv[2]), float(sys.argv[3]))
