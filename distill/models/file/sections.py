"""The sections of a `.distill` header, read through types and ranges, of whatever family.

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

from distill.checked import Finite, Name, parse_json
from distill.config import TrainingConfig
from distill.errors import ConfigError
from distill.family import Family
from distill.models.file.config_sections import (
    MOST_BYTES,
    MOST_PARTS,
    Unread,
    config_sections,
    config_values,
    read_config,
)
from distill.models.file.metadata import read_metadata

LONGEST_CURVE = 200_000
"""Epochs; of longer trainings every second one is kept, or every third, and so on."""
CURVES, METADATA = "loss_curves", "metadata"
PRIOR = "prior"
"""A section that not every file has, with tensors of its own: see `distill.models.prior`."""
_MOST_ROWS = 4096  # of health: the widest bottleneck has a quarter of it
_Curve = Annotated[list[Finite | None], Meta(max_length=LONGEST_CURVE)]
_Curves = Annotated[dict[Name, _Curve], Meta(max_length=64)]


@dataclass(frozen=True)
class Sections:
    """What a header says."""

    config: TrainingConfig
    metadata: dict[str, Any]
    health: tuple[Any, ...]
    loss_curves: dict[str, list[float]]
    passed_over: Unread


def section_names(family: Family) -> tuple[str, ...]:
    """Names of all sections of a family's files."""
    return *config_sections(family), family.health_section, CURVES, METADATA


def read_sections(texts: Mapping[str, str], family: Family) -> Sections:
    """Reads all sections.

    Raises:
        KeyError: one is missing.
        ConfigError: a setting is out of its range.
        OutsideDataError: something else is of the wrong type, or out of its range.
    """
    config, passed_over = read_config(texts, family)
    metadata, unusable = read_metadata(texts[METADATA], len(family.labels(config)))
    return Sections(
        config,
        metadata,
        _health(texts[family.health_section], config, family),
        _curves(texts[CURVES]),
        {**passed_over, METADATA: unusable},
    )


def changed_sections(now: Sections, before: Sections | None, family: Family) -> dict[str, str]:
    """The sections that are not as they were read, as texts; fields that were passed over stay.

    Raises:
        ConfigError: JSON cannot hold one.
    """
    passed_over = before.passed_over if before else {}
    values: dict[str, Any] = {}
    if before is None or before.config != now.config:
        values |= config_values(now.config, family)
    if before is None or before.health != now.health:
        values[family.health_section] = [_plain(row, family) for row in now.health]
    if before is None or not _same_curves(before.loss_curves, now.loss_curves):
        values[CURVES] = {name: _thinned(curve) for name, curve in now.loss_curves.items()}
    if before is None or before.metadata != now.metadata:
        values[METADATA] = now.metadata
    return {
        name: to_json({**passed_over.get(name, {}), **value} if isinstance(value, dict) else value)
        for name, value in values.items()
    }


def to_json(value: Any) -> str:
    """A section's text; NaN, which JSON does not have, becomes null.

    Raises:
        ConfigError: JSON cannot hold it.
    """
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"metadata that JSON cannot hold: {error}") from error


def _health(text: str, config: TrainingConfig, family: Family) -> tuple[Any, ...]:
    if family.read_health:
        return family.read_health(text, config)
    rows = Annotated[list[family.health_type], Meta(max_length=_MOST_ROWS)]  # type: ignore[name-defined]
    return tuple(
        parse_json(text, rows, name=family.health_section, limit=MOST_BYTES, most=MOST_PARTS)
    )


def _curves(text: str) -> dict[str, list[float]]:
    curves: dict[str, list[float | None]] = parse_json(text, _Curves, name=CURVES, most=MOST_PARTS)
    return {
        name: [math.nan if value is None else value for value in curve]
        for name, curve in curves.items()
    }


def _thinned(curve: list[float]) -> list[float]:
    """A curve of at most `LONGEST_CURVE` values."""
    return curve[:: max(1, math.ceil(len(curve) / LONGEST_CURVE))]


def _plain(row: Any, family: Family) -> Any:
    known: bool = isinstance(row, family.health_type)
    return dataclasses.asdict(row) if known else row


def _same_curves(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # NaN is as it was, which == does not say
