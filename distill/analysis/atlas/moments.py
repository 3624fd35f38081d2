"""Where entries are heard: the moments of a corpus that come nearest to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PER_ENTRY, PER_FILE = 5, 2
"""Moments kept of an entry, and of it in one file: different places are worth more than equal."""


@dataclass(frozen=True)
class Moment:
    """A stretch of a recording that is said by one entry of one level."""

    file: int
    name: str
    """Of the file."""
    start_s: float
    seconds: float
    """Length of the stretch; its last step may reach beyond the end of the file."""
    distance: float
    """Euclidean, in the latent space, from the entry to what it stands for (at level 1 the latent,
    at later ones what the levels before left over), where that is nearest.
    """


class MomentFinder:
    """Keeps the nearest moments of every entry while files come by one at a time.

    A stretch of equal codes is one moment: a held tone does not fill the list with itself.
    """

    def __init__(self, levels: int, entries: int) -> None:
        shape = (levels, entries, PER_ENTRY)
        self.distances = np.full(shape, np.inf, np.float32)
        """(level, entry, moment), infinite where there is none."""
        self.files = np.full(shape, -1, np.int32)
        self.starts = np.zeros(shape, np.int32)
        """In steps, as `lengths`."""
        self.lengths = np.zeros(shape, np.int32)

    def add(self, file: int, codes: np.ndarray, distances: np.ndarray) -> None:
        """Looks at a file.

        Args:
            file: its number.
            codes: (level, step) from 0.
            distances: of each entry to what it stands for, (level, step).
        """
        for level, (row, apart) in enumerate(zip(codes, distances, strict=True)):
            self._merge(level, file, *_nearest_runs(row.astype(np.int64), apart))

    def _merge(
        self, level: int, file: int, entry: np.ndarray, rank: np.ndarray, values: np.ndarray
    ) -> None:
        """Takes runs in: their entry, their rank in it below PER_FILE, and (run, 3) values."""
        used, place = np.unique(entry, return_inverse=True)
        fresh = np.zeros((len(used), PER_FILE, 3))
        fresh[..., 0] = np.inf
        fresh[place, rank] = values
        new_files = np.where(np.isfinite(fresh[..., 0]), file, -1)
        columns = [
            (self.distances, fresh[..., 0]),
            (self.files, new_files),
            (self.starts, fresh[..., 1]),
            (self.lengths, fresh[..., 2]),
        ]
        merged = [np.concatenate([best[level, used], new], axis=1) for best, new in columns]
        order = np.argsort(merged[0], axis=1, kind="stable")[:, :PER_ENTRY]
        for (best, _), values_ in zip(columns, merged, strict=True):
            best[level, used] = np.take_along_axis(values_, order, axis=1)


def _nearest_runs(
    codes: np.ndarray, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The PER_FILE nearest runs of every entry in a row of codes, (step,).

    Returns:
        Of each run its entry and its rank among those of its entry, (run,), and its distance,
        start and length, (run, 3).
    """
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    lengths = np.diff(starts, append=len(codes))
    nearest = np.minimum.reduceat(distances, starts)
    entry = codes[starts]
    order = np.lexsort((nearest, entry))
    entry, values = entry[order], np.stack([nearest, starts, lengths], axis=1)[order]
    firsts = np.flatnonzero(np.diff(entry, prepend=-1))
    rank = np.arange(len(entry)) - np.repeat(firsts, np.diff(firsts, append=len(entry)))
    nearest_ones = rank < PER_FILE
    return entry[nearest_ones], rank[nearest_ones], values[nearest_ones]
