"""Short fades from and to silence: what is cut in full swing would click."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

FADE_S = 0.005

_Float = TypeVar("_Float", np.float32, np.float64)


def faded(
    sound: npt.NDArray[_Float], sample_rate: int, *, begin: bool = True, end: bool = True
) -> npt.NDArray[_Float]:
    """A sound that begins or ends within `FADE_S` from and to silence.

    Args:
        sound: (samples,).
        sample_rate: in Hz.
        begin: whether it begins in silence.
        end: whether it ends in silence.

    Returns:
        (samples,), a copy where anything changes; shorter fades where a sound is too short.
    """
    samples = min(round(FADE_S * sample_rate), len(sound) // max(1, begin + end))
    if not samples or not (begin or end):
        return sound
    faded, ramp = sound.copy(), np.linspace(0, 1, samples, dtype=sound.dtype)
    if begin:
        faded[:samples] *= ramp
    if end:
        faded[-samples:] *= ramp[::-1]
    return faded
