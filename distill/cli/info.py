"""What a model file says of itself, for people and for scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from distill.health_rows import Health, columns, rows
from distill.models.file.info import ModelInfo, read_model_info
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
    return {
        "path": path_to_text(info.path),
        "file_bytes": info.file_bytes,
        "parameters": info.parameters,
        "bits_per_second": info.config.bits_per_second,
        "config": info.config.to_dict(),
        "codebook_health": [dataclasses.asdict(level) for level in info.codebook_health],
        "loss_curves": info.loss_curves,
        "metadata": info.metadata,
    }


def _text(info: ModelInfo) -> str:
    facts = model_facts(info.config, info.metadata, info.parameters, info.file_bytes)
    lines = [
        info.name,
        *([f"  {info.metadata['description']}"] if info.metadata.get("description") else []),
        *(f"  {name:<10} {value}" for name, value in facts),
    ]
    return "\n".join([*lines, *health_lines(info.codebook_health)])
