"""A run folder made ready for a trainer: begun, or changed to be resumed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from distill.audio.corpus import AudioCorpus, Source
from distill.entry_kinds import FOLDER
from distill.errors import ForeignEntryError, RunFolderError
from distill.models.device import check_devices
from distill.names import path_from_text
from distill.own_folder import OwnFolder
from distill.training.run import states
from distill.training.run.control import change_control
from distill.training.run.folder import RunFolder, acquire_lock, check_room
from distill.training.run.layout import OWN_FILES, REQUEST, STATUS, is_ours, refuse_foreign
from distill.training.run.request import RunRequest
from distill.training.run.request_fields import config_of
from distill.training.run.run_sounds import with_new_sounds
from distill.training.run.sounds_inside import refuse_sounds_inside
from distill.training.run.status import RunStatus, status_to_json, trainer_is_starting


def begin_run(
    path: Path,
    request: dict[str, Any],
    *,
    overwrite: bool = False,
    fill: Callable[[Path], object] | None = None,
) -> None:
    """Makes a run folder that a trainer can be started in: only the request is in it.

    What an earlier run left is removed; files that no run can have made stay.

    Args:
        path: of the folder.
        request: what is asked of the run.
        overwrite: replaces an earlier run.
        fill: writes what belongs to the run beside its request, as its codec.

    Raises:
        RunFolderError: another trainer is at work there, it holds an earlier run, it holds
            something else, as a link, or the sounds that it is to learn from; or it cannot be
            written.
    """
    refuse_sounds_inside(path, map(path_from_text, request.get("sources", ())))
    with _held(path, make=True) as folder:
        check_room(path, overwrite)
        _clear(folder)
        if fill is not None:
            fill(path)
        write_request(folder, request)
        change_control(folder, reset=True)


@contextlib.contextmanager
def _held(path: Path, *, make: bool = False) -> Iterator[OwnFolder]:
    """The folder of a run while nobody else can begin to train in it.

    Args:
        path: of the folder.
        make: makes it where there is none.

    Raises:
        RunFolderError: see `begin_run`.
    """
    try:
        if make:
            path.mkdir(parents=True, exist_ok=True)
        with OwnFolder(path) as folder:
            refuse_foreign(folder)
            lock = acquire_lock(folder)
            try:
                _refuse_if_starting(path)
                yield folder
            finally:
                lock.release()
    except ForeignEntryError:
        raise
    except OSError as error:
        other = "; choose another folder" if make else ""
        raise RunFolderError(f"{path}: cannot be written ({error.strerror}){other}") from error


def _clear(folder: OwnFolder) -> None:
    for name in OWN_FILES:
        if folder.kind(name) == FOLDER:
            folder.remove_tree(name, is_ours)
        else:
            folder.remove(name)
    folder.remove_leftovers("", is_ours)


def _refuse_if_starting(path: Path) -> None:
    status = RunFolder(path).read_status()
    # One of this very process holds the lock, or has ended without room to say so.
    if status and status.pid != os.getpid() and trainer_is_starting(status):
        raise RunFolderError(f"{path}: another training is starting there; attach to it")


def extend_run(
    path: Path,
    budget: Mapping[str, float | None],
    *,
    sounds: Source | None = None,
    new_sounds: bool = False,
    devices: int | None = None,
) -> AudioCorpus | None:
    """Makes a run that has ended ready to be resumed, with a new budget where one is given.

    Args:
        path: of the run.
        budget: new limits by name; None leaves the old ones.
        sounds: where the run's sounds are now, if not where they were; they are read, and
            recognised by their content.
        new_sounds: also learns from sounds that have come to its folders since it began.
        devices: another number of processes to train in.

    Returns:
        What was read of `sounds`, so that it need not be decoded again; None where nothing was.

    Raises:
        RunFolderError: no run is there, a trainer is at work, it is finished and has no new budget,
            or it cannot be written.
        CorpusError: the run comes from elsewhere and `sounds` are not given, or some are missing.
        ConfigError: this machine does not have so many devices.
    """
    folder = RunFolder(path)
    request = folder.read_request()
    limits = {name: limit for name, limit in budget.items() if limit is not None}
    _refuse_what_is_done(folder, limits)
    if not limits and folder.read_state() == states.FINISHED:
        raise RunFolderError(
            f"{path}: is finished; to go on give it a larger max_epochs, max_steps or max_seconds"
        )
    _refuse_if_starting(path)  # before sounds are read; once more where nobody can come between
    changed = _with_budget(request, limits)
    if devices is not None:
        check_devices(RunRequest.from_dict(request).device, devices)
        changed = {**changed, "devices": devices}
    found: AudioCorpus | None = None
    if "sources" in changed:
        status = folder.read_status()
        asked = RunRequest.from_dict(changed)
        found = None if sounds is None else _scanned(asked, sounds)
        ready = _ready(asked, status.host if status else "", found)
        ready = with_new_sounds(ready) if new_sounds else ready
        if ready.devices > 1:
            check_devices(ready.device, ready.devices)
        changed = ready.to_dict()
    with _held(path) as opened:
        if changed != request:
            write_request(opened, changed)
        change_control(opened, reset=True)
    return found


def _with_budget(request: dict[str, Any], budget: Mapping[str, float]) -> dict[str, Any]:
    """A request with other limits; the old ones end with it."""
    if not budget:
        return request
    config, model_type = request.get("config"), request.get("model_type")
    if not isinstance(config, dict) or not isinstance(model_type, str):
        raise RunFolderError("run.json cannot be used: it has no config")
    ends = {"max_epochs": None, "max_steps": None, "max_seconds": None, **budget}
    return {**request, "config": config_of({**request, "config": {**config, **ends}}).to_dict()}


def _scanned(request: RunRequest, sounds: Source) -> AudioCorpus:
    return AudioCorpus.scan(sounds, sample_rate=request.sample_rate, progress=False)


def _ready(request: RunRequest, last_host: str, found: AudioCorpus | None) -> RunRequest:
    """A request whose sounds this person has named."""
    if found is not None:
        return request.with_sounds(found, found.places)
    request.check_ours(last_host)
    return request.sealed()


def _refuse_what_is_done(folder: RunFolder, budget: Mapping[str, float]) -> None:
    status = folder.read_status()
    if status is not None:
        for name, done in (("max_epochs", status.epoch), ("max_steps", status.step)):
            limit = budget.get(name)
            if limit is not None and limit <= done:
                raise RunFolderError(f"{folder.path}: {name}={limit}, but {done} are done already")


def announce_trainer(path: Path, pid: int) -> None:
    """Says that a trainer was started, in the seconds before it can say so itself."""
    before = RunFolder(path).read_status()
    status = RunStatus.now(
        states.STARTING,
        pid=pid,
        epoch=before.epoch if before else 0,
        step=before.step if before else 0,
        session=before.session if before else 0,
    )
    if before:
        status = replace(status, seen_before=before.seen_before or before.heartbeat)
    with OwnFolder(path) as folder, folder.write(STATUS, durable=False) as file:
        file.write(status_to_json(status))


def write_request(folder: Path | OwnFolder, request: dict[str, Any]) -> None:
    """Writes down what is asked of a run."""
    if not isinstance(folder, OwnFolder):
        with OwnFolder(folder) as opened:
            write_request(opened, request)
        return
    with folder.write(REQUEST) as file:
        file.write(json.dumps(request, indent=1, ensure_ascii=False).encode())
