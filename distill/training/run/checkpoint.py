"""Checkpoints: everything a run needs to be resumed, written whole, checked when read.

A file is one line of JSON (format, step, val_loss, digest) and the state behind it, as torch.save
writes it; it is read with `weights_only=True`, so it cannot run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch

from distill.checked import open_regular
from distill.config import TrainingConfig
from distill.errors import CheckpointError, OutsideDataError
from distill.own_folder import OwnFolder
from distill.training.run.first_version import upgraded
from distill.training.run.saved_bytes import check_bytes
from distill.training.run.saved_state import check_state, largest_bytes

_FORMAT = "distill_checkpoint"
_HEADER_LIMIT = 4096
_LARGEST_BYTES = 32 << 30  # of a checkpoint of which nothing else is known
_NAME = re.compile(r"step-(\d{1,12})\.ckpt")


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint's first line."""

    path: Path
    step: int
    val_loss: float
    sha256: str


def save_checkpoint(
    folder: str | os.PathLike[str],
    state: dict[str, Any],
    *,
    step: int,
    val_loss: float,
    keep: int = 2,
) -> Path:
    """Writes a checkpoint and removes old ones: the `keep` newest and the best stay.

    Args:
        folder: made if missing.
        state: nested dicts and lists of tensors, numbers and strings.
        step: optimiser steps done.
        val_loss: decides which is best; NaN never is.
        keep: how many of the newest stay.

    Returns:
        The new file, `step-000400.ckpt` in the folder.

    Raises:
        OSError: the disk is full or the folder read-only; older checkpoints are untouched.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with OwnFolder(folder) as files:
        return folder / write_checkpoint(files, "", state, step=step, val_loss=val_loss, keep=keep)


def write_checkpoint(
    files: OwnFolder, inside: str, state: dict[str, Any], *, step: int, val_loss: float, keep: int
) -> str:
    """Writes a checkpoint into an opened folder; see `save_checkpoint`.

    Args:
        files: nothing outside of it is touched.
        inside: the folder in it, "" for itself; made if missing.
        state: tensors and plain values.
        step: optimiser steps done.
        val_loss: decides which is best; NaN never is.
        keep: how many of the newest stay.

    Returns:
        The new file, relative to `files`.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    header = {
        "format": _FORMAT,
        "step": step,
        "val_loss": val_loss,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    prefix = f"{inside}/" if inside else ""
    if inside:
        files.make_folder(inside)
    name = f"{prefix}step-{step:06}.ckpt"
    with files.write(name) as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(payload)
    _rotate(files, inside, keep)
    return name


def load_checkpoint(
    path: str | os.PathLike[str], config: TrainingConfig | None = None
) -> dict[str, Any]:
    """Reads a checkpoint and checks it against its digest.

    Args:
        path: of the file.
        config: of the run it is to belong to: then a state that such a run cannot resume from is
            refused too, before anything is done with it.

    Raises:
        CheckpointError: missing, truncated, altered, holding code, no checkpoint, or of another
            run.
    """
    path = Path(path)
    limit = _LARGEST_BYTES if config is None else largest_bytes(config)
    try:
        with _opened(path) as file:
            info = _read_info(path, file)
            there = os.fstat(file.fileno()).st_size
            if there > limit:
                raise CheckpointError(f"has {there:,} bytes; one of this run has at most {limit:,}")
            payload = file.read()
        if hashlib.sha256(payload).hexdigest() != info.sha256:
            raise CheckpointError("truncated or altered; use an earlier checkpoint")
        check_bytes(payload)
        state = upgraded(_unpickled(payload))
        if config is not None:
            check_state(state, config)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    return state


def _unpickled(payload: bytes) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(
            io.BytesIO(payload), map_location="cpu", weights_only=True
        )
    except Exception as error:  # a foreign parser on foreign bytes: whatever it stumbles over
        raise CheckpointError(f"cannot be read ({type(error).__name__}: {error})") from error
    return state


def read_checkpoint_info(path: Path) -> CheckpointInfo:
    """Reads a checkpoint's first line.

    Raises:
        CheckpointError: missing or no checkpoint.
    """
    try:
        with _opened(path) as file:
            return _read_info(path, file)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open_regular(path, follow=False) as file:
            yield file
    except OutsideDataError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"cannot be read ({error.strerror or error})") from error


def _read_info(path: Path, file: BinaryIO) -> CheckpointInfo:
    try:
        header = json.loads(file.readline(_HEADER_LIMIT))  # with NaN and Infinity
        step, loss, digest = header["step"], header["val_loss"], header["sha256"]
        if (header["format"], type(step), type(loss), type(digest)) != (_FORMAT, int, float, str):
            raise ValueError("another format")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError("not a distill checkpoint") from error
    return CheckpointInfo(path, step, loss, digest)


def newest_first(folder: Path) -> list[Path]:
    """Every checkpoint file of a folder, readable or not, by the step in its name."""
    try:
        with OwnFolder(folder) as files:
            return [folder / name for name in _newest_first(files, "")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def list_checkpoints(folder: Path) -> list[CheckpointInfo]:
    """The checkpoints of a folder whose first line can be read, newest first."""
    found = []
    for path in newest_first(folder):
        with contextlib.suppress(CheckpointError):
            found.append(read_checkpoint_info(path))
    return found


def _newest_first(files: OwnFolder, inside: str) -> list[str]:
    names = [entry.name for entry in files.entries(inside)]  # links and folders: to be said so
    steps = {name: int(match[1]) for name in names if (match := _NAME.fullmatch(name))}
    return sorted(steps, key=lambda name: steps[name], reverse=True)


def _rotate(files: OwnFolder, inside: str, keep: int) -> None:
    prefix = f"{inside}/" if inside else ""
    infos = []
    for name in _newest_first(files, inside):
        with contextlib.suppress(CheckpointError, OSError), files.read(prefix + name) as file:
            infos.append(_read_info(Path(name), file))
    finite = [info for info in infos if math.isfinite(info.val_loss)]
    best = min(finite, key=lambda info: info.val_loss, default=None)
    for info in infos[keep:]:
        if info != best:
            files.remove(f"{prefix}{info.path.name}")


# The names of the first version, which knew one family.
save_vqvae_checkpoint = save_checkpoint
load_vqvae_checkpoint = load_checkpoint
