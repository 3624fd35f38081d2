"""Writes `.distill` files: one safetensors file holds a model of any family and all about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

import msgspec
from torch import Tensor, nn

from distill.checked import brief
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL
from distill.errors import ConfigError, ModelFileError, ModelTypeError, OutsideDataError
from distill.family import VQVAE, Family, family, family_of
from distill.models.file.container import (
    Header,
    container_bytes,
    rewrite_texts,
    write_container,
)
from distill.models.file.digest import model_digest
from distill.models.file.info import ModelInfo, info_of, read_model_info
from distill.models.file.metadata import check_said
from distill.models.file.sections import (
    METADATA,
    Sections,
    changed_sections,
    read_sections,
    to_json,
)
from distill.models.file.weights import check_numbers, check_tensors
from distill.names import as_path, printable
from distill.versions import library_versions


class ModelInUse(Protocol):
    """A model with what is known about it; see `LoadedModel`."""

    @property
    def model(self) -> Any:
        """The network."""

    metadata: dict[str, Any]
    health: tuple[Any, ...]
    loss_curves: dict[str, list[float]]
    extra: dict[str, str]
    sections: dict[str, str]
    other_tensors: dict[str, Tensor]


def save_model(
    path: str | os.PathLike[str],
    model: nn.Module | ModelInUse,
    *,
    metadata: Mapping[str, Any] | None = None,
    health: Sequence[Any] | None = None,
    loss_curves: Mapping[str, Sequence[float]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a model of any family, whole or not at all.

    Args:
        path: by custom ends in `.distill`.
        model: a trained model, or a loaded one, whose own data fills what is not given.
        metadata: name, description, tags, corpus, level_labels, or anything JSON holds.
        health: the last validated snapshot of its bottleneck.
        loss_curves: one list for each curve.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        ModelFileError: it cannot be written, or its weights are NaN or absurd; what lay there
            before is untouched.
        ModelTypeError: of no known family.
        ConfigError: something that cannot be read again: metadata that JSON does not hold, health
            or curves that are none.
    """
    known = _known(model)
    before = read_sections(known.sections, known.family) if known.sections else None
    now = Sections(
        config=known.config,
        metadata={**_defaults(path, known, before), **known.metadata, **(metadata or {})},
        health=tuple(known.health if health is None else health),
        loss_curves={
            name: list(values)
            for name, values in (known.loss_curves if loss_curves is None else loss_curves).items()
        },
        passed_over={},
    )
    sections = {**known.sections, **changed_sections(now, before, known.family)}
    _check_readable(sections, known.family)
    tensors = known.network.state_dict()
    check_numbers(tensors, printable(as_path(path, ModelFileError).name))
    texts = {**known.extra, **sections, **_identity(tensors, known.config, known.family)}
    return write_container(path, {**tensors, **known.other_tensors}, texts, overwrite=overwrite)


def model_bytes(
    name: str, config: Any, weights: Mapping[str, Tensor], metadata: Mapping[str, Any]
) -> bytes:
    """The bytes of a model file, as `save_model` writes it, of weights that no model is made of.

    Args:
        name: of the file that is meant, for messages.
        config: of the model.
        weights: the state of the model, on whatever device.
        metadata: as in `save_model`.

    Raises:
        ModelFileError: the weights are NaN or absurd.
        ConfigError: see `save_model`.
    """
    of = family_of(config)
    now = Sections(
        config=config, metadata=dict(metadata), health=(), loss_curves={}, passed_over={}
    )
    sections = changed_sections(now, None, of)
    _check_readable(sections, of)
    check_numbers(weights, name)
    return container_bytes(name, weights, {**sections, **_identity(weights, config, of)})


