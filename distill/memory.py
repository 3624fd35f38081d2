"""Where memory runs out: NumPy, torch and CUDA say so in three ways, here it is one."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from distill.errors import NotEnoughMemoryError

MOST_WHOLE_BYTES = 2 << 30
"""A sound that takes more is not held whole: 3 h at 48 kHz."""

_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in words for part in _WORDS)


@contextlib.contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Turns running out of memory within the block into an error of ours.

    Raises:
        NotEnoughMemoryError: naming `what`.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if isinstance(error, NotEnoughMemoryError) or not is_out_of_memory(error):
            raise
        raise NotEnoughMemoryError(
            f"{what}: the memory of this machine does not suffice; close other programs, or use "
            "a shorter sound or a smaller model"
        ) from error


def check_whole(samples: int, sample_rate: int, what: str, instead: str) -> None:
    """Refuses a sound that would take the memory of the machine, before anything is made of it.

    Args:
        samples: as many float32 ones.
        sample_rate: of them, in Hz.
        what: is asked for.
        instead: what serves sounds of any length.

    Raises:
        NotEnoughMemoryError: they take more than `MOST_WHOLE_BYTES`.
    """
    if 4 * samples > MOST_WHOLE_BYTES:
        raise NotEnoughMemoryError(
            f"{what}: {samples / sample_rate / 3600:.1f} h of sound need {samples / 2**28:.1f} GiB "
            f"at once; up to {MOST_WHOLE_BYTES / 2**30:.0f} are taken: {instead}"
        )
