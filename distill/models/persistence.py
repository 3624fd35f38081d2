"""The `.distill` file, version 2: one safetensors file that holds a model and all about it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from distill.codebook.health import LevelHealth
from distill.codebook.labels import level_labels
from distill.config import TrainingConfig, VQVAEConfig
from distill.errors import ConfigError, CorruptModelError, ModelTypeError
from distill.models.container import (
    SAVED_MODEL_VERSION_V2,
    Header,
    read_container,
    read_header,
    rewrite_texts,
    write_container,
)
from distill.models.device import choose_device
from distill.models.loaded import LoadedVQModel
from distill.models.vqvae import ConvVQVAE
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

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.metadata.get("name", self.path.stem))


def save_model_v2(
    path: str | os.PathLike[str],
    model: ConvVQVAE | LoadedVQModel,
    *,
    metadata: Mapping[str, Any] | None = None,
    codebook_health: Sequence[LevelHealth] | None = None,
    loss_curves: Mapping[str, Sequence[float]] | None = None,
) -> Path:
    """Writes a model, whole or not at all.

    Args:
        path: by custom ends in `.distill`.
        model: a trained model, or a loaded one, whose own data fills what is not given.
        metadata: name, description, tags, corpus, level_labels, or anything JSON holds.
        codebook_health: the last validated snapshot.
        loss_curves: one list for each curve.

    Raises:
        ModelFileError: it cannot be written; what lay there before is untouched.
    """
    known: dict[str, Any] = {}
    extra: dict[str, str] = {}
    if isinstance(model, LoadedVQModel):
        known, extra = dict(model.metadata), dict(model.extra)
        codebook_health = model.codebook_health if codebook_health is None else codebook_health
        loss_curves = model.loss_curves if loss_curves is None else loss_curves
        model = model.model
    config = model.config.to_dict()
    spectrogram = config.pop("spectrogram")
    defaults = {
        "name": Path(path).stem,
        "description": "",
        "tags": [],
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "level_labels": list(level_labels(model.config.levels)),
        "versions": library_versions(),
    }
    sections = {
        "vqvae_config": {k: v for k, v in config.items() if k not in _TRAINING_FIELDS},
        "spectrogram_config": spectrogram,
        "training_config": {k: v for k, v in config.items() if k in _TRAINING_FIELDS},
        "codebook_health": [dataclasses.asdict(level) for level in codebook_health or ()],
        "loss_curves": {name: list(values) for name, values in (loss_curves or {}).items()},
        "metadata": {**defaults, **known, **(metadata or {})},
    }
    # NaN, which JSON does not have, becomes null.
    texts = {key: msgspec.json.encode(value).decode() for key, value in sections.items()}
    return write_container(path, model.state_dict(), {**extra, **texts, "model_type": _MODEL_TYPE})


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
    header, tensors = read_container(path)
    info = _info(header)
    model = ConvVQVAE(info.config)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    _check_shapes(header, expected)
    model.load_state_dict(tensors)
    return LoadedVQModel(
        model.to(choose_device(device)).eval(),
        metadata=info.metadata,
        codebook_health=info.codebook_health,
        loss_curves=info.loss_curves,
        extra=info.extra,
        path=info.path,
    )


def edit_metadata(path: str | os.PathLike[str], **changes: Any) -> ModelInfo:
    """Changes what a model file says of itself; its weights stay as they are, bit for bit.

    The file is replaced whole or not at all, and checked before: it is read once, but no model is
    built.

    Args:
        path: a `.distill` file.
        changes: name, description, tags, level_labels, or anything JSON holds; None takes away.

    Raises:
        ConfigError: level_labels that do not fit the levels, or a value that JSON cannot hold.
        ModelFileError: see `load_model_v2`; also where it cannot be written.

    Example:
        `edit_metadata("choir.distill", name="Choir", tags=["voice"])`
    """

    def changed(header: Header) -> dict[str, str]:
        return {**header.texts, "metadata": _edited(_info(header), changes)}

    rewrite_texts(path, changed)
    return read_model_info(path)


def _edited(info: ModelInfo, changes: Mapping[str, Any]) -> str:
    labels = changes.get("level_labels")
    if labels is not None and len(labels) != info.config.levels:
        raise ConfigError(
            f"{len(labels)} level_labels: expected {info.config.levels}, one for each level"
        )
    merged = {**info.metadata, **changes}
    try:
        return msgspec.json.encode({k: v for k, v in merged.items() if v is not None}).decode()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"metadata that JSON cannot hold: {error}") from error


_SECTIONS = (
    "vqvae_config",
    "spectrogram_config",
    "training_config",
    "codebook_health",
    "loss_curves",
    "metadata",
)
_KNOWN_KEYS = frozenset({"format", "version", "checksum", "model_type", *_SECTIONS})


def _info(header: Header) -> ModelInfo:
    texts, name = header.texts, header.path.name
    if texts.get("model_type") != _MODEL_TYPE:
        raise ModelTypeError(
            f"{name}: holds a model of type {texts.get('model_type')!r}; expected {_MODEL_TYPE!r}"
        )
    try:
        config = VQVAEConfig.from_dict(
            {
                **json.loads(texts["vqvae_config"]),
                **json.loads(texts["training_config"]),
                "spectrogram": json.loads(texts["spectrogram_config"]),
            }
        )
        metadata = json.loads(texts["metadata"])
        if not isinstance(metadata, dict):
            raise TypeError("metadata that is no table")
        health = tuple(LevelHealth(**level) for level in json.loads(texts["codebook_health"]))
        return ModelInfo(
            path=header.path,
            config=config,
            metadata=metadata,
            codebook_health=health,
            loss_curves={
                name: [math.nan if value is None else value for value in curve]
                for name, curve in json.loads(texts["loss_curves"]).items()
            },
            extra={key: value for key, value in texts.items() if key not in _KNOWN_KEYS},
            parameters=sum(_size(shape) for shape in header.tensors.values()),
            file_bytes=header.path.stat().st_size,
        )
    except KeyError as error:
        raise CorruptModelError(f"{name}: its section {error.args[0]!r} is missing") from error
    except (ValueError, TypeError, AttributeError, ConfigError) as error:
        raise CorruptModelError(f"{name}: its header is altered ({error})") from error


def _check_shapes(header: Header, expected: dict[str, tuple[int, ...]]) -> None:
    name = header.path.name
    for key, shape in expected.items():
        if key not in header.tensors:
            raise CorruptModelError(f"{name}: the tensor {key!r} is missing")
        if header.tensors[key] != shape:
            raise CorruptModelError(
                f"{name}: the tensor {key!r} has shape {header.tensors[key]}; expected {shape}"
            )
    for key in header.tensors:
        if key not in expected:
            raise CorruptModelError(f"{name}: the tensor {key!r} belongs to no part of the model")


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
