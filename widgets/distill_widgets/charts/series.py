"""Series: a curve that never grows beyond what a screen can show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LIMIT = 4096
"""Points a curve has at most; beyond it two points, the least and the greatest, stand for many."""

Points = npt.NDArray[np.float32]


class Series:
    """Points in the order they came, thinned so that every peak and dip stays visible.

    Peaks and dips are not what a moving average may be taken of: each point also carries the mean
    of those it stands for.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._taken = 1  # raw points that become one point (1) or two (more)
        self._points = np.empty((3, 0), np.float32)  # x, y, mean
        self._waiting = np.empty((2, 0), np.float32)

    def __len__(self) -> int:
        return self._points.shape[1]

    @property
    def x(self) -> Points:
        """(points,)."""
        return self._points[0]

    @property
    def y(self) -> Points:
        """(points,)."""
        return self._points[1]

    @property
    def mean(self) -> Points:
        """Mean of the raw points around each, (points,); y itself while nothing is thinned."""
        return self._points[2]

    @property
    def weight(self) -> float:
        """Raw points that one point stands for."""
        return max(1.0, self._taken / 2)

    def extend(self, x: npt.ArrayLike, y: npt.ArrayLike) -> bool:
        """Takes more points; returns whether those there were had to be thinned.

        Raises:
            ValueError: x and y differ in length.
        """
        new_x, new_y = _as_float32(x), _as_float32(y)
        if len(new_x) != len(new_y):
            raise ValueError(f"{len(new_x)} x and {len(new_y)} y: expected as many of each")
        raw = np.concatenate([self._waiting, np.stack([new_x, new_y])], axis=1)
        whole = raw.shape[1] - raw.shape[1] % self._taken
        self._waiting = raw[:, whole:]
        points = raw[[0, 1, 1], :whole]
        if self._taken > 1:
            points = _extremes(points, self._taken)
        self._points = np.concatenate([self._points, points], axis=1)
        thinned = False
        while len(self) > self._limit:
            self._halve()
            thinned = True
        return thinned

    def _halve(self) -> None:
        whole = len(self) - len(self) % 4
        halved = _extremes(self._points[:, :whole], 4)
        self._points = np.concatenate([halved, self._points[:, whole:]], axis=1)
        self._taken = 4 if self._taken == 1 else 2 * self._taken


def _as_float32(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Single precision; what is too large for it becomes its largest number."""
    most = np.finfo(np.float32).max
    return np.clip(np.asarray(values, np.float64).ravel(), -most, most).astype(np.float32)


def _extremes(points: Points, count: int) -> Points:
    """The least and the greatest of every `count` points, in the order they came, and their mean.

    Args:
        points: (3, count × n): x, y, mean.
        count: how many points become two.
    """
    x, y, mean = points.reshape(3, -1, count)
    unknown = np.isnan(y)
    least = np.where(unknown, np.inf, y).argmin(axis=1)
    greatest = np.where(unknown, -np.inf, y).argmax(axis=1)
    columns = np.sort(np.stack([least, greatest], axis=1), axis=1)
    rows = np.arange(len(y))[:, None]
    known = ~np.isnan(mean)
    total = np.where(known, mean, 0).sum(axis=1)
    means = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)
    chosen = [x[rows, columns], y[rows, columns], np.stack([means, means], axis=1)]
    return np.stack([part.ravel() for part in chosen]).astype(np.float32)
