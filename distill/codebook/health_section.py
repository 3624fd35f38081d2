"""The health of codebooks as a model file holds it, read through types and ranges."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from distill.checked import Count, Fraction, Name, Positive, brief, parse_json
from distill.codebook.health import LevelHealth
from distill.codebook.labels import LONGEST_LABEL
from distill.config import VQVAEConfig
from distill.config.vqvae import MOST_LEVELS
from distill.errors import OutsideDataError

_MOST_PARTS = 200_000
_MOST_BYTES = 4 << 20


class _Level(msgspec.Struct):
    level: Annotated[int, Meta(ge=0, lt=MOST_LEVELS)]
    label: Name
    entries: Annotated[int, Meta(ge=1, le=65_536)]
    samples: Count
    utilization: Fraction
    corrected_utilization: Fraction
    perplexity: Annotated[float, Meta(ge=0.0, le=65_537.0)]
    entropy_bits: Annotated[float, Meta(ge=0.0, le=16.01)]
    dead_codes: Annotated[int, Meta(ge=0, le=65_536)]
    churn: Positive
    # What follows is not in files of earlier versions.
    over: Annotated[str, Meta(max_length=40)] = ""
    other_samples: Count = 0
    other_utilization: Fraction = 0.0
    other_entropy_bits: Annotated[float, Meta(ge=0.0, le=16.01)] = 0.0


_Levels = Annotated[list[_Level], Meta(max_length=MOST_LEVELS)]


def read_levels(text: str, config: VQVAEConfig) -> tuple[LevelHealth, ...]:
    """Reads a row a level; () where nothing is known.

    Args:
        text: JSON.
        config: of the model whose health it is.

    Raises:
        OutsideDataError: no such rows, or none of a model with this config.
    """
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
        row.label, row.over = brief(row.label, LONGEST_LABEL), brief(row.over, LONGEST_LABEL)
    return tuple(LevelHealth(**msgspec.structs.asdict(row)) for row in rows)
