"""Where a run can be resumed from."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.config import TrainingConfig
from distill.errors import CheckpointError, ForeignEntryError
from distill.training.run.checkpoint import load_checkpoint, newest_first
from distill.training.run.layout import CHECKPOINTS
from distill.training.run.writer import RunWriter


@dataclass(frozen=True)
class ResumePoint:
    """Where a run can be resumed from."""

    path: Path
    state: dict[str, Any]
    problems: list[str]
    """Newer checkpoints that could not be read, and why."""
    missing_events: str = ""
    """What of the event log before the checkpoint is lost, as a sentence."""


def find_resume_point(folder: RunWriter, config: TrainingConfig) -> ResumePoint | None:
    """The newest checkpoint that can be used, with the events after it forgotten; None where the
    run has to begin at its beginning.

    Args:
        folder: of the run.
        config: of the run.

    Raises:
        CheckpointError: there are checkpoints, but none that can be read.
    """
    problems: list[str] = []
    damaged: list[Path] = []
    for path in newest_first(folder.checkpoints):
        try:
            state = load_checkpoint(path, config)
        except CheckpointError as error:
            problems.append(str(error))
            damaged.append(path)
            continue
        for other in damaged:  # or they would stand in the way of the newest
            with contextlib.suppress(ForeignEntryError):  # a link: not ours to move
                folder.files.rename(
                    f"{CHECKPOINTS}/{other.name}", f"{CHECKPOINTS}/{other.stem}.damaged"
                )
        missing = folder.rewind_events(state["events_bytes"])
        return ResumePoint(path, state, problems, missing)
    if problems:
        raise CheckpointError(
            f"{folder.checkpoints}: none of its checkpoints can be read ({'; '.join(problems)}); "
            "start a new run"
        )
    folder.rewind_events(0)
    return None
