"""Health: how well the bottleneck of a model is used, and the table in which people read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

HEALTHY, THIN, COLLAPSING = "healthy", "thin", "collapsing"
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
    """(health of a part) -> the number."""


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
        """Share in use, 0 to 1, relative to what the data could show at most."""

    @property
    @abstractmethod
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""

    @abstractmethod
    def cells(self) -> tuple[Cell, ...]:
        """What people read of it: its name first; the verdict is added by `rows`."""

    @property
    def profile(self) -> Profile | None:
        """A number of each unit within it; None where there are none."""
        return None

    @property
    def verdict(self) -> str:
        """healthy, thin or collapsing."""
        return verdict_of(self.used)


def verdict_of(used: float) -> str:
    """The word for a share in use.

    Args:
        used: 0 to 1, as `Health.used`.

    Example:
        >>> verdict_of(0.05), verdict_of(0.2), verdict_of(0.3)
        ('collapsing', 'thin', 'healthy')
    """
    if used < COLLAPSING_BELOW:
        return COLLAPSING
    return THIN if used < THIN_BELOW else HEALTHY


def columns(health: Sequence[Health], *, training: bool = False) -> tuple[str, ...]:
    """Headings of the table of `rows`; none where nothing was measured.

    Args:
        health: of all parts, all of one kind.
        training: whether what only training is about is shown too.
    """
    cells = shown_cells(health[0], training=training) if health else ()
    return (*(cell.heading for cell in cells), "verdict") if cells else ()


def rows(health: Sequence[Health], *, training: bool = False) -> list[tuple[str, ...]]:
    """A row a part, a text for each of `columns`.

    Args:
        health: of all parts, all of one kind.
        training: whether what only training is about is shown too.
    """
    return [
        (*(cell.text for cell in shown_cells(part, training=training)), part.verdict)
        for part in health
    ]


def shown_cells(part: Health, *, training: bool) -> tuple[Cell, ...]:
    """The cells of a row before its verdict, for whoever draws more than text."""
    return tuple(cell for cell in part.cells() if training or not cell.of_training)
