"""How a trainer's process says why it ended, where the run cannot say it; and who reads that."""

from __future__ import annotations

import json
import os
from pathlib import Path

from distill import errors
from distill.errors import DistillError, TrainingError
from distill.names import printable
from distill.opened_folder import OpenedFolder
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.layout import WORKER_LOG
from distill.training.watch.event_lines import TrainingFailedEvent

FAILED, LOST = 1, 3
"""Exit codes of a trainer that failed, and of one whose run folder was moved, deleted or taken
away."""
_MARK = "failed: "
_TAIL_BYTES = 1 << 16
_LONGEST_LINE = 4000


def last_words(error: Exception) -> str:
    """The last line that a trainer prints."""
    said = json.dumps({"error": type(error).__name__, "message": str(error)})
    return f"{_MARK}{said}\n"


def why_it_ended(run: RunFolder, code: int | None, gaps: str = "") -> DistillError:
    """What ended a trainer that left no word in its run.

    Args:
        run: its folder.
        code: exit code of its process; None where it was no child of ours.
        gaps: what could not be read of its events.
    """
    path = run.path
    if code == LOST or not run.is_run:
        return TrainingError(
            f"{path}: the run folder is not there any more: it was deleted or moved, or its disk "
            "was taken away; attach to it, or resume it, where it is now"
        )
    gaps = f" ({gaps})" if gaps else ""
    said = _printed(path) if code is not None and code > 0 else ""
    if error := read_last_words(said):
        return error
    if run.read_state() == states.FAILED:
        return TrainingError(
            f"{path}: failed, and its events do not say why{gaps}; see {WORKER_LOG}"
        )
    if said:  # it could say why, but not in the run
        return TrainingError(f"{path}: its trainer could not work: {said}")
    how = f" (killed by signal {-code})" if code is not None and code < 0 else ""
    hint = "; out of memory is the usual reason" if code == -9 else ""
    return TrainingError(
        f"{path}: its trainer died without a word{how}{hint}{gaps}; resume() goes on from the last "
        f"checkpoint, {WORKER_LOG} has what it printed"
    )


def rebuilt(event: TrainingFailedEvent) -> DistillError:
    """The error that an event reports."""
    kind = getattr(errors, event.error, None)
    if isinstance(kind, type) and issubclass(kind, DistillError):
        return kind(event.message)
    return TrainingError(f"{event.error}: {event.message}")


def read_last_words(line: str) -> DistillError | None:
    """The error that a trainer's last line reports; None where it is another line."""
    if not line.startswith(_MARK):
        return None
    try:
        said = json.loads(line.removeprefix(_MARK))
        return rebuilt(TrainingFailedEvent(str(said["error"]), str(said["message"])))
    except (ValueError, KeyError, TypeError):
        return None


def _printed(path: Path) -> str:
    """The last thing that the trainer printed."""
    try:
        with OpenedFolder(path) as folder, folder.read(WORKER_LOG) as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read(_TAIL_BYTES).decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = [line for line in lines if line.strip()]
    return printable(said[-1])[:_LONGEST_LINE] if said else ""
