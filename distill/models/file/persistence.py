"""The `.distill` file, version 2: one safetensors file that holds a model and all about it."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from distill.checked import brief
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL, level_labels
from distill.config import TrainingConfig, VQVAEConfig
from distill.errors import (
    ConfigError,
    CorruptModelError,
    ModelTypeError,
    OutsideDataError,
)
from distill.models.device import choose_device
from distill.models.file.container import (
    SAVED_MODEL_VERSION_V2,
    Header,
    model_digest,
    read_container,
    read_header,
    rewrite_texts,
    write_container,
)
from distill.models.file.sections import (
    SECTIONS,
    Sections,
    check_said,
    read_sections,
    thinned,
)
from distill.models.file.weights import check_numbers, check_tensors
from distill.models.use.loaded import LoadedVQModel
from distill.models.vqvae.model import ConvVQVAE
from distill.names import printable
from distill.versions import library_versions

__all__ = [
    "SAVED_MODEL_VERSION_V2",
    "ModelInfo",
    "edit_metadata",
    "load_model_v2",
    "read_model_info",
    "save_model_v2",
]

_MODEL_TYPE = "vqvae"
_DIGEST = re.compile("[0-9a-f]{64}")
_TRAINING_FIELDS = frozenset(item.name for item in dataclasses.fields(TrainingConfig))


@dataclass(frozen=True)
class ModelInfo:
    """What a `.distill` file says of itself, without its weights."""

    path: Path
    config: VQVAEConfig
    metadata: dict[str, Any]
    """name, description, tags, created (UTC), corpus, level_labels, versions."""
    codebook_health: tuple[LevelHealth, ...]
    loss_curves: dict[str, list[float]]
    extra: dict[str, str]
    """Metadata keys this version does not know, kept on re-save."""
    parameters: int
    """Numbers in all tensors."""
    file_bytes: int
    digest: str | None
    """What tells the model from every other, whatever its name; None in a file that was written
    before files said it: see `LoadedVQModel.digest`.
    """
    passed_over: tuple[str, ...]
    """Fields that this version does not know or cannot use, as `metadata.tags`; kept on re-save."""
    texts: Mapping[str, str] = field(repr=False)
    """All sections as they stand in the file."""

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.metadata.get("name", printable(self.path.stem)))


def save_model_v2(
    path: str | os.PathLike[str],
    model: ConvVQVAE | LoadedVQModel,
    *,
    metadata: Mapping[str, Any] | None = None,
    codebook_health: Sequence[LevelHealth] | None = None,
    loss_curves: Mapping[str, Sequence[float]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a model, whole or not at all.

    Args:
        path: by custom ends in `.distill`.
        model: a trained model, or a loaded one, whose own data fills what is not given.
        metadata: name, description, tags, corpus, level_labels, or anything JSON holds.
        codebook_health: the last validated snapshot.
        loss_curves: one list for each curve.
        overwrite: replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        ModelFileError: it cannot be written, or its weights are NaN or absurd; what lay there
            before is untouched.
        ConfigError: something that cannot be read again: metadata that JSON does not hold, health
            or curves that are none.
    """
    texts: dict[str, str] = {}
    before: Sections | None = None
    known: dict[str, Any] = {}
    if isinstance(model, LoadedVQModel):
        texts = {**model.extra, **model.sections}
        before = read_sections(model.sections) if model.sections else None
        known = model.metadata
        codebook_health = model.codebook_health if codebook_health is None else codebook_health
        loss_curves = model.loss_curves if loss_curves is None else loss_curves
        model = model.model
    health = tuple(codebook_health or ())
    curves = {name: list(values) for name, values in (loss_curves or {}).items()}
    unusable = before.passed_over.get("metadata", {}) if before else {}
    defaults = {k: v for k, v in _defaults(path, model.config).items() if k not in unusable}
    meta = {**defaults, **known, **(metadata or {})}
    texts |= _changed(Sections(model.config, meta, health, curves, {}), before)
    try:
        read_sections(texts)
    except (OutsideDataError, ConfigError) as error:
        raise ConfigError(f"what could not be read again: {error}") from error
    tensors = model.state_dict()
    check_numbers(tensors, printable(Path(path).name))
    texts["model_digest"] = model_digest(tensors, model.config)
    texts["model_type"] = _MODEL_TYPE
    return write_container(path, tensors, texts, overwrite=overwrite)


def _defaults(path: str | os.PathLike[str], config: VQVAEConfig) -> dict[str, Any]:
    return {
        "name": printable(Path(path).stem),
        "description": "",
        "tags": [],
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "level_labels": list(level_labels(config.levels)),
        "versions": library_versions(),
    }


