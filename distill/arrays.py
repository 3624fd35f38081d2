"""Arrays as people have them (any type, byte order or library) as tensors of ours, or an error."""

from __future__ import annotations

import math
import numbers
import operator
import reprlib
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from distill.errors import ConfigError, DistillError, ShapeError

Array: TypeAlias = "Tensor | np.ndarray"

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 100, 1_536_000
LOUDEST = 1e10
"""No sound is this loud, not even whole numbers of 32 bits kept as floating point."""

_FOREIGN = (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError)
_Error = type[DistillError]


def as_floats(value: Array, name: str, *, error: _Error = ShapeError) -> Tensor:
    """Floating-point numbers of any type, byte order and layout as a float32 tensor.

    Args:
        value: a tensor or an array; it is never written to.
        name: what it is called in messages.
        error: the class to raise.

    Returns:
        A dense float32 tensor of the same shape, on the same device; it may share memory.

    Raises:
        DistillError: of that class: no tensor and no array, or of another kind of number.
    """
    try:
        if isinstance(value, np.ndarray):
            return _floats_of_array(value, name, error)
        _check_tensor(value, name, error)
        if not value.is_floating_point():
            raise error(f"{name} holds {value.dtype}; {_FLOATS}")
        return value.detach().float()
    except DistillError:
        raise
    except _FOREIGN as foreign:
        raise error(
            f"{name} ({type(value).__name__}) cannot be read as numbers: {_line(foreign)}"
        ) from foreign


def as_tensor(value: Array, name: str, *, error: _Error = ShapeError) -> Tensor:
    """As `as_floats`; but a tensor of floating point is given back itself, with its gradient.

    Raises:
        DistillError: see `as_floats`.
    """
    if isinstance(value, Tensor) and value.is_floating_point():
        _check_tensor(value, name, error)
        return value
    return as_floats(value, name, error=error)


def as_place(value: Any, name: str, count: int, *, error: _Error) -> int:
    """A place from 0 to count - 1, in any form of a whole number.

    Raises:
        DistillError: of that class: none, or outside.
    """
    place = as_int(value)
    if place is None or not 0 <= place < count:
        raise error(f"{name}={reprlib.repr(value)}: expected 0 to {count - 1}")
    return place


def as_count(value: Any, name: str, most: int, *, least: int = 1, error: _Error) -> int:
    """How many, in any form of a whole number.

    Raises:
        DistillError: of that class: none, or outside `least` to `most`.
    """
    count = as_int(value)
    if count is None or not least <= count <= most:
        expected = f"a whole number from {least} to {most}"
        raise error(f"{name}={reprlib.repr(value)}: expected {expected}")
    return count


def as_whole_numbers(value: Array, name: str, *, error: _Error = ShapeError) -> Tensor:
    """Whole numbers of any type and byte order as an int64 tensor of the same shape.

    Args:
        value: a tensor or an array; it is never written to.
        name: what it is called in messages.
        error: the class to raise.

    Raises:
        DistillError: of that class: no tensor and no array, of another kind of number, or beyond
            64 bits.
    """
    try:
        if isinstance(value, np.ndarray):
            return _whole_of_array(value, name, error)
        _check_tensor(value, name, error)
        kind = value.dtype
        if kind.is_floating_point or kind.is_complex or kind == torch.bool or value.is_quantized:
            raise error(f"{name} holds {kind}; {_WHOLE}")
        return value.detach().to(torch.int64)
    except DistillError:
        raise
    except _FOREIGN as foreign:
        raise error(
            f"{name} ({type(value).__name__}) cannot be read as numbers: {_line(foreign)}"
        ) from foreign


