"""Series: a curve that never grows beyond what a screen can show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LIMIT = 4096
"""Points a curve has at most; beyond it two points, the least and the greatest, stand for many."""

Points = npt.NDArray[np.float32]


class Series:
    """Points in the order they came, thinned so that every peak and dip stays visible."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._taken = 1  # raw points that become one point (1) or two (more)
        self._x = self._y = np.empty(0, np.float32)
        self._waiting_x = self._waiting_y = np.empty(0, np.float32)

    def __len__(self) -> int:
        return len(self._x)

    @property
    def x(self) -> Points:
        """(points,)."""
        return self._x

    @property
    def y(self) -> Points:
        """(points,)."""
        return self._y

    def extend(self, x: npt.ArrayLike, y: npt.ArrayLike) -> bool:
        """Takes more points; returns whether those there were had to be thinned.

        Raises:
            ValueError: x and y differ in length.
        """
        new_x, new_y = np.asarray(x, np.float32).ravel(), np.asarray(y, np.float32).ravel()
        if len(new_x) != len(new_y):
            raise ValueError(f"{len(new_x)} x and {len(new_y)} y: expected as many of each")
        xs = np.concatenate([self._waiting_x, new_x])
        ys = np.concatenate([self._waiting_y, new_y])
        whole = len(xs) - len(xs) % self._taken
        self._waiting_x, self._waiting_y = xs[whole:], ys[whole:]
        xs, ys = xs[:whole], ys[:whole]
        if self._taken > 1:
            xs, ys = _extremes(xs, ys, self._taken)
        self._x, self._y = np.concatenate([self._x, xs]), np.concatenate([self._y, ys])
        thinned = False
        while len(self._x) > self._limit:
            self._halve()
            thinned = True
        return thinned

    def _halve(self) -> None:
        whole = len(self._x) - len(self._x) % 4
        x, y = _extremes(self._x[:whole], self._y[:whole], 4)
        self._x = np.concatenate([x, self._x[whole:]])
        self._y = np.concatenate([y, self._y[whole:]])
        self._taken = 4 if self._taken == 1 else 2 * self._taken


def _extremes(x: Points, y: Points, count: int) -> tuple[Points, Points]:
    """The least and the greatest of every `count` points, in the order they came."""
    rows = y.reshape(-1, count)
    unknown = np.isnan(rows)
    least = np.where(unknown, np.inf, rows).argmin(axis=1)
    greatest = np.where(unknown, -np.inf, rows).argmax(axis=1)
    columns = np.sort(np.stack([least, greatest], axis=1), axis=1)
    places = (columns + count * np.arange(len(rows))[:, None]).ravel()
    return x[places], y[places]
