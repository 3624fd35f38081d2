"""How much a file can hold of a prior: as much as can be read again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import torch
from msgspec import Meta

from distill.checked import brief
from distill.config import PriorConfig
from distill.config.conditions import MOST_CLASSES
from distill.errors import ConfigError
from distill.models.file.weights import MOST_OTHER_BYTES
from distill.models.prior.sounds import CodedSound

LARGEST_SECTION = 16 << 20
"""Most bytes: half a header, for its model says something too."""
_MOST_PARTS = 150_000  # of the 200,000 of a header
_LONGEST_CURVE = 10_000
_OF_BYTE = 256
_MOST_STEPS = 2**31
_Steps = Annotated[int, Meta(ge=1, le=_MOST_STEPS)]


class SoundRow(msgspec.Struct, omit_defaults=True):
    """What the section says of a recording."""

    name: Annotated[str, Meta(max_length=1000)]
    steps: Annotated[list[_Steps], Meta(min_length=1, max_length=16)]
    """Of the recording itself, then of its copies."""
    group: Annotated[int, Meta(ge=0, le=MOST_CLASSES)] = 0
    """Its class, from 1 on; 0: none."""

    @classmethod
    def of(cls, name: str, steps: Iterable[int], group: int = 0) -> SoundRow:
        """As it is written: the name on one line, and shortened."""
        return cls(brief(name), list(steps), group)


def check_recordings(names: Sequence[str], copies: int) -> None:
    """Checks, before anything is learned, that a file can name its recordings.

    Args:
        names: of the recordings.
        copies: of each.

    Raises:
        ConfigError: there are too many.
    """
    rows = [SoundRow.of(name, [_MOST_STEPS] * (1 + copies), MOST_CLASSES) for name in names]
    check_room(msgspec.json.encode(rows).decode(), len(names))


def check_room(text: str, recordings: int) -> None:
    """Checks that a header has room for a text, which stands there as a string of JSON.

    Args:
        text: JSON.
        recordings: that it names.

    Raises:
        ConfigError: it has none.
    """
    size, parts = len(json.dumps(text)), text.count("[") + text.count("{")
    if size > LARGEST_SECTION or parts > _MOST_PARTS:
        raise ConfigError(
            f"a prior of {recordings} recordings: to name them takes {size} bytes in {parts} "
            f"parts; the file of a model has room for {LARGEST_SECTION} in {_MOST_PARTS}: learn "
            "from fewer recordings, or join short ones"
        )


def check_tensors_size(sounds: Iterable[CodedSound], config: PriorConfig) -> None:
    """Checks that a file has room for the weights of a prior, and the codes that it learned from.

    Raises:
        ConfigError: it has none.
    """
    codes = sum(len(grid) for sound in sounds for grid in sound.grids) * config.levels
    size = 4 * config.parameters + codes * code_type(config).itemsize
    if size > MOST_OTHER_BYTES:
        raise ConfigError(
            f"a prior of {config.parameters} numbers and {codes} codes takes {size} bytes; the "
            f"file of a model has room for {MOST_OTHER_BYTES}: learn from fewer recordings, from "
            "fewer copies of them, or with less width"
        )


def code_type(config: PriorConfig) -> torch.dtype:
    """Of codes in a file."""
    return torch.uint8 if config.codebook_size <= _OF_BYTE else torch.int32


def thinned(curve: Sequence[float | None]) -> list[float | None]:
    """A curve of at most 10,000 values: of a longer one every second, or every third, and so on."""
    return list(curve[:: max(1, math.ceil(len(curve) / _LONGEST_CURVE))])
