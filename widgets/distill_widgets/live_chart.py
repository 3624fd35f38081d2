"""LiveChart: a plotly chart that is fed while somebody looks, and is whole after a reload."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from distill_widgets.live_widget import LiveWidget, page_code
from distill_widgets.plotly_js import plotly_js_gz, plotly_version
from distill_widgets.series import LIMIT, Series

Json = dict[str, Any]


class LiveChart(LiveWidget):
    """Traces that grow at their end, drawn by plotly.

    The page says how many points it has, the chart sends what is missing: at a push, when the page
    is shown, reloaded or was hidden, and whenever it notices a gap. Any number of pages may show
    the same chart. Beyond `series.LIMIT` points a trace, peaks and dips stand for all.

    Example:
        >>> chart = LiveChart([{"name": "loss"}], {}, name="Loss")
        >>> chart.append(0, [1, 2], [0.5, 0.25])
        >>> chart.points
        [2]
        >>> chart.close()
    """

    _esm = page_code("common.js", "live_chart.js")
    name = traitlets.Unicode("").tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    plotly_version = traitlets.Unicode("").tag(sync=True)
    snapshot = traitlets.Unicode("").tag(sync=True)
    """A small SVG, shown before plotly arrives and where no kernel is left."""

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
        """Args:
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
        spec: Json = {
            "traces": [{"type": "scatter", "mode": "lines", **trace} for trace in traces],
            "layout": layout,
            "height": height_px,
            "empty": empty,
        }
        if smoothing is not None:
            spec["smoothing"] = smoothing
        self._lock = threading.RLock()  # cutting what is new and sending it are one act
        self._limit, self._seq, self._marks = limit, 0, 0
        self._layout: Json = {}
        self._start_over()
        super().__init__(name=name, spec=spec, plotly_version=plotly_version())
        self._series = [Series(limit) for _ in traces]
        self._pushed = [0] * len(traces)
        self._pushed_epoch, self._pushed_marks = "", 0
        self._handlers["plotly"] = self._on_plotly

    # --- what it shows -----------------------------------------------------------------------

    @property
    def points(self) -> list[int]:
        """Points of each trace, as drawn."""
        return [len(series) for series in self._series]

    def append(self, trace: int, x: npt.ArrayLike, y: npt.ArrayLike) -> None:
        """Adds points at the end of a trace; `push` sends them.

        Args:
            trace: its number.
            x: (points,), whole numbers up to 16 million are exact.
            y: (points,); NaN leaves a gap.

        Raises:
            ValueError: x and y differ in length.
        """
        with self._lock:
            if self._series[trace].extend(x, y):
                self._start_over()

    def mark(self, layout: Json) -> None:
        """Replaces what is drawn besides the traces: plotly's shapes and annotations."""
        with self._lock:
            if layout != self._layout:
                self._layout = layout
                self._marks += 1

    def clear(self) -> None:
        """Forgets all points."""
        with self._lock:
            self._series = [Series(self._limit) for _ in self._series]
            self._start_over()

    def figure(self) -> Json:
        """The chart as a plotly figure: data and layout, JSON-ready (NaN is None).

        Names of theme colours are left in; see `drawing`.
        """
        with self._lock:
            data = [
                {**trace, "x": _plain(series.x), "y": _plain(series.y)}
                for trace, series in zip(self.spec["traces"], self._series, strict=True)
            ]
            return {"data": data, "layout": {**self.spec["layout"], **self._layout}}

    # --- what it sends -----------------------------------------------------------------------

    def push(self) -> None:
        """Sends what is new since the last push, if a page shows this."""
        if not self.is_heard:
            return
        with self._lock:
            start = self._pushed if self._pushed_epoch == self._epoch else [0] * len(self._series)
            behind = self._pushed_marks != self._marks
            if self._pushed_epoch != self._epoch or behind or start != self.points:
                self._supply(start, with_marks=behind)

    def _on_sync(self, message: Json, buffers: Sequence[Any]) -> None:
        super()._on_sync(message, buffers)
        with self._lock:
            same = message.get("epoch") == self._epoch
            start = _cursor(message, self.points) if same else [0] * len(self._series)
            behind = message.get("marks") != self._marks
            if not same or behind or start != self.points:
                if self._pushed_epoch == self._epoch:  # one answer also brings other pages on
                    start = [min(pair) for pair in zip(start, self._pushed, strict=True)]
                self._supply(start, with_marks=True)

    def _on_plotly(self, _message: Json, _buffers: Sequence[Any]) -> None:
        self.send({"type": "plotly"}, [plotly_js_gz()])

    def _supply(self, start: Sequence[int], *, with_marks: bool) -> None:
        parts, buffers = [], []
        for number, (begin, series) in enumerate(zip(start, self._series, strict=True)):
            if begin < len(series):
                parts.append([number, begin])
                buffers += [series.x[begin:].tobytes(), series.y[begin:].tobytes()]
        self._seq += 1
        message: Json = {"type": "data", "seq": self._seq, "epoch": self._epoch, "parts": parts}
        if with_marks:
            message |= {"layout": self._layout, "marks": self._marks}
        self.send(message, buffers)
        self._pushed, self._pushed_epoch, self._pushed_marks = self.points, self._epoch, self._marks

    def _start_over(self) -> None:
        """What pages have is no longer a beginning of what there is."""
        self._epoch = uuid.uuid4().hex[:8]

    def __repr__(self) -> str:
        names = [trace.get("name", "") for trace in self.spec["traces"]]
        said = ", ".join(f"{n or 'trace'}: {c}" for n, c in zip(names, self.points, strict=True))
        return f"LiveChart({self.name}; points {said})"


def _cursor(message: Mapping[str, Any], have: Sequence[int]) -> list[int]:
    """Where a page stands; from the beginning where it says something that cannot be."""
    cursor = message.get("cursor")
    if not isinstance(cursor, list) or len(cursor) != len(have):
        return [0] * len(have)
    return [
        c if isinstance(c, int) and 0 <= c <= n else 0 for c, n in zip(cursor, have, strict=True)
    ]


def _plain(values: npt.NDArray[np.float32]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
