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
from distill.errors import ConfigError, CorruptModelError, ModelFileError, OutsideDataError
from distill.models.file.sections import PRIOR
from distill.models.file.weights import check_numbers
from distill.models.prior.health import PriorHealth
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.trained import TrainedPrior, for_codec

_CODES = f"{PRIOR}.codes"
_VERSION = 1
_LEVELS, _MOST_SOUNDS, _MOST_BYTES = 8, 100_000, 16 << 20
_OF_BYTE = 256
_Steps = Annotated[int, Meta(ge=1, le=2**31)]
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Bits = Annotated[float, Meta(ge=0.0, le=1e6)] | None


class _Row(msgspec.Struct):
    level: Annotated[int, Meta(ge=0, lt=_LEVELS)]
    label: Annotated[str, Meta(max_length=LONGEST_LABEL)]
    entries: Annotated[int, Meta(ge=1, le=65_536)]
    codes: Annotated[int, Meta(ge=0, le=2**53)]
    bits: _Bits
    singles: _Bits
    pairs: _Bits


class _Sound(msgspec.Struct):
    name: Annotated[str, Meta(max_length=1000)]
    steps: Annotated[list[_Steps], Meta(min_length=1, max_length=16)]
    """Of the recording itself, then of its copies."""


class _Section(msgspec.Struct):
    version: int
    codec: _Digest
    codec_name: Name
    config: dict[str, int | float | None]
    sounds: Annotated[list[_Sound], Meta(max_length=_MOST_SOUNDS)]
    usual_s: tuple[Positive, Positive]
    health: Annotated[list[_Row], Meta(max_length=_LEVELS)] = []
    loss_curves: dict[Name, list[Finite | None]] = {}


def prior_section(prior: TrainedPrior) -> tuple[str, dict[str, Tensor]]:
    """A prior as text and tensors of a file; `read_prior` is the inverse."""
    config = prior.config.to_dict()
    del config["spectrogram"]  # the codec's
    section = _Section(
        version=_VERSION,
        codec=prior.codec_digest,
        codec_name=prior.codec_name[:200],
        config=config,
        sounds=[_Sound(sound.name, list(map(len, sound.grids))) for sound in prior.sounds],
        usual_s=prior.usual_s,
        health=[_Row(**_without_nan(dataclasses.asdict(row))) for row in prior.health],
        loss_curves={name: list(curve) for name, curve in prior.loss_curves.items()},
    )
    weights = prior.module.state_dict()
    tensors = {f"{PRIOR}.{name}": weight.cpu() for name, weight in weights.items()}
    kind = torch.uint8 if prior.config.codebook_size <= _OF_BYTE else torch.int32
    tensors[_CODES] = torch.cat([grid for sound in prior.sounds for grid in sound.grids]).to(kind)
    return msgspec.json.encode(section).decode(), tensors


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
    try:
        section = _read(text)
        values = {**section.config, "spectrogram": codec.spectrogram}
        config = PriorConfig.from_dict(values).checked_for(codec)
        module = _module(config, tensors)
        sounds = _sounds(section, tensors.get(_CODES), config)
    except (OutsideDataError, ConfigError) as error:
        raise CorruptModelError(
            f"{name}: its section {PRIOR!r} cannot be read ({error})"
        ) from error
    return TrainedPrior(
        module=for_codec(module, codebooks),
        codec_digest=section.codec,
        codec_name=section.codec_name,
        sounds=sounds,
        usual_s=section.usual_s,
        health=tuple(PriorHealth(**_with_nan(msgspec.structs.asdict(x))) for x in section.health),
        loss_curves={
            name: [math.nan if value is None else value for value in curve]
            for name, curve in section.loss_curves.items()
        },
    )


def prior_fact(text: str, digest: str | None) -> str:
    """What the section of a file says, in a line; its weights are not read.

    Args:
        text: of the section.
        digest: of the model beside it, where that is known.
    """
    try:
        section = _read(text)
        config = PriorConfig.from_dict(section.config)
    except (OutsideDataError, ConfigError, ModelFileError) as error:
        return brief(f"cannot be read ({error})")
    known = [row.bits for row in section.health if row.bits is not None]
    of = f" of {config.bits_per_step:.1f}"
    bits = f"{sum(known):.1f}{of} bits a step, " if known else ""
    mine = "" if digest in (None, section.codec) else "; made for another model"
    return f"{bits}from {len(section.sounds)} recordings{mine}"


def _read(text: str) -> _Section:
    version: Any = parse_json(text, dict[str, Any], name=PRIOR, limit=_MOST_BYTES).get("version")
    if version != _VERSION:
        raise ModelFileError(
            f"its prior is of version {version!r}; this distill reads version {_VERSION}: update "
            "distill, or train another prior"
        )
    section: _Section = parse_json(text, _Section, name=PRIOR, limit=_MOST_BYTES)
    return section


def _module(config: PriorConfig, tensors: Mapping[str, Tensor]) -> CodePrior:
    module = CodePrior(config)
    found = {name.removeprefix(f"{PRIOR}."): x for name, x in tensors.items() if name != _CODES}
    for name, like in module.state_dict().items():
        weight = found.get(name)
        if weight is None or weight.shape != like.shape or not weight.is_floating_point():
            raise OutsideDataError(f"the weights {name!r} are missing, or of another shape")
    if len(found) != len(module.state_dict()):
        raise OutsideDataError("it has weights of no part of the prior")
    check_numbers(found, PRIOR)
    module.load_state_dict(found)
    return module


def _sounds(section: _Section, codes: Tensor | None, config: PriorConfig) -> tuple[CodedSound, ...]:
    lengths = [length for sound in section.sounds for length in sound.steps]
    shape = (sum(lengths), config.levels)
    if codes is None or codes.shape != shape or codes.is_floating_point():
        raise OutsideDataError(f"the codes it learned from are not of shape {shape}")
    if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < config.codebook_size:
        raise OutsideDataError("the codes it learned from do not exist")
    grids = iter(torch.split(codes.to(torch.int32), lengths))
    return tuple(
        CodedSound(sound.name, tuple(next(grids) for _ in sound.steps)) for sound in section.sounds
    )


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in row.items()}
