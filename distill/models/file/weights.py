"""Whether tensors are those of a model, asked before the model is made."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from distill.checked import brief
from distill.config import VQVAEConfig
from distill.errors import CorruptModelError
from distill.models.file.container import Header
from distill.models.vqvae.model import ConvVQVAE
from distill.names import printable

_LARGEST = 1e15


def check_tensors(header: Header, config: VQVAEConfig) -> None:
    """Whether a file has the tensors of its config; takes no memory for them.

    Raises:
        CorruptModelError: one is missing, too many, or of another shape or type.
    """
    name = printable(header.path.name)
    with torch.device("meta"):
        expected = ConvVQVAE(config).state_dict()
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
    for key in header.tensors:
        if key not in expected:
            raise CorruptModelError(
                f"{name}: the tensor {brief(key)!r} belongs to no part of the model"
            )


def check_numbers(tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Whether weights are numbers that can sound.

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
