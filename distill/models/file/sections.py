"""The sections of a `.distill` header, read through types and ranges.

What decides the sound of a model (its config), and what only distill writes (health, curves), must
be right, or the file is refused. What people may write (metadata) counts as not said where it has
another form. Either way fields that are not known or not usable stay in the file.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from distill.checked import Count, Finite, Fraction, Name, Positive, brief, parse_json
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL
from distill.config import SpectrogramConfig, TrainingConfig, VQVAEConfig
from distill.errors import OutsideDataError

SECTIONS = (
    "vqvae_config",
    "spectrogram_config",
    "training_config",
    "codebook_health",
    "loss_curves",
    "metadata",
)
LONGEST_CURVE = 200_000
"""Epochs; of longer trainings every second one is kept, or every third, and so on."""
_LEVELS = 8
_MOST_PARTS = 200_000  # of a section: texts, lists and tables
_MOST_BYTES = 4 << 20  # of what people say; curves may take the whole header
_TRAINING = frozenset(item.name for item in dataclasses.fields(TrainingConfig))
_VQVAE = frozenset(item.name for item in dataclasses.fields(VQVAEConfig)) - _TRAINING
_VQVAE_NEEDED = (
    "levels",
    "codebook_size",
    "width",
    "encoder_depth",
    "decoder_depth",
    "kernel_size",
    "latent_dim",
    "stride",
)
_SPECTROGRAM = tuple(item.name for item in dataclasses.fields(SpectrogramConfig))
_CONFIGS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "vqvae_config": (_VQVAE - {"spectrogram"}, _VQVAE_NEEDED),
    "spectrogram_config": (frozenset(_SPECTROGRAM), _SPECTROGRAM),
    "training_config": (_TRAINING, ()),
}
"""Fields of each section, and those that decide how a model sounds."""


class _Level(msgspec.Struct):
    level: Annotated[int, Meta(ge=0, lt=_LEVELS)]
    label: Name
    entries: Annotated[int, Meta(ge=1, le=65_536)]
    samples: Count
    utilization: Fraction
    corrected_utilization: Fraction
    perplexity: Annotated[float, Meta(ge=0.0, le=65_537.0)]
    entropy_bits: Annotated[float, Meta(ge=0.0, le=16.01)]
    dead_codes: Annotated[int, Meta(ge=0, le=65_536)]
    churn: Positive


_Levels = Annotated[list[_Level], Meta(max_length=_LEVELS)]
_Curve = Annotated[list[Finite | None], Meta(max_length=LONGEST_CURVE)]
_Curves = Annotated[dict[Name, _Curve], Meta(max_length=64)]
_Seconds = Annotated[float, Meta(ge=0.0, le=1e11)]


class _Corpus(msgspec.Struct):
    files: Count = 0
    seconds: _Seconds = 0.0
    sample_rates: list[Count] = []
    refused: Count = 0


class _Training(msgspec.Struct):
    epochs: Count = 0
    steps: Count = 0
    seconds: _Seconds = 0.0
    best_epoch: Annotated[int, Meta(ge=-1, le=2**53)] = 0


_SAID: dict[str, Any] = {
    "name": Annotated[str, Meta(max_length=1000)] | Finite,
    "description": Annotated[str, Meta(max_length=100_000)],
    "tags": Annotated[list[Name], Meta(max_length=1000)],
    "created": Name,
    "level_labels": Annotated[list[str], Meta(min_length=1, max_length=_LEVELS)],
    "versions": dict[Name, Name],
    "corpus": _Corpus,
    "training": _Training,
}
"""What metadata says where it says it in this form."""


@dataclass(frozen=True)
class Sections:
    """What a header says."""

    config: VQVAEConfig
    metadata: dict[str, Any]
    codebook_health: tuple[LevelHealth, ...]
    loss_curves: dict[str, list[float]]
    passed_over: dict[str, dict[str, msgspec.Raw]]
    """By section: fields that are not known, or of another form, as they stand there."""


def read_sections(texts: Mapping[str, str]) -> Sections:
    """Reads all sections.

    Raises:
        KeyError: one is missing.
        ConfigError: a setting is out of its range.
        OutsideDataError: something else is of the wrong type, or out of its range.
    """
    found = {name: _config_section(name, texts[name]) for name in _CONFIGS}
    config = VQVAEConfig.from_dict(
        {
            **found["vqvae_config"][0],
            **found["training_config"][0],
            "spectrogram": found["spectrogram_config"][0],
        }
    )
    metadata, unusable = read_metadata(texts["metadata"], config.levels)
    return Sections(
        config,
        metadata,
        _health(texts["codebook_health"], config),
        _curves(texts["loss_curves"]),
        {**{name: rest for name, (_, rest) in found.items()}, "metadata": unusable},
    )


def read_metadata(text: str, levels: int) -> tuple[dict[str, Any], dict[str, msgspec.Raw]]:
    """What metadata says, and the fields that say something else than they should, unread.

    Raises:
        OutsideDataError: no table.
    """
    fields: dict[str, msgspec.Raw] = parse_json(
        text, dict[str, msgspec.Raw], name="metadata", limit=_MOST_BYTES, most=_MOST_PARTS
    )
    said: dict[str, Any] = {}
    unusable: dict[str, msgspec.Raw] = {}
    for name, raw in fields.items():
        try:
            said[name] = _said(name, raw, levels)
        except OutsideDataError:
            unusable[name] = raw.copy()
    return said, unusable


def check_said(name: str, value: Any, levels: int) -> None:
    """Whether metadata may say this.

    Raises:
        OutsideDataError: it would not be understood when it is read.
    """
    _said(name, msgspec.Raw(msgspec.json.encode(value)), levels)


def thinned(curve: list[float]) -> list[float]:
    """A curve of at most `LONGEST_CURVE` values."""
    return curve[:: max(1, math.ceil(len(curve) / LONGEST_CURVE))]


def _config_section(name: str, text: str) -> tuple[dict[str, Any], dict[str, msgspec.Raw]]:
    known, needed = _CONFIGS[name]
    fields: dict[str, msgspec.Raw] = parse_json(
        text, dict[str, msgspec.Raw], name=name, limit=_MOST_BYTES, most=_MOST_PARTS
    )
    missing = [field for field in needed if field not in fields]
    if missing:
        raise OutsideDataError(f"{name}: {missing[0]} is missing")
    values = {
        field: parse_json(raw, int | float | None, name=f"{name}: {field}")
        for field, raw in fields.items()
        if field in known
    }
    return values, {field: raw.copy() for field, raw in fields.items() if field not in known}


def _health(text: str, config: VQVAEConfig) -> tuple[LevelHealth, ...]:
    rows: list[_Level] = parse_json(
        text, _Levels, name="codebook_health", limit=_MOST_BYTES, most=_MOST_PARTS
    )
    for number, row in enumerate(rows):
        if (
            row.level != number
            or len(rows) != config.levels
            or row.entries != config.codebook_size
            or not max(row.dead_codes, row.perplexity - 0.01) <= row.entries
        ):
            raise OutsideDataError(
                f"codebook_health: row {number + 1} of {len(rows)} is not of a model of "
                f"{config.levels} levels × {config.codebook_size} entries"
            )
        row.label = brief(row.label, LONGEST_LABEL)
    return tuple(LevelHealth(**msgspec.structs.asdict(row)) for row in rows)


def _curves(text: str) -> dict[str, list[float]]:
    curves: dict[str, list[float | None]] = parse_json(
        text, _Curves, name="loss_curves", most=_MOST_PARTS
    )
    return {
        name: [math.nan if value is None else value for value in curve]
        for name, curve in curves.items()
    }


def _said(name: str, raw: msgspec.Raw, levels: int) -> Any:
    value: Any = parse_json(raw, Any, name=name)
    if name in _SAID:
        read = parse_json(raw, _SAID[name], name=name)
        if name == "name":
            return str(value)
        return _labels(read, levels) if name == "level_labels" else value
    try:
        msgspec.json.encode(value)
    except (ValueError, OverflowError) as error:  # a number that no computer holds
        raise OutsideDataError(f"{brief(name)}: {error}") from error
    return value


def _labels(labels: list[str], levels: int) -> list[str]:
    shown = [brief(" ".join(label.split()), LONGEST_LABEL) for label in labels]
    if len(shown) != levels or not all(shown):
        raise OutsideDataError(f"level_labels: expected {levels} names that people can read")
    return shown
