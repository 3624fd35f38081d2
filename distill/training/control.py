"""control.json: what those who watch a run want of its trainer."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import filelock

from distill.atomic import patiently, write_atomically
from distill.errors import RunFolderError

_log = logging.getLogger(__name__)

RUN, PAUSE, STOP, STOP_NOW = "run", "pause", "stop", "stop-now"
CONTROL_FILE = "control.json"
_LOCK_FILE = ".control.lock"
_LOCK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Control:
    """The wishes so far. Counters only grow, so that no wish is lost between two looks."""

    serial: int = 0
    """Counts commands; the trainer repeats the last it has seen in its status."""
    wanted: str = RUN
    """run, pause, stop or stop-now."""
    previews: int = 0
    saves: int = 0


def read_control(folder: Path) -> Control:
    """The wishes in a run folder; none where there are none, or a power cut has damaged them."""
    path = folder / CONTROL_FILE
    try:
        return Control(**json.loads(patiently(path.read_bytes)))
    except FileNotFoundError:
        return Control()
    except (ValueError, TypeError) as error:
        _log.warning("%s: damaged (%s)", path, error)
        return Control()


def change_control(
    folder: Path,
    *,
    wanted: str | None = None,
    preview: bool = False,
    save: bool = False,
    reset: bool = False,
) -> int:
    """Adds a wish, safely against others who do the same; returns its serial number.

    A stop is never taken back: after it, only `reset` (a new start) changes what is wanted.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    if not folder.is_dir():  # or the lock would make it
        raise RunFolderError(f"{folder}: the command could not be written (no such folder)")
    try:
        with filelock.FileLock(folder / _LOCK_FILE, timeout=_LOCK_TIMEOUT_S, thread_local=False):
            now = Control(serial=read_control(folder).serial) if reset else read_control(folder)
            stopping = now.wanted in (STOP, STOP_NOW)
            if wanted is not None and stopping and wanted != STOP_NOW:
                wanted = None
            changed = dataclasses.replace(
                now,
                serial=now.serial + 1,
                wanted=wanted or now.wanted,
                previews=now.previews + preview,
                saves=now.saves + save,
            )
            with write_atomically(folder / CONTROL_FILE, durable=False) as file:
                file.write(json.dumps(dataclasses.asdict(changed)).encode())
            return changed.serial
    except (OSError, filelock.Timeout) as error:
        raise RunFolderError(f"{folder}: the command could not be written ({error})") from error
