"""Settings in a model file: those of a family, of every training, and of the spectrogram."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from distill.checked import parse_json
from distill.config import SpectrogramConfig, TrainingConfig
from distill.errors import OutsideDataError
from distill.family import Family, other_family_with

MOST_PARTS = 200_000
"""Texts, lists and tables of a section."""
MOST_BYTES = 4 << 20
"""Of a section of what people say; curves may take the whole header."""
TRAINING, SPECTROGRAM = "training_config", "spectrogram_config"
_TRAINING = frozenset(item.name for item in dataclasses.fields(TrainingConfig))
_SPECTROGRAM = tuple(item.name for item in dataclasses.fields(SpectrogramConfig))

Unread = dict[str, dict[str, msgspec.Raw]]
"""By section: fields that are not known, or of another form, as they stand there."""


def config_sections(family: Family) -> tuple[str, ...]:
    """Names of the sections that hold a config of this family."""
    return family.config_section, SPECTROGRAM, TRAINING


def read_config(texts: Mapping[str, str], family: Family) -> tuple[TrainingConfig, Unread]:
    """Reads the settings of a model, and which fields are not known.

    Raises:
        KeyError: a section is missing.
        ConfigError: a setting is out of its range.
        OutsideDataError: a setting is missing that decides the sound, or one is neither a number
            nor true or false.
    """
    own, own_rest = _section(
        family.config_section, texts, family.own_settings, family.deciding_settings, family
    )
    training, training_rest = _section(TRAINING, texts, _TRAINING, ())
    spectrogram, spectrogram_rest = _section(SPECTROGRAM, texts, _SPECTROGRAM, _SPECTROGRAM)
    config = family.config.from_dict({**own, **training, "spectrogram": spectrogram})
    return config, {
        family.config_section: own_rest,
        SPECTROGRAM: spectrogram_rest,
        TRAINING: training_rest,
    }


def config_values(config: TrainingConfig, family: Family) -> dict[str, dict[str, Any]]:
    """The settings of a model by section; `read_config` is its inverse."""
    values = config.to_dict()
    spectrogram = values.pop("spectrogram")
    return {
        family.config_section: {k: v for k, v in values.items() if k not in _TRAINING},
        TRAINING: {k: v for k, v in values.items() if k in _TRAINING},
        SPECTROGRAM: spectrogram,
    }


def _section(
    name: str,
    texts: Mapping[str, str],
    known: frozenset[str] | tuple[str, ...],
    needed: tuple[str, ...],
    of: Family | None = None,
) -> tuple[dict[str, Any], dict[str, msgspec.Raw]]:
    fields: dict[str, msgspec.Raw] = parse_json(
        texts[name], dict[str, msgspec.Raw], name=name, limit=MOST_BYTES, most=MOST_PARTS
    )
    missing = [field for field in needed if field not in fields]
    if of and (other := other_family_with(fields, of)):
        raise OutsideDataError(
            f"{name}: holds the settings of {other.name!r} ({other.title}), another family"
        )
    if missing:
        raise OutsideDataError(f"{name}: {missing[0]} is missing")
    values = {
        field: parse_json(raw, bool | int | float | None, name=f"{name}: {field}")
        for field, raw in fields.items()
        if field in known
    }
    return values, {field: raw.copy() for field, raw in fields.items() if field not in known}
