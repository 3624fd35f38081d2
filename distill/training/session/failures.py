"""What ended a training, as an error that says what to do."""

from __future__ import annotations

import errno

import torch

from distill.errors import TrainingError

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # Linux, Windows, MPS
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


def with_advice(error: Exception) -> Exception:
    """The error; where memory or a disk ran out, one that says what to do about it."""
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _NO_MEMORY)
    )
    if is_full(error):
        return TrainingError(
            f"the disk is full ({error}): nothing that a checkpoint holds is lost; make room, then "
            "resume"
        )
    if out_of_memory:
        detail = (str(error) or "MemoryError").splitlines()[0]
        return TrainingError(
            "out of memory: a smaller batch_size, segment_frames or width needs less; "
            f"the run can be resumed ({detail})"
        )
    return error


def is_full(error: BaseException | None) -> bool:
    """Whether it comes from a disk, or a share of one, that has no room left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        error = error.__cause__
    return False
