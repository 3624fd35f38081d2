"""Opens `.distill` files: a model of whatever family, ready for use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from distill.errors import CorruptModelError, ModelTypeError
from distill.family import VQVAE, family
from distill.models.device import choose_device
from distill.models.file.container import Header, read_container
from distill.models.file.info import ModelInfo, family_in, info_of
from distill.models.file.sections import section_names
from distill.models.file.weights import check_numbers, check_tensors
from distill.models.use.base import LoadedModel
from distill.names import printable

if TYPE_CHECKING:  # a model of another family is opened without the library of codebooks
    from distill.models.use.loaded import LoadedVQModel


def load_model(path: str | os.PathLike[str], *, device: str = "cpu") -> LoadedModel[Any]:
    """Loads a model of any family, ready for use; nothing in the file is executed.

    Args:
        path: a `.distill` file.
        device: where its weights go: auto, cpu, cuda, cuda:1 or mps.

    Returns:
        The family's own kind of it; of an RVQ-VAE a `LoadedVQModel`.

    Raises:
        ModelFileError: see `read_model_info`; also where a weight is missing or misshapen.
        ConfigError: no such device.
    """
    header, tensors = read_container(path, approve=_approve)
    return _opened(header, info_of(header), tensors, device)


def load_model_v2(path: str | os.PathLike[str], *, device: str = "cpu") -> LoadedVQModel:
    """Loads an RVQ-VAE, ready to encode and decode; see `load_model`, which opens any family.

    Args:
        path: a `.distill` file.
        device: where its weights go: auto, cpu, cuda, cuda:1 or mps.

    Raises:
        ModelTypeError: it holds a model of another family.
        ModelFileError: see `load_model`.
        ConfigError: no such device.
    """

    def approve(header: Header) -> None:
        found = family_in(header)
        if found is not family(VQVAE):
            raise ModelTypeError(
                f"{printable(header.path.name)}: holds a {found.title} model "
                f"({found.name!r}, version {found.file_version}); load_model(path) opens it"
            )
        _approve(header)

    header, tensors = read_container(path, approve=approve)
    loaded: LoadedVQModel = _opened(header, info_of(header), tensors, device)
    return loaded


def _approve(header: Header) -> None:
    info = info_of(header)
    check_tensors(header, info.config, family(info.family), info.extra)


def _opened(header: Header, info: ModelInfo, tensors: Mapping[str, Tensor], device: str) -> Any:
    name, of = printable(header.path.name), family(info.family)
    model = of.build(info.config)
    own = model.state_dict().keys()
    model.load_state_dict({key: tensor for key, tensor in tensors.items() if key in own})
    check_numbers(model.state_dict(), name)
    loaded = of.open(
        model.to(choose_device(device)).eval(),
        metadata=info.metadata,
        health=info.health,
        loss_curves=info.loss_curves,
        extra=info.extra,
        path=info.path,
        sections={section: info.texts[section] for section in section_names(of)},
        # Copies: a tensor as it was read keeps the bytes of the whole file in memory.
        other_tensors={key: tensor.clone() for key, tensor in tensors.items() if key not in own},
    )
    if info.digest not in (None, loaded.digest):
        raise CorruptModelError(f"{name}: its weights are not those of its digest")
    return loaded
