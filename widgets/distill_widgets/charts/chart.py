"""Chart: traces that grow at their end, and what a page lacks of them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distill_widgets.charts.series import LIMIT, Series

Json = dict[str, Any]


class Chart:
    """A plotly chart as data: `LiveChart` shows it, `drawing` and `report` print it.

    Args:
        traces: of plotly's scatter, without x and y. `smooth: True` draws a trace faintly and its
            moving average over it. A colour may be the name of a theme colour of `style.css`.
        layout: of plotly. `loggable: True` in an axis gives the chart a switch for its scale.
        name: the title.
        height_px: of the drawing.
        smoothing: weight of the past where the slider stands at first, 0 to 0.98; None for no
            slider.
        empty: what is said while there are no points.
        limit: points a trace at most.
    """

    def __init__(
        self,
        traces: Sequence[Json],
        layout: Json,
        *,
        name: str = "",
        height_px: int = 300,
        smoothing: float | None = None,
        empty: str = "",
        limit: int = LIMIT,
    ) -> None:
        self.name = name
        self.spec: Json = {
            "traces": [{"type": "scatter", "mode": "lines", **trace} for trace in traces],
            "layout": layout,
            "height": height_px,
            "empty": empty,
        }
        if smoothing is not None:
            self.spec["smoothing"] = smoothing
        self.lock = threading.RLock()
        """Held by whoever reads several things that must fit together."""
        self.marks = 0
        """Counts changes of `mark`."""
        self.epoch = ""
        """Changes whenever what was there is no longer the beginning of what there is."""
        self._limit, self._layout = limit, Json()
        self.clear()

    @property
    def points(self) -> list[int]:
        """Points of each trace, as drawn."""
        return [len(series) for series in self._series]

    def append(self, trace: int, x: npt.ArrayLike, y: npt.ArrayLike) -> None:
        """Adds points at the end of a trace.

        Args:
            trace: its number.
            x: (points,), whole numbers up to 16 million are exact.
            y: (points,); NaN leaves a gap.

        Raises:
            ValueError: x and y differ in length.
        """
        with self.lock:
            if self._series[trace].extend(x, y):
                self._start_over()

    def mark(self, layout: Json) -> None:
        """Replaces what is drawn besides the traces: plotly's shapes and annotations."""
        with self.lock:
            if layout != self._layout:
                self._layout = layout
                self.marks += 1

    def clear(self) -> None:
        """Forgets all points."""
        with self.lock:
            self._series = [Series(self._limit) for _ in self.spec["traces"]]
            self._start_over()

    def since(self, start: Sequence[int], *, with_marks: bool) -> tuple[Json, list[bytes]]:
        """What a page lacks, as a message and its buffers: x, y and, of smooth traces, the mean.

        Args:
            start: points it has of each trace.
            with_marks: whether it lacks the newest marks too.
        """
        parts, buffers = [], []
        for number, (begin, series) in enumerate(zip(start, self._series, strict=True)):
            if begin < len(series):
                parts.append([number, begin])
                columns = (series.x, series.y, series.mean)[: self._columns(number)]
                buffers += [column[begin:].tobytes() for column in columns]
        weights = [series.weight for series in self._series]
        message: Json = {"type": "data", "epoch": self.epoch, "parts": parts, "weights": weights}
        if with_marks:
            message |= {"layout": self._layout, "marks": self.marks}
        return message, buffers

    def figure(self) -> Json:
        """As a plotly figure: data and layout, JSON-ready (what is not finite is None).

        A trace that is to be smoothed has its `mean` and `weight` beside it.

        Names of theme colours are left in; see `drawing.printed`.
        """
        with self.lock:
            data = [
                {**trace, "x": _plain(series.x), "y": _plain(series.y)}
                | ({"mean": _plain(series.mean), "weight": series.weight} if smooth else {})
                for trace, series in zip(self.spec["traces"], self._series, strict=True)
                for smooth in [trace.get("smooth")]
            ]
            return {"data": data, "layout": {**self.spec["layout"], **self._layout}}

    def _columns(self, trace: int) -> int:
        return 3 if self.spec["traces"][trace].get("smooth") else 2

    def _start_over(self) -> None:
        self.epoch = uuid.uuid4().hex[:8]

    def __repr__(self) -> str:
        names = [trace.get("name", "") for trace in self.spec["traces"]]
        said = ", ".join(f"{n or 'trace'}: {c}" for n, c in zip(names, self.points, strict=True))
        return f"Chart({self.name}; points {said})"


def cursor_of(message: Mapping[str, Any], have: Sequence[int]) -> list[int]:
    """Where a page stands; at the beginning where it says something that cannot be."""
    cursor = message.get("cursor")
    if not isinstance(cursor, list) or len(cursor) != len(have):
        return [0] * len(have)
    pairs = zip(cursor, have, strict=True)
    return [c if isinstance(c, int) and 0 <= c <= n else 0 for c, n in pairs]


def _plain(values: npt.NDArray[np.float32]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
