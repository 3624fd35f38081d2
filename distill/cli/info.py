"""What a model file says of itself, for people and for scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from distill.checked import brief
from distill.family import family
from distill.health_rows import Health, columns, rows
from distill.models.file.info import ModelInfo, read_model_info
from distill.models.file.sections import PRIOR
from distill.models.prior.section import prior_fact
from distill.models.use.report import model_facts
from distill.names import path_to_text
from distill.tables import text_table


def describe(path: Path, *, as_json: bool) -> str:
    """The header of a model as text or JSON; the weights are not read.

    Raises:
        ModelFileError: see `read_model_info`.
    """
    info = read_model_info(path)
    return (
        msgspec.json.format(msgspec.json.encode(_values(info))).decode() if as_json else _text(info)
    )


def health_lines(health: Sequence[Health]) -> list[str]:
    """The table of a bottleneck, indented; nothing where it was not measured."""
    lines = text_table(columns(health), rows(health)).splitlines() if health else []
    return [f"  {line}" for line in lines]


def _values(info: ModelInfo) -> dict[str, Any]:
    rate = getattr(info.config, "bits_per_second", None)
    return {
        "path": path_to_text(info.path),
        "family": info.family,
        "file_bytes": info.file_bytes,
        "parameters": info.parameters,
        **({} if rate is None else {"bits_per_second": rate}),
        "config": info.config.to_dict(),
        family(info.family).health_section: [dataclasses.asdict(row) for row in info.health],
        "loss_curves": info.loss_curves,
        "metadata": info.metadata,
        "has_prior": info.has_prior,
        "other_sections": info.other_sections,
    }


def _text(info: ModelInfo) -> str:
    facts = model_facts(info.config, info.metadata, info.parameters, info.file_bytes)
    others = brief(", ".join(brief(name, 40) for name in info.other_sections), 200)
    prior = prior_fact(info.extra[PRIOR], info.digest) if info.has_prior else ""
    lines = [
        info.name,
        *([f"  {info.metadata['description']}"] if info.metadata.get("description") else []),
        *(f"  {name:<10} {value}" for name, value in facts),
        *([f"  {'prior':<10} {prior}"] if prior else []),
        *([f"  {'also':<10} {others}: not known to this version, and kept"] if others else []),
    ]
    return "\n".join([*lines, *health_lines(info.health)])
