"""Checkpoints: everything a run needs to go on, written whole, checked when read.

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
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from distill.atomic import write_atomically
from distill.errors import CheckpointError

_FORMAT = "distill_checkpoint"
_HEADER_LIMIT = 4096


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint's first line."""

    path: Path
    step: int
    val_loss: float
    sha256: str


def save_vqvae_checkpoint(
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
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    header = {
        "format": _FORMAT,
        "step": step,
        "val_loss": val_loss,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:06}.ckpt"
    with write_atomically(path) as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(payload)
    _rotate(folder, keep)
    return path


def load_vqvae_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a checkpoint and checks it against its digest.

    Raises:
        CheckpointError: missing, truncated, altered, holding code, or no checkpoint.
    """
    path = Path(path)
    info = read_checkpoint_info(path)
    with path.open("rb") as file:
        file.readline(_HEADER_LIMIT)
        payload = file.read()
    if hashlib.sha256(payload).hexdigest() != info.sha256:
        raise CheckpointError(f"{path.name}: truncated or altered; use an earlier checkpoint")
    try:
        state: dict[str, Any] = torch.load(
            io.BytesIO(payload), map_location="cpu", weights_only=True
        )
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path.name}: holds more than numbers and text; nothing of it was run"
        ) from error
    return state


def read_checkpoint_info(path: Path) -> CheckpointInfo:
    """Reads a checkpoint's first line.

    Raises:
        CheckpointError: missing or no checkpoint.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(_HEADER_LIMIT))
        if header["format"] != _FORMAT:
            raise ValueError("another format")
        return CheckpointInfo(path, header["step"], header["val_loss"], header["sha256"])
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path.name}: not a distill checkpoint") from error


def newest_first(folder: Path) -> list[Path]:
    """Every checkpoint file of a folder, readable or not, by the step in its name."""
    return sorted(
        folder.glob("step-*.ckpt"),
        key=lambda path: int("".join(filter(str.isdigit, path.stem)) or 0),
        reverse=True,
    )


def list_checkpoints(folder: Path) -> list[CheckpointInfo]:
    """The checkpoints of a folder whose first line can be read, newest first."""
    found = []
    for path in newest_first(folder):
        with contextlib.suppress(CheckpointError):
            found.append(read_checkpoint_info(path))
    return found


def _rotate(folder: Path, keep: int) -> None:
    infos = list_checkpoints(folder)
    finite = [info for info in infos if math.isfinite(info.val_loss)]
    best = min(finite, key=lambda info: info.val_loss, default=None)
    for info in infos[keep:]:
        if info != best:
            info.path.unlink(missing_ok=True)
