"""What is normal: bands of reference runs that come with distill, and whether a run leaves them.

The file is measured by `benchmarks/normal_runs.py`: nothing in it is an opinion.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from distill.checked import Count, Finite, Name, read_json
from distill.config import TrainingConfig
from distill.errors import OutsideDataError, RunFolderError
from distill.family import family, family_of
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.watch.epoch_curves import epoch_values, loss_name

REFERENCE_FILE = Path(str(resources.files("distill"))) / "data" / "reference_runs.json"
_LARGEST = 1 << 20
SIZE_CLASSES = ((1, 20), (21, 100), (101, 10**9))
"""Files of a small, a middle and a large corpus: where the settings that fit them change."""
_OF_NO_CURVE = {
    "max_epochs", "max_steps", "max_seconds", "seed", "validation_fraction", "checkpoint_every_s",
    "checkpoints_kept", "health_every_steps", "preview_every_epochs", "preview_count",
    "preview_seconds",
}  # fmt: skip
_JUDGED = loss_name("validation", "loss")
_LEAST_WIDTH = 0.05  # where runs begin alike a band has no width

_Values = Annotated[list[Finite], Meta(max_length=1000)]


class Bands(msgspec.Struct, frozen=True):
    """Lowest and highest of a curve, (steps,) each."""

    low: _Values
    high: _Values


class Band(msgspec.Struct, frozen=True):
    """Several runs of one kind."""

    family: Name
    start: Name
    """`base` or `none`."""
    digest: Name
    """Of the base they started from; empty where they started from nothing."""
    files: tuple[Count, Count]
    """The fewest and the most files of such a corpus."""
    settings: dict[Name, Any]
    """All that a curve depends on, see `compared_settings`."""
    runs: Count
    corpora: list[Name]
    steps: Annotated[list[Count], Meta(min_length=1, max_length=1000)]
    curves: dict[Name, Bands]
    """By the names of `epoch_curves`."""
    relative: list[Name] = []
    """Curves told in multiples of what a run itself had at the first of the steps: how high a loss
    is depends on the sounds, how it goes on much less."""

    def at(self, curve: str, step: int) -> tuple[float, float] | None:
        """Lowest and highest of a curve at a step, on a straight line between two that were
        measured; None where nothing was measured.
        """
        band = self.curves.get(curve)
        if band is None or not self.steps[0] <= step <= self.steps[-1]:
            return None
        low, high = (float(np.interp(step, self.steps, side)) for side in (band.low, band.high))
        return low, high

    def beside(self, epochs: Sequence[Any]) -> Band | None:
        """The same with every curve in the units of a run.

        Args:
            epochs: events of the run's epochs.

        Returns:
            None until the run has come to the first of the steps.
        """
        first = next((n for n, one in enumerate(epochs) if one.step >= self.steps[0]), None)
        if first is None:
            return None
        own = self._at_the_first(epochs[: first + 1])
        curves = {
            name: Bands(_times(own.get(name, 1.0), both.low), _times(own.get(name, 1.0), both.high))
            for name, both in self.curves.items()
        }
        return msgspec.structs.replace(self, curves=curves, relative=[])

    def _at_the_first(self, epochs: Sequence[Any]) -> dict[str, float]:
        """What a run had of each relative curve at the first of the steps."""
        steps = [epoch.step for epoch in epochs]
        values = [epoch_values(family(self.family), epoch) for epoch in epochs]
        return {
            curve: float(
                np.interp(self.steps[0], steps, [each.get(curve, math.nan) for each in values])
            )
            for curve in self.relative
        }


class ReferenceRuns(msgspec.Struct, frozen=True):
    """All bands there are."""

    bands: Annotated[list[Band], Meta(max_length=1000)]


def compared_settings(config: TrainingConfig) -> dict[str, Any]:
    """The settings that two runs must share for their curves to be compared.

    Budget and seed are not among them: the reference runs differ in both.
    """
    return {name: value for name, value in config.to_dict().items() if name not in _OF_NO_CURVE}


def size_class(files: int) -> tuple[int, int]:
    """Fewest and most files of the corpora that are compared with one of so many.

    Example:
        >>> size_class(60)
        (21, 100)
    """
    return next((low, high) for low, high in SIZE_CLASSES if low <= max(files, 1) <= high)


def read_reference_runs(path: Path) -> ReferenceRuns:
    """Reads a file of bands.

    Raises:
        OutsideDataError: it is none.
        OSError: it cannot be read.
    """
    found: ReferenceRuns = read_json(path, ReferenceRuns, limit=_LARGEST)
    for band in found.bands:
        sides = [side for both in band.curves.values() for side in (both.low, both.high)]
        if any(len(side) != len(band.steps) for side in sides):
            raise OutsideDataError(f"{path.name}: expected as many numbers in a curve as steps")
        if band.steps != sorted(set(band.steps)):
            raise OutsideDataError(f"{path.name}: expected steps that rise")
    return found


@functools.cache
def reference_runs() -> ReferenceRuns:
    """Those of the package; none where it has no such file."""
    if not REFERENCE_FILE.is_file():
        return ReferenceRuns([])
    return read_reference_runs(REFERENCE_FILE)


def normal_for(request: RunRequest) -> Band | None:
    """The reference runs that a run can be compared with; None where there are none such: another
    family, other settings, a corpus of another size, or another start; or its sounds are not read
    yet.
    """
    size = size_class(len(request.corpus)) if request.corpus else None
    return next((band for band in _bands_like(request) if band.files == size), None)


class NormalRuns:
    """The band of a run that may have begun a moment ago: how many sounds there are is known once
    its trainer has read them.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.like = next(iter(_bands_like(RunRequest.from_dict(folder.read_request()))), None)
        """A band of the same settings, whatever the number of sounds: it has the same curves."""
        self._is_known = self.like is None
        self._band: Band | None = None

    def beside(self, epochs: Sequence[Any]) -> Band | None:
        """What the run is compared with, in its units; None where there are no such runs, or it is
        not known yet.

        Args:
            epochs: events of its epochs.
        """
        band = self._own_band() if epochs else None
        return None if band is None else band.beside(epochs)

    def _own_band(self) -> Band | None:
        if not self._is_known:
            try:
                request = RunRequest.from_dict(self._folder.read_request())
            except RunFolderError:  # its folder has gone meanwhile
                return None
            self._is_known, self._band = bool(request.corpus), normal_for(request)
        return self._band


def _bands_like(request: RunRequest) -> list[Band]:
    config, start = request.config, request.start
    wanted = (family_of(config).name, start.model, start.digest, compared_settings(config))
    return [
        band
        for band in reference_runs().bands
        if (band.family, band.start, band.digest, band.settings) == wanted
    ]


def left_band(band: Band | None, epochs: Sequence[Any]) -> str:
    """A sentence where the newest validation loss is far outside the band; else empty.

    Far is farther than the band is wide: of a few runs, another one is often a little outside.

    Args:
        band: of the runs it is compared with, if there are any; see `NormalRuns.beside`.
        epochs: events of the run's epochs.
    """
    if band is None or not epochs:
        return ""
    step, loss = epochs[-1].step, epochs[-1].val_loss
    low, high = band.at(_JUDGED, step) or (math.nan, math.nan)
    if not math.isfinite(low + high + loss):
        return ""
    width = max(high - low, _LEAST_WIDTH * high)
    if low - width <= loss <= high + width:
        return ""
    return (
        f"validation loss {loss:.3g} at step {step}: runs like this were at {low:.3g} to "
        f"{high:.3g}; see What is normal"
    )


def _times(factor: float, values: list[float]) -> list[float]:
    return [factor * value for value in values]
