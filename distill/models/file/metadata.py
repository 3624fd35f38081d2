"""Metadata of a model file: what people say of a model, in so far as it can be understood."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from distill.checked import Count, Finite, Name, brief, parse_json
from distill.codebook.labels import LONGEST_LABEL
from distill.config.vqvae import MOST_LEVELS
from distill.errors import OutsideDataError
from distill.models.file.config_sections import MOST_BYTES, MOST_PARTS

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


class _Start(msgspec.Struct):
    model: Name = ""
    digest: Name = ""


_SAID: dict[str, Any] = {
    "name": Annotated[str, Meta(max_length=1000)] | Finite,
    "description": Annotated[str, Meta(max_length=100_000)],
    "tags": Annotated[list[Name], Meta(max_length=1000)],
    "created": Name,
    "level_labels": Annotated[list[str], Meta(min_length=1, max_length=MOST_LEVELS)],
    "versions": dict[Name, Name],
    "corpus": _Corpus,
    "training": _Training,
    "start": _Start,
}
"""What metadata says where it says it in this form."""


def read_metadata(text: str, levels: int) -> tuple[dict[str, Any], dict[str, msgspec.Raw]]:
    """What metadata says, and the fields that say something else than they should, unread.

    Args:
        text: JSON.
        levels: how many names of levels are expected.

    Raises:
        OutsideDataError: no table.
    """
    fields: dict[str, msgspec.Raw] = parse_json(
        text, dict[str, msgspec.Raw], name="metadata", limit=MOST_BYTES, most=MOST_PARTS
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
    """Checks that metadata may say this.

    Raises:
        OutsideDataError: it would not be understood when it is read.
    """
    _said(name, msgspec.Raw(msgspec.json.encode(value)), levels)


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
