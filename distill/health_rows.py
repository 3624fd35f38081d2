"""Health: how well the bottleneck of a model is used, and the table in which people read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from distill.markup import number

HEALTHY, THIN, COLLAPSING = "healthy", "thin", "collapsing"
TOO_FEW = "too few codes"
"""What was seen is too little to call the rest unused."""
THIN_BELOW = 0.30
"""Below this share in use a warning is worth while."""
COLLAPSING_BELOW = 0.10


class Cell(NamedTuple):
    """One cell of the table, with the heading of its column."""

    heading: str
    text: str
    share: float | None = None
    """The same as a share, 0 to 1, where it may be drawn as a bar."""
    hint: str = ""
    """More, for whoever points at it."""
    of_training: bool = False
    """Whether it says something of training only, and nothing of a finished model."""


class Curve(NamedTuple):
    """A number of every part that is drawn over the epochs of a training."""

    title: str
    of: Callable[[Any], float]
    """(health of a part) -> the number; NaN where there is none."""
    is_share: bool = False
    """Whether it is one of 0 to 1, as `Health.used`."""


class Profile(NamedTuple):
    """A number of each unit within a part, drawn as bars."""

    title: str
    values: tuple[float, ...]


class Health(ABC):
    """How well a part of the bottleneck is used: a level's codebook, or the latents of a VAE."""

    parts: ClassVar[str] = "Parts of the bottleneck"
    """What such parts are called, as `Codebooks`; the title of their chart."""
    curves: ClassVar[tuple[Curve, ...]] = ()
    """What is drawn of every part beside `used`."""

    @property
    @abstractmethod
    def used(self) -> float:
        """Share in use, 0 to 1, of what was seen; the verdict comes from it."""

    @property
    @abstractmethod
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""

    @abstractmethod
    def cells(self) -> tuple[Cell, ...]:
        """What people read of it: its name first; the verdict is added by `rows`."""

    def beside(self) -> tuple[tuple[Cell, ...], ...]:
        """More rows of the same columns, on sounds by which it is not judged; usually none."""
        return ()

    @property
    def suffices(self) -> bool:
        """Whether so much was seen that the rest is not used."""
        return True

    @property
    def entropy_share(self) -> float | None:
        """Entropy of its codes among their bits, 0 to 1; None for a bottleneck without codes."""
        return None

    @property
    def seen(self) -> str:
        """Over how much it was measured, as `13,312 training codes`; "" where it does not say."""
        return ""

    @property
    def profile(self) -> Profile | None:
        """A number of each unit within it; None where there are none."""
        return None

    @property
    def verdict(self) -> str:
        """healthy, thin, collapsing, or too few codes."""
        return verdict_of(self.used, suffices=self.suffices)


def verdict_of(used: float, *, suffices: bool = True) -> str:
    """The word for a share in use.

    Args:
        used: 0 to 1, as `Health.used`.
        suffices: as `Health.suffices`; what is in use is so however little was seen.

    Example:
        >>> verdict_of(0.05), verdict_of(0.2), verdict_of(0.3)
        ('collapsing', 'thin', 'healthy')
        >>> verdict_of(0.05, suffices=False), verdict_of(0.3, suffices=False)
        ('too few codes', 'healthy')
    """
    if used >= THIN_BELOW:
        return HEALTHY
    if not suffices:
        return TOO_FEW
    return COLLAPSING if used < COLLAPSING_BELOW else THIN


def worst(health: Sequence[Health]) -> Health | None:
    """The part that is used least; None where nothing was measured."""
    return min(health, key=lambda part: part.used, default=None)


def entropies(health: Sequence[Health]) -> str:
    """Entropy / bits of every part in one cell, and over how much: `74% 91% 94%, 13,312 codes`.

    Args:
        health: of all parts; "" of those without codes.
    """
    shares = [part.entropy_share for part in health]
    shown = " ".join(number(share, ".0%") for share in shares if share is not None)
    return ", ".join(filter(None, (shown, health[0].seen))) if shown else ""


def columns(health: Sequence[Health], *, training: bool = False) -> tuple[str, ...]:
    """Headings of the table of `rows`; none where nothing was measured.

    Args:
        health: of all parts, all of one kind.
        training: whether what only training is about is shown too.
    """
    cells = _shown(health[0].cells(), training=training) if health else ()
    return (*(cell.heading for cell in cells), "verdict") if cells else ()


def rows(health: Sequence[Health], *, training: bool = False) -> list[tuple[str, ...]]:
    """A row a part, a text for each of `columns`; below it, without a verdict, those beside it.

    Args:
        health: of all parts, all of one kind.
        training: whether what only training is about is shown too.
    """
    return [
        (*(cell.text for cell in cells), verdict)
        for part in health
        for cells, verdict in shown_rows(part, training=training)
    ]


def shown_rows(part: Health, *, training: bool) -> list[tuple[tuple[Cell, ...], str]]:
    """(the cells of a row, its verdict), for whoever draws more than text."""
    found = [(part.cells(), part.verdict), *((cells, "") for cells in part.beside())]
    return [(_shown(cells, training=training), verdict) for cells, verdict in found]


def _shown(cells: Sequence[Cell], *, training: bool) -> tuple[Cell, ...]:
    return tuple(cell for cell in cells if training or not cell.of_training)
