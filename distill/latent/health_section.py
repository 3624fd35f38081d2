"""The health of latents as a model file holds it, read through types and ranges."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from distill.checked import Finite, parse_json
from distill.config import VAEConfig
from distill.errors import OutsideDataError
from distill.latent.health import LatentHealth

_MOST_UNITS = 1024
_MOST_BYTES = 1 << 20
_MOST_PARTS = 10_000


class _Row(msgspec.Struct):
    units: Annotated[int, Meta(ge=1, le=_MOST_UNITS)]
    active_units: Annotated[int, Meta(ge=0, le=_MOST_UNITS)]
    kl: Annotated[tuple[Finite, ...], Meta(max_length=_MOST_UNITS)]
    total_kl: Finite


_Rows = Annotated[list[_Row], Meta(max_length=1)]


def read_latent_health(text: str, config: VAEConfig) -> tuple[LatentHealth, ...]:
    """Reads the one row; () where nothing is known.

    Args:
        text: JSON.
        config: of the model whose health it is.

    Raises:
        OutsideDataError: no such row, or none of a model with this config.
    """
    rows: list[_Row] = parse_json(
        text, _Rows, name="latent_health", limit=_MOST_BYTES, most=_MOST_PARTS
    )
    for row in rows:
        if row.active_units > row.units or not len(row.kl) == row.units == config.latent_dim:
            raise OutsideDataError(
                f"latent_health: {row.active_units} of {row.units} units, {len(row.kl)} numbers: "
                f"not of a model of {config.latent_dim} dimensions"
            )
    return tuple(LatentHealth(**msgspec.structs.asdict(row)) for row in rows)
