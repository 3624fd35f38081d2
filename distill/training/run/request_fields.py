"""The fields of a run.json, as they are checked when it is read; and the settings among them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from distill.checked import PathText, Positive, Text
from distill.config import TrainingConfig
from distill.errors import ConfigError, ModelTypeError, RunFolderError
from distill.family import Family, family, other_family_with
from distill.training.run.start import StartFields

MOST_DEVICES = 1024
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Word = Annotated[str, Meta(max_length=255)]


class SoundFields(msgspec.Struct):
    """A sound of a run."""

    path: PathText
    sha256: _Digest
    seconds: Positive
    split: Literal["training", "validation", "both"]
    group: _Word = ""


class RequestFields(msgspec.Struct):
    """What is asked of a run; see `RunRequest`."""

    name: _Word
    model_type: _Word
    config: dict[str, Any]
    device: _Word
    sources: list[PathText]
    versions: dict[_Word, _Word]
    corpus: list[SoundFields]
    refused: list[Text]
    origin: _Word = ""
    folders: list[PathText] = []
    left_out: list[PathText] = []
    devices: Annotated[int, Meta(ge=1, le=MOST_DEVICES)] = 1
    start: StartFields = msgspec.field(default_factory=StartFields)
    codec: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


FIELDS = frozenset(RequestFields.__struct_fields__)
"""Names of the fields that this version knows."""


def config_of(request: dict[str, Any]) -> TrainingConfig:
    """The settings that a run.json holds, as its family reads them.

    Raises:
        RunFolderError: a family that nobody knows, or another than that of the settings.
        ConfigError: settings of no family, or out of range.
    """
    try:
        kind = family(request["model_type"])
    except ModelTypeError as error:
        raise RunFolderError(f"run.json cannot be used: it asks for {error}") from error
    try:
        return kind.config.from_dict(_as_it_began(request["config"]))
    except ConfigError as error:
        _refuse_settings_of_another(request["config"], kind, error)
        raise


def _as_it_began(settings: Any) -> Any:
    """The settings of a run of an earlier version: all of what it started from learned, at the rate
    of a run from nothing, or, later, at a share of it.
    """
    if not isinstance(settings, dict) or "learning_rate" not in settings:
        return settings
    whole: dict[str, float | bool] = {"fine_tuning_share": 1.0}
    if "codebook_decay" in settings:
        whole |= {"codebook_tuning_share": 1.0, "tunes_codes": True}
    return {**whole, **settings}


def _refuse_settings_of_another(settings: Any, kind: Family, error: ConfigError) -> None:
    other = other_family_with(settings, kind) if isinstance(settings, dict) else None
    if other is not None:
        raise RunFolderError(
            f"run.json cannot be used: it asks for a model of type {kind.name!r} ({kind.title}), "
            f"and its settings are those of {other.name!r} ({other.title}): a run is resumed as "
            f'what it began as. Put its "model_type" back to "{other.name}", or begin a new run '
            "in another folder"
        ) from error
