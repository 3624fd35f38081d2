"""control.json: what those who watch a run ask of its trainer."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from distill.checked import Count, parse_json
from distill.errors import ForeignEntryError, RunFolderError
from distill.own_folder import OwnFolder
from distill.training.run.layout import CONTROL, CONTROL_LOCK
from distill.training.run.lock import FolderLock

_log = logging.getLogger(__name__)

RUN, PAUSE, STOP, STOP_NOW = "run", "pause", "stop", "stop-now"
CONTROL_FILE = CONTROL
_LOCK_TIMEOUT_S = 10.0
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Control:
    """The requests so far. Counters only grow, so that none is lost between two polls."""

    serial: int = 0
    """Counts commands; the trainer repeats the last it has seen in its status."""
    wanted: str = RUN
    """run, pause, stop or stop-now."""
    previews: int = 0
    saves: int = 0
    weights: int = 0
    """How often the weights of the moment were asked for."""


class _Control(msgspec.Struct):
    serial: Count
    wanted: Literal["run", "pause", "stop", "stop-now"]
    previews: Count = 0
    saves: Count = 0
    weights: Count = 0


def read_control(folder: Path | OwnFolder) -> Control:
    """The requests in a run folder; none where there are none, or its file is damaged or none of
    ours, which is logged.

    Raises:
        OSError: the folder or the file cannot be read.
    """
    if not isinstance(folder, OwnFolder):
        try:
            with OwnFolder(folder) as opened:
                return read_control(opened)
        except FileNotFoundError:
            return Control()
    try:
        values: _Control = parse_json(folder.read_bytes(CONTROL, _LARGEST), _Control, name=CONTROL)
        return Control(**msgspec.structs.asdict(values))
    except FileNotFoundError:
        return Control()
    except (ValueError, ForeignEntryError) as error:
        _log.warning("%s: damaged (%s)", folder.path / CONTROL, error)
        return Control()


def change_control(
    folder: Path | OwnFolder,
    *,
    wanted: str | None = None,
    preview: bool = False,
    save: bool = False,
    weights: bool = False,
    reset: bool = False,
) -> int:
    """Adds a request, safely against others who do the same; returns its serial number.

    A stop is never taken back: after it, only `reset` (a new start) changes what is wanted.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    if not isinstance(folder, OwnFolder):
        try:
            with OwnFolder(folder) as opened:
                return change_control(
                    opened,
                    wanted=wanted,
                    preview=preview,
                    save=save,
                    weights=weights,
                    reset=reset,
                )
        except ForeignEntryError:
            raise
        except OSError as error:
            raise _not_written(folder, error.strerror or error) from error
    lock = FolderLock(folder, CONTROL_LOCK)
    try:
        if not lock.acquire(_LOCK_TIMEOUT_S):
            raise _not_written(folder.path, "others are writing commands all the time")
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
            weights=now.weights + weights,
        )
        with folder.write(CONTROL, durable=False) as file:
            file.write(json.dumps(dataclasses.asdict(changed)).encode())
        return changed.serial
    except ForeignEntryError:
        raise
    except OSError as error:
        raise _not_written(folder.path, error.strerror or error) from error
    finally:
        lock.release()


def _not_written(folder: Path, why: object) -> RunFolderError:
    return RunFolderError(f"{folder}: the command could not be written ({why})")
