"""The section `prior` of a `.distill` file: a prior beside the codec that it was made for.

Its text says what it is; its tensors, `prior.…`, are its weights and the codes that it learned
from. Both are checked when the prior is asked for, and kept as they are when the model is saved
again.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from distill.checked import Finite, Name, Positive, brief, parse_json
from distill.codebook.labels import LONGEST_LABEL
from distill.config import PriorConfig, VQVAEConfig
from distill.config.conditions import LONGEST_CLASS, MOST_CLASSES
from distill.config.vqvae import MOST_LEVELS
from distill.errors import ConfigError, CorruptModelError, ModelFileError, OutsideDataError
from distill.models.file.sections import PRIOR
from distill.models.file.weights import check_numbers
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.room import (
    LARGEST_SECTION,
    SoundRow,
    check_room,
    check_tensors_size,
    code_type,
    thinned,
)
from distill.models.prior.sounds import CodedSound
from distill.models.prior.trained import TrainedPrior, for_codec
from distill.models.prior.usual import UsualRuns
from distill.words import counted

_CODES = f"{PRIOR}.codes"
_VERSION, _WITH_CONDITIONS = 1, 2
_CONDITIONS = ("conditions", "classes")
"""Settings of version 2: a prior that can be told of a sound, which version 1 could not be."""
_MOST_SOUNDS = 100_000
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Names = Annotated[list[Name], Meta(max_length=MOST_CLASSES)]
_Bits = Annotated[float, Meta(ge=0.0, le=1e6)] | None


class _Row(msgspec.Struct):
    level: Annotated[int, Meta(ge=0, lt=MOST_LEVELS)]
    label: Annotated[str, Meta(max_length=LONGEST_LABEL)]
    entries: Annotated[int, Meta(ge=1, le=65_536)]
    codes: Annotated[int, Meta(ge=0, le=2**53)]
    bits: _Bits
    singles: _Bits
    pairs: _Bits


class _Section(msgspec.Struct):
    version: int
    codec: _Digest
    codec_name: Name
    config: dict[str, int | float | _Names | None]
    sounds: Annotated[list[SoundRow], Meta(min_length=1, max_length=_MOST_SOUNDS)]
    usual_s: tuple[Positive, Positive]
    usual_doubling_s: tuple[Positive, Positive] = (0.0, 0.0)
    usual_length_s: Positive = 0.0
    health: Annotated[list[_Row], Meta(max_length=MOST_LEVELS)] = []
    loss_curves: dict[Name, list[Finite | None]] = {}


def prior_section(prior: TrainedPrior) -> tuple[str, dict[str, Tensor]]:
    """A prior as text and tensors of a file; `read_prior` is the inverse.

    Raises:
        ConfigError: it could not be read again.
    """
    config = prior.config.to_dict()
    del config["spectrogram"]  # the codec's
    has_conditions, classes = bool(config["conditions"]), prior.config.classes
    if not has_conditions:  # as earlier versions wrote it, so that they read it
        config = {name: value for name, value in config.items() if name not in _CONDITIONS}
    section = _Section(
        version=_WITH_CONDITIONS if has_conditions else _VERSION,
        codec=prior.codec_digest,
        codec_name=brief(prior.codec_name),
        config=config,
        sounds=[
            SoundRow.of(
                sound.name,
                map(len, sound.grids),
                1 + classes.index(sound.group) if sound.group in classes else 0,
            )
            for sound in prior.sounds
        ],
        usual_s=prior.usual.seconds,
        usual_doubling_s=prior.usual.doubling_s,
        usual_length_s=prior.usual.length_s,
        health=[_row(row) for row in prior.health],
        loss_curves={
            brief(name): thinned([x if math.isfinite(x) else None for x in curve])
            for name, curve in prior.loss_curves.items()
        },
    )
    text = msgspec.json.encode(section).decode()
    check_room(text, len(prior.sounds))
    check_tensors_size(prior.sounds, prior.config)
    try:
        _read(text, PRIOR)
    except OutsideDataError as error:
        raise ConfigError(f"a prior that could not be read again: {error}") from error
    weights = prior.module.state_dict()
    tensors = {f"{PRIOR}.{name}": weight.cpu() for name, weight in weights.items()}
    codes = torch.cat([grid for sound in prior.sounds for grid in sound.grids])
    tensors[_CODES] = codes.to(code_type(prior.config))
    return text, tensors


def read_prior(
    text: str, tensors: Mapping[str, Tensor], codec: VQVAEConfig, codebooks: Tensor, name: str
) -> TrainedPrior:
    """The prior of a file.

    Args:
        text: of the section.
        tensors: those whose names begin with `prior.`.
        codec: settings of the model beside it.
        codebooks: of that model, (level, entry, dim).
        name: what messages call the file.

    Raises:
        CorruptModelError: it is no such section, or not for codes of this shape.
        ModelFileError: of a version that this distill does not read.
    """
    name = brief(name)
    try:
        section = _read(text, name)
        config = _config(section, {"spectrogram": codec.spectrogram}).checked_for(codec)
        module = _module(config, tensors, name)
        sounds = _sounds(section, tensors.get(_CODES), config)
    except (OutsideDataError, ConfigError) as error:
        raise CorruptModelError(
            f"{name}: its section {PRIOR!r} cannot be read ({brief(str(error))})"
        ) from error
    return TrainedPrior(
        module=for_codec(module, codebooks),
        codec_digest=section.codec,
        codec_name=brief(section.codec_name),
        sounds=sounds,
        usual=UsualRuns(section.usual_s, section.usual_doubling_s, section.usual_length_s),
        health=tuple(_health(row) for row in section.health),
        loss_curves={
            brief(label): [math.nan if value is None else value for value in curve]
            for label, curve in section.loss_curves.items()
        },
    )


def prior_fact(text: str, digest: str | None) -> str:
    """What the section of a file says, in a line; its weights are not read.

    Args:
        text: of the section.
        digest: of the model beside it, where that is known.
    """
    try:
        section = _read(text, PRIOR)
        config = _config(section, {})
    except (OutsideDataError, ConfigError, ModelFileError) as error:
        return brief(f"cannot be read ({error})")
    known = [row.bits for row in section.health if row.bits is not None]
    of = f" of {config.bits_per_step:.1f}"
    guessing = " (no better than guessing)" if sum(known) >= config.bits_per_step else ""
    bits = f"{sum(known):.1f}{of} bits a step{guessing}, " if known else ""
    mine = "" if digest in (None, section.codec) else "; made for another model"
    return f"{bits}from {counted(len(section.sounds), 'recording')}{mine}"


def _read(text: str, name: str) -> _Section:
    version: Any = parse_json(text, dict[str, Any], name=PRIOR, limit=LARGEST_SECTION).get(
        "version"
    )
    if version not in (_VERSION, _WITH_CONDITIONS):
        raise ModelFileError(
            f"{name}: its prior is of version {brief(repr(version), 40)}; this distill reads "
            f"version {_VERSION} and {_WITH_CONDITIONS}: update distill, or train another prior"
        )
    section: _Section = parse_json(text, _Section, name=PRIOR, limit=LARGEST_SECTION)
    return section


def _config(section: _Section, codec: dict[str, Any]) -> PriorConfig:
    """Settings of a section; names of classes come from strangers, and are made printable."""
    values: dict[str, Any] = {**section.config, **codec}
    names = values.get("classes", ())
    if isinstance(names, list):
        values["classes"] = [brief(name, LONGEST_CLASS) for name in names]
    return PriorConfig.from_dict(values)


def _module(config: PriorConfig, tensors: Mapping[str, Tensor], name: str) -> CodePrior:
    """The network with its weights; memory is taken for it once they are known to fit."""
    with torch.device("meta"):
        expected = CodePrior(config).state_dict()
    found = {key.removeprefix(f"{PRIOR}."): x for key, x in tensors.items() if key != _CODES}
    for key, like in expected.items():
        weight = found.get(key)
        if weight is None or weight.shape != like.shape or not weight.is_floating_point():
            raise OutsideDataError(f"the weights {key!r} are missing, or of another shape")
    if len(found) != len(expected):
        raise OutsideDataError("it has weights of no part of the prior")
    check_numbers(found, f"{name}: {PRIOR}")
    module = CodePrior(config)
    module.load_state_dict(found)
    return module


def _sounds(section: _Section, codes: Tensor | None, config: PriorConfig) -> tuple[CodedSound, ...]:
    lengths = [length for sound in section.sounds for length in sound.steps]
    shape = (sum(lengths), config.levels)
    if codes is None or codes.shape != shape or codes.is_floating_point():
        raise OutsideDataError(f"the codes it learned from are not of shape {shape}")
    if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < config.codebook_size:
        raise OutsideDataError("the codes it learned from do not exist")
    if max(sound.group for sound in section.sounds) > len(config.classes):
        raise OutsideDataError("a recording is of a class that there is not")
    grids, groups = iter(torch.split(codes.to(torch.int32), lengths)), ("", *config.classes)
    return tuple(
        CodedSound(brief(sound.name), tuple(next(grids) for _ in sound.steps), groups[sound.group])
        for sound in section.sounds
    )


def _row(health: PriorHealth) -> _Row:
    values = dataclasses.asdict(health)
    return _Row(**_without_nan({**values, "label": brief(health.label, LONGEST_LABEL)}))


def _health(row: _Row) -> PriorHealth:
    values = msgspec.structs.asdict(row)
    return PriorHealth(**_with_nan({**values, "label": brief(row.label, LONGEST_LABEL)}))


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in row.items()}
