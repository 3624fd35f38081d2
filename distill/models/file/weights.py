"""Whether tensors are those of a model, asked before the model is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from distill.checked import brief
from distill.config import MOST_PARAMETERS, TrainingConfig
from distill.errors import CorruptModelError
from distill.family import Family
from distill.models.file.container import Header
from distill.names import printable

MOST_OTHER_BYTES = 4 * MOST_PARAMETERS
"""Of the tensors of sections that this version does not know: as much as the largest model has."""
_LARGEST = 1e15


def check_tensors(
    header: Header, config: TrainingConfig, family: Family, other_sections: Collection[str]
) -> None:
    """Checks that a file has the tensors of its config; takes no memory for them.

    Args:
        header: of the file.
        config: of the model.
        family: of the model.
        other_sections: names of sections that may have tensors of their own.

    Raises:
        CorruptModelError: one is missing, too many, or of another shape or type.
    """
    name = printable(header.path.name)
    with torch.device("meta"):
        expected = family.build(config).state_dict()
    for key, tensor in expected.items():
        if key not in header.tensors:
            raise CorruptModelError(f"{name}: the tensor {key!r} is missing")
        if header.tensors[key] != tuple(tensor.shape):
            raise CorruptModelError(
                f"{name}: the tensor {key!r} has shape {header.tensors[key]}; expected "
                f"{tuple(tensor.shape)}"
            )
        kind = header.places[key].dtype
        if tensor.is_floating_point() != kind.startswith(("F", "BF")):
            raise CorruptModelError(f"{name}: the tensor {key!r} is of type {kind}")
    parts = {section_of(key) for key in expected}
    others = [key for key in header.tensors if key not in expected]
    for key in others:
        if section_of(key) in parts or section_of(key) not in other_sections:
            raise CorruptModelError(
                f"{name}: the tensor {brief(key)!r} belongs to no part of the model"
            )
    _check_size(header, others)


def section_of(tensor: str) -> str:
    """The section a tensor would belong to: its name up to the first dot, "" where it has none."""
    section, dot, _ = tensor.partition(".")
    return section if dot else ""


def check_numbers(tensors: Mapping[str, Tensor], name: str) -> None:
    """Checks that weights are numbers that can sound.

    Raises:
        CorruptModelError: NaN, Inf, or beyond all measure.
    """
    for key, tensor in tensors.items():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        if not float(tensor.abs().max()) <= _LARGEST:  # which NaN is not either
            raise CorruptModelError(
                f"{name}: the tensor {key!r} holds NaN, Inf or numbers beyond {_LARGEST:g}; use an "
                "earlier model or checkpoint"
            )


def _check_size(header: Header, others: list[str]) -> None:
    size = sum(header.places[key].end - header.places[key].start for key in others)
    if size > MOST_OTHER_BYTES:
        raise CorruptModelError(
            f"{printable(header.path.name)}: sections that this version does not know take {size} "
            f"bytes; expected at most {MOST_OTHER_BYTES}"
        )