def _changed(now: Sections, before: Sections | None) -> dict[str, str]:
    """The sections that are not as they were read, as texts; fields that were passed over stay."""
    passed_over = before.passed_over if before else {}
    config = now.config.to_dict()
    spectrogram = config.pop("spectrogram")
    values: dict[str, Any] = {}
    if before is None or before.config != now.config:
        values["vqvae_config"] = {k: v for k, v in config.items() if k not in _TRAINING_FIELDS}
        values["training_config"] = {k: v for k, v in config.items() if k in _TRAINING_FIELDS}
        values["spectrogram_config"] = spectrogram
    if before is None or before.codebook_health != now.codebook_health:
        values["codebook_health"] = list(map(_plain, now.codebook_health))
    if before is None or not _same_curves(before.loss_curves, now.loss_curves):
        values["loss_curves"] = {name: thinned(curve) for name, curve in now.loss_curves.items()}
    if before is None or before.metadata != now.metadata:
        values["metadata"] = now.metadata
    return {
        name: _json({**passed_over.get(name, {}), **value} if isinstance(value, dict) else value)
        for name, value in values.items()
    }


def _plain(level: Any) -> Any:
    return dataclasses.asdict(level) if isinstance(level, LevelHealth) else level


def _same_curves(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # NaN is as it was, which == does not say


def _json(value: Any) -> str:
    try:  # NaN, which JSON does not have, becomes null
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"metadata that JSON cannot hold: {error}") from error


def read_model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Reads a model's header; its weights stay on the disk.

    Raises:
        ModelFileError: one of its children says why: no model, another version, another family,
            cut off or altered.
    """
    return _info(read_header(path))


def load_model_v2(path: str | os.PathLike[str], *, device: str = "cpu") -> LoadedVQModel:
    """Loads a model, ready to encode and decode; nothing in the file is executed.

    Args:
        path: a `.distill` file.
        device: where its weights go: auto, cpu, cuda, cuda:1 or mps.

    Raises:
        ModelFileError: see `read_model_info`; also where a weight is missing or misshapen.
        ConfigError: no such device.
    """
    header, tensors = read_container(
        path, approve=lambda header: check_tensors(header, _info(header).config)
    )
    info = _info(header)
    model = ConvVQVAE(info.config)
    model.load_state_dict(tensors)
    check_numbers(model.state_dict(), printable(header.path.name))
    loaded = LoadedVQModel(
        model.to(choose_device(device)).eval(),
        metadata=info.metadata,
        codebook_health=info.codebook_health,
        loss_curves=info.loss_curves,
        extra=info.extra,
        path=info.path,
        sections={name: info.texts[name] for name in SECTIONS},
    )
    if info.digest not in (None, loaded.digest):
        name = printable(header.path.name)
        raise CorruptModelError(f"{name}: its weights are not those of its digest")
    return loaded


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
        ModelFileError: see `load_model_v2`; also where it cannot be written.

    Example:
        `edit_metadata("choir.distill", name="Choir", tags=["voice"])`
    """

    def changed(header: Header) -> dict[str, str]:
        return {**header.texts, "metadata": _edited(_info(header), changes)}

    rewrite_texts(path, changed)
    return read_model_info(path)


def _edited(info: ModelInfo, changes: Mapping[str, Any]) -> str:
    levels = info.config.levels
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
        info.texts["metadata"], type=dict[str, msgspec.Raw]
    )
    merged = {**before, **changes}
    text = _json({k: v for k, v in merged.items() if v is not None})
    for name, value in changes.items():
        try:
            check_said(name, value, levels)
        except OutsideDataError as error:
            if value is not None:
                raise ConfigError(str(error)) from error
    return text


def _info(header: Header) -> ModelInfo:
    texts, name = header.texts, printable(header.path.name)
    if texts.get("model_type") != _MODEL_TYPE:
        found = brief(texts.get("model_type", "not given"))
        raise ModelTypeError(f"{name}: holds a model of type {found!r}; expected {_MODEL_TYPE!r}")
    for section in SECTIONS:
        if section not in texts:
            raise CorruptModelError(f"{name}: its section {section!r} is missing")
    digest = texts.get("model_digest")
    try:
        said = read_sections(texts)
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise OutsideDataError("model_digest: expected 64 hexadecimal digits")
    except (OutsideDataError, ConfigError) as error:
        raise CorruptModelError(f"{name}: its header is altered ({error})") from error
    return ModelInfo(
        path=header.path,
        config=said.config,
        metadata=said.metadata,
        codebook_health=said.codebook_health,
        loss_curves=said.loss_curves,
        extra={key: value for key, value in texts.items() if key not in _KNOWN_KEYS},
        parameters=sum(map(math.prod, header.tensors.values())),
        file_bytes=header.file_bytes,
        digest=digest,
        passed_over=tuple(
            f"{section}.{brief(key, 60)}"
            for section, fields in said.passed_over.items()
            for key in fields
        ),
        texts=texts,
    )


_KNOWN_KEYS = frozenset({"format", "version", "checksum", "model_type", "model_digest", *SECTIONS})
