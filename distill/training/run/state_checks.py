"""Checks of values from a checkpoint: kinds, shapes, lengths and ranges, each named."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from distill.errors import CheckpointError

_LARGEST_COUNT = 2**53


def expect(is_right: bool, name: str, found: str = "") -> None:
    """Refuses a value.

    Args:
        is_right: whether it is what it should be.
        name: of the value.
        found: what it is instead, to end the message with.

    Raises:
        CheckpointError: it is not.
    """
    if not is_right:
        raise CheckpointError(f"{name} is not what a checkpoint of this run holds{found}")


def table(value: Any, name: str) -> dict[Any, Any]:
    """A dictionary.

    Raises:
        CheckpointError: it is something else.
    """
    expect(isinstance(value, dict), name, f": found {type(value).__name__}, expected a table")
    found: dict[Any, Any] = value
    return found


def member(fields: dict[Any, Any], name: str) -> Any:
    """A value of a table.

    Raises:
        CheckpointError: it is missing.
    """
    if name not in fields:
        raise CheckpointError(f"{name} is missing")
    return fields[name]


def check_count(value: Any, name: str) -> None:
    """Refuses all but whole numbers from 0 that a float holds exactly.

    Raises:
        CheckpointError: it is something else.
    """
    is_right = type(value) is int and 0 <= value <= _LARGEST_COUNT
    expect(is_right, name, f": found {brief_value(value)}")


def check_counts(value: Any, name: str, length: int) -> None:
    """Refuses all but a list of so many counts.

    Raises:
        CheckpointError: it is something else.
    """
    expect(isinstance(value, list) and len(value) == length, name)
    for item in value:
        check_count(item, name)


def check_number(value: Any, name: str, *, low: float = -math.inf, infinite: bool = False) -> None:
    """Refuses all but numbers of at least `low`; NaN always, Inf unless `infinite`.

    Raises:
        CheckpointError: it is something else.
    """
    is_number = type(value) is float or (type(value) is int and abs(value) <= _LARGEST_COUNT)
    right = is_number and (
        (math.isfinite(value) or (infinite and value == math.inf)) and value >= low
    )
    expect(right, name, f": found {brief_value(value)}")


def check_tensor(
    value: Any, name: str, shape: tuple[int, ...], dtype: torch.dtype, *, low: float | None = 0
) -> None:
    """Refuses all but plain, finite tensors of a shape and type, of numbers of at least `low`.

    Raises:
        CheckpointError: it is something else.
    """
    plain = type(value) is Tensor and value.layout == torch.strided and value.device.type == "cpu"
    expect(plain, name, f": found {type(value).__name__}")
    expect(
        tuple(value.shape) == shape and value.dtype == dtype,
        name,
        f": found {tuple(value.shape)} of {value.dtype}, expected {shape} of {dtype}",
    )
    expect(not value.requires_grad and not value.is_neg() and not value.is_conj(), name)
    if value.is_floating_point():
        expect(bool(torch.isfinite(value).all()), name, ": found NaN or Inf")
    if low is not None and value.numel() and value.dtype != torch.bool:
        expect(bool((value >= low).all()), name, f": found numbers below {low}")


def check_generator(value: Any, name: str) -> None:
    """Refuses all but states of a random generator.

    Raises:
        CheckpointError: it is something else.
    """
    like = torch.Generator().get_state()
    check_tensor(value, name, tuple(like.shape), torch.uint8)
    try:
        torch.Generator().set_state(value)
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(f"{name} is no state of a random generator ({error})") from error


def brief_value(value: Any) -> str:
    """A value, or its type where it may be large, as a message shows it."""
    if isinstance(value, (bool, float)) or value is None:
        return str(value)
    is_small = isinstance(value, int) and abs(value) < _LARGEST_COUNT
    return str(value) if is_small else type(value).__name__
