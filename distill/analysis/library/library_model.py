"""What a library knows of a model file."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from distill.family import family
from distill.health_rows import entropies, worst
from distill.models.file.info import ModelInfo
from distill.names import printable

_EARLIEST = datetime(1970, 1, 2, tzinfo=timezone.utc)
_LATEST = datetime(2999, 12, 31, tzinfo=timezone.utc)


@dataclass(frozen=True)
class LibraryModel:
    """A model file, by its header."""

    path: Path
    place: str
    """The path below the library's folder."""
    name: str
    description: str
    tags: tuple[str, ...]
    created: datetime
    """In UTC; the file's own time where its header does not say."""
    levels: int | None
    """Of its codes; None, as are the next two, where it has none."""
    entries: int | None
    bits_per_second: float | None
    health: float | None
    """Lowest share in use among the parts of its bottleneck, as its levels, 0 to 1; None where it
    was never measured.
    """
    best_validation: float | None
    """Lowest validation loss of its training; None where its file does not say."""
    file_bytes: int
    parameters: int
    info: ModelInfo = field(repr=False)
    """All that its header says."""

    @property
    def verdict(self) -> str:
        """The word for its least used part, as `healthy`; "" where it was never measured."""
        part = worst(self.info.health)
        return part.verdict if part else ""

    @property
    def entropies(self) -> str:
        """Entropy / bits by level, and over how many codes; "" for a model without codes."""
        return entropies(self.info.health)

    @property
    def bottleneck(self) -> str:
        """The size of its bottleneck, for people; "" where its family does not say."""
        if self.bits_per_second is not None:
            return f"{self.levels} × {self.entries}, {self.bits_per_second:.0f} bit/s"
        facts = family(self.info.family).facts(self.info.config)
        return facts[0][1] if facts else ""


@dataclass(frozen=True)
class RefusedModel:
    """A file called `.distill` that cannot be used, and why."""

    path: Path
    reason: str


def shelved(info: ModelInfo, folder: Path) -> LibraryModel:
    """A model as a library shows it; what a header says in another form counts as not said."""
    meta, config = info.metadata, info.config
    tags = meta.get("tags")
    least = worst(info.health)
    return LibraryModel(
        path=info.path,
        place=printable(info.path.relative_to(folder).as_posix()),
        name=info.name,
        description=str(meta.get("description", "")),
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        created=_created(meta.get("created"), info.path),
        levels=getattr(config, "levels", None),
        entries=getattr(config, "codebook_size", None),
        bits_per_second=getattr(config, "bits_per_second", None),
        health=least.used if least else None,
        best_validation=_best(info.loss_curves.get("val", [])),
        file_bytes=info.file_bytes,
        parameters=info.parameters,
        info=info,
    )


def _created(said: Any, path: Path) -> datetime:
    """When it was made: what the header says, else the file's own time, within all calendars."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(said)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        if _EARLIEST <= moment <= _LATEST:
            return moment
    try:
        moment = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except (OSError, ValueError, OverflowError):
        return _EARLIEST
    return min(max(moment, _EARLIEST), _LATEST)


def _best(curve: list[float]) -> float | None:
    return min(filter(math.isfinite, curve), default=None)
