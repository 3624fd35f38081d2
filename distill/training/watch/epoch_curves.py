"""What is measured of a run at every epoch's end, as curves by name, alike for every family."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from distill.family import Family
from distill.health_rows import Curve, Health

USED = Curve("used", lambda part: part.used, is_share=True)
"""The share in use, which every family has."""


def health_curves(kind: type[Health]) -> tuple[Curve, ...]:
    """What is drawn of every part of a bottleneck, a panel each; its share in use first."""
    return USED, *kind.curves


def loss_name(side: str, part: str) -> str:
    """Name of a curve of losses.

    Args:
        side: `training` or `validation`.
        part: `loss`, or one of the parts that it consists of.
    """
    return f"{side} {part}"


def health_name(curve: Curve, part: int) -> str:
    """Name of a curve of the bottleneck; parts count from 0 here, as everywhere in data."""
    return f"{curve.title} {part}"


def epoch_values(family: Family, epoch: Any) -> dict[str, float]:
    """Everything measured at the end of an epoch, by the name of its curve.

    Args:
        family: of the run.
        epoch: its event.

    Returns:
        Numbers; NaN where there is none.
    """
    return {**dict(_losses(family, epoch)), **dict(_health(family.health_type, epoch.health))}


def _losses(family: Family, epoch: Any) -> Iterator[tuple[str, float]]:
    sides = (
        ("training", epoch.train_loss, epoch.train_parts),
        ("validation", epoch.val_loss, epoch.val_parts),
    )
    for side, loss, parts in sides:
        yield loss_name(side, "loss"), loss
        for part in family.loss_parts:
            yield loss_name(side, part), parts.get(part, math.nan)


def _health(kind: type[Health], rows: Sequence[Any]) -> Iterator[tuple[str, float]]:
    if all(isinstance(row, kind) for row in rows):  # a log may hold anything
        for curve in health_curves(kind):
            for part, row in enumerate(rows):
                yield health_name(curve, part), curve.of(row)