def save_model_v2(
    path: str | os.PathLike[str],
    model: nn.Module | ModelInUse,
    *,
    metadata: Mapping[str, Any] | None = None,
    codebook_health: Sequence[LevelHealth] | None = None,
    loss_curves: Mapping[str, Sequence[float]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes an RVQ-VAE; see `save_model`, which writes any family.

    Args:
        path: as in `save_model`.
        model: as in `save_model`.
        metadata: as in `save_model`.
        codebook_health: the last validated snapshot, a row a level.
        loss_curves: as in `save_model`.
        overwrite: as in `save_model`.

    Raises:
        ModelTypeError: a model of another family.
        OutputExistsError: see `save_model`.
        ModelFileError: see `save_model`.
        ConfigError: see `save_model`.
    """
    found = _known(model).family
    if found is not family(VQVAE):
        raise ModelTypeError(f"a {found.title} model: save_model(path, model) saves it")
    return save_model(
        path,
        model,
        metadata=metadata,
        health=codebook_health,
        loss_curves=loss_curves,
        overwrite=overwrite,
    )


def edit_metadata(path: str | os.PathLike[str], **changes: Any) -> ModelInfo:
    """Changes what a model file says of itself; its weights stay as they are, bit for bit.

    The file is replaced whole or not at all, and checked before: it is read once, but no model is
    built.

    Args:
        path: a `.distill` file.
        changes: name, description, tags, level_labels, or anything JSON holds; None takes away.

    Raises:
        ConfigError: level_labels that do not fit the levels, a value that JSON cannot hold, or one
            of another form than distill reads there.
        ModelFileError: see `load_model`; also where it cannot be written.

    Example:
        `edit_metadata("choir.distill", name="Choir", tags=["voice"])`
    """

    def changed(header: Header) -> dict[str, str]:
        info = info_of(header)
        check_tensors(header, info.config, family(info.family), info.extra)
        return {**header.texts, METADATA: _edited(info, changes)}

    rewrite_texts(path, changed)
    return read_model_info(path)


@dataclass(frozen=True)
class _Known:
    """What is known of a model that is to be saved."""

    network: nn.Module
    config: Any
    family: Family
    metadata: Mapping[str, Any] = field(default_factory=dict)
    health: tuple[Any, ...] = ()
    loss_curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    other_tensors: Mapping[str, Tensor] = field(default_factory=dict)


def _known(model: nn.Module | ModelInUse) -> _Known:
    if isinstance(model, nn.Module):
        config: Any = model.config
        return _Known(model, config, family_of(config))
    return _Known(
        network=model.model,
        config=model.model.config,
        family=family_of(model.model.config),
        metadata=model.metadata,
        health=model.health,
        loss_curves=model.loss_curves,
        extra=model.extra,
        sections=model.sections,
        other_tensors=model.other_tensors,
    )


def _defaults(
    path: str | os.PathLike[str], known: _Known, before: Sections | None
) -> dict[str, Any]:
    """Metadata of a new file, without what the old one says in a form that was passed over."""
    labels = known.family.labels(known.config)
    usual = {
        "name": printable(as_path(path, ModelFileError).stem),
        "description": "",
        "tags": [],
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **({"level_labels": list(labels)} if labels else {}),
        "versions": library_versions(),
    }
    said = before.passed_over.get(METADATA, {}) if before else {}
    return {name: value for name, value in usual.items() if name not in said}


def _identity(tensors: Mapping[str, Tensor], config: Any, of: Family) -> dict[str, str]:
    """What model a file holds."""
    return {
        "model_digest": model_digest(tensors, config),
        "model_type": of.name,
        "version": str(of.file_version),
    }


def _check_readable(sections: Mapping[str, str], of: Family) -> None:
    try:
        read_sections(sections, of)
    except (OutsideDataError, ConfigError) as error:
        raise ConfigError(f"what could not be read again: {error}") from error


def _edited(info: ModelInfo, changes: Mapping[str, Any]) -> str:
    levels = len(family(info.family).labels(info.config))
    labels = changes.get("level_labels")
    if labels is not None and len(labels) != levels:
        raise ConfigError(f"{len(labels)} level_labels: expected {levels}, one for each level")
    for label in labels or ():
        if not isinstance(label, str) or not 0 < len(label) <= LONGEST_LABEL:
            raise ConfigError(
                f"the level label {brief(str(label), 60)!r}: expected 1 to {LONGEST_LABEL} "
                "characters"
            )
    before: dict[str, msgspec.Raw] = msgspec.json.decode(
        info.texts[METADATA], type=dict[str, msgspec.Raw]
    )
    merged = {**before, **changes}
    text = to_json({k: v for k, v in merged.items() if v is not None})
    for name, value in changes.items():
        try:
            check_said(name, value, levels)
        except OutsideDataError as error:
            if value is not None:
                raise ConfigError(str(error)) from error
    return text