def as_sound(waveform: Array) -> Tensor:
    """A mono waveform as a tensor, (samples,) float32.

    Raises:
        ShapeError: a batch, channels, no samples, whole numbers, NaN, Inf, or louder than sound is.
    """
    if not isinstance(waveform, (Tensor, np.ndarray)):
        raise ShapeError(f"waveform is a {type(waveform).__name__}; expected a tensor or an array")
    if isinstance(waveform, Tensor):  # a nested one has no shape to ask for
        _check_tensor(waveform, "waveform", ShapeError)
    shape = tuple(waveform.shape)
    if len(shape) != 1:
        raise ShapeError(
            f"waveform {shape}: expected mono (samples,); mix its channels to one first, give the "
            "sounds of a batch one by one"
        )
    if not shape[0]:
        raise ShapeError("waveform has 0 samples; expected at least 1")
    sound = as_floats(waveform, "waveform")
    if not torch.isfinite(sound).all():
        at = int((~torch.isfinite(sound)).nonzero()[0])
        raise ShapeError(f"waveform holds NaN or Inf at sample {at}")
    loudest = float(sound.abs().max())
    if loudest > LOUDEST:
        raise ShapeError(f"waveform holds {loudest:.1e} at sample {int(sound.abs().argmax())}")
    return sound


def as_rate(rate: Any, *, lowest: int = LOWEST_RATE_HZ) -> int:
    """A sample rate in any form that is a whole number, 44100.0 too.

    Raises:
        ConfigError: none, or beyond what is taken.
    """
    whole = as_int(rate)
    if whole is None or whole <= 0:
        raise ConfigError(f"sample_rate={reprlib.repr(rate)}: expected samples a second, above 0")
    if not lowest <= whole <= HIGHEST_RATE_HZ:
        raise ConfigError(
            f"sample_rate={reprlib.repr(rate)}: expected {lowest} to {HIGHEST_RATE_HZ} samples a "
            "second"
        )
    return whole


def as_int(value: Any) -> int | None:
    """A whole number in any form (NumPy's, 3.0, a tensor of one); None where it is none."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return int(operator.index(value))
    except _FOREIGN:
        pass
    number = as_float(value)
    return int(number) if number is not None and math.isfinite(number) and number % 1 == 0 else None


def as_float(value: Any) -> float | None:
    """A number in any form; None where it is none."""
    if isinstance(value, (Tensor, np.ndarray)):
        try:
            value = value.item() if value.ndim == 0 else None
        except _FOREIGN:
            return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, Decimal)):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError):
        return None


_FLOATS = "expected floating point from -1 to 1 (divide 16-bit samples by 32768)"
_WHOLE = "expected whole numbers"


def _check_tensor(value: Any, name: str, error: _Error) -> None:
    if not isinstance(value, Tensor):
        raise error(f"{name} is a {type(value).__name__}; expected a tensor or an array")
    if value.is_meta:
        raise error(f"{name} is a tensor without content (device meta)")
    if value.layout != torch.strided or value.is_nested:
        raise error(f"{name} is a {value.layout} tensor; expected a dense one (to_dense())")


def _floats_of_array(value: np.ndarray, name: str, error: _Error) -> Tensor:
    _check_array(value, name, error)
    if value.dtype.kind != "f":
        raise error(f"{name} holds {_type(value)}; {_FLOATS}")
    return _shared(value, np.dtype(np.float32))


def _whole_of_array(value: np.ndarray, name: str, error: _Error) -> Tensor:
    _check_array(value, name, error)
    if value.dtype.kind not in "iu":
        raise error(f"{name} holds {_type(value)}; {_WHOLE}")
    if value.dtype.kind == "u" and value.size and int(value.max()) > np.iinfo(np.int64).max:
        raise error(f"{name} holds {int(value.max())}; expected numbers of 64 bits")
    return _shared(value, np.dtype(np.int64))


def _check_array(value: np.ndarray, name: str, error: _Error) -> None:
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise error(f"{name} has masked places; fill them first (filled())")


def _shared(value: np.ndarray, kind: np.dtype[Any]) -> Tensor:
    array = np.asarray(value)
    # torch cannot share what is read-only, backwards, or in the other byte order.
    if array.dtype != kind or not (array.flags.writeable and array.flags.c_contiguous):
        with np.errstate(all="ignore"):  # what is too large becomes infinite, and is found so
            array = array.astype(kind, order="C")
    return torch.from_numpy(array)


def _type(value: np.ndarray) -> str:
    # As torch calls it where torch has it, so that both kinds of arrays give one message.
    name = value.dtype.name
    return f"torch.{name}" if hasattr(torch, name) else str(value.dtype)


def _line(foreign: Exception) -> str:
    return (str(foreign).splitlines() or [""])[0][:100]
