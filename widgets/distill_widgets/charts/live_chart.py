"""LiveChart: a plotly chart that is fed while somebody watches, and is whole after a reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import traitlets

from distill_widgets.charts.chart import Chart, Json, cursor_of
from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.page.plotly_js import plotly_version, serve_plotly


class LiveChart(LiveWidget):
    """Shows a `Chart`, drawn by plotly.

    The page says how many points it has, the chart sends what is missing: at a push, when the page
    is shown, reloaded or was hidden, and whenever it notices a gap. Any number of pages may show
    the same chart. Beyond `series.LIMIT` points a trace, peaks and dips stand for all.

    Args:
        traces: of plotly's scatter; or a chart, which then has everything.
        layout: of plotly.
        options: see `Chart`.

    Example:
        >>> chart = LiveChart([{"name": "loss"}], {}, name="Loss")
        >>> chart.append(0, [1, 2], [0.5, 0.25])
        >>> chart.points
        [2]
        >>> chart.close()
    """

    _css = page_styles("page/style.css", "charts/chart.css")
    _esm = page_code("charts/live_chart.js")
    name = traitlets.Unicode("").tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    plotly_version = traitlets.Unicode("").tag(sync=True)
    snapshot = traitlets.Unicode("").tag(sync=True)
    """A small SVG, shown before plotly arrives and where no kernel is left."""

    def __init__(
        self, traces: Sequence[Json] | Chart, layout: Json | None = None, **options: Any
    ) -> None:
        self.chart = traces if isinstance(traces, Chart) else Chart(traces, layout or {}, **options)
        self._seq = 0
        self._pushed, self._pushed_epoch, self._pushed_marks = [0] * len(self.points), "", 0
        super().__init__(
            name=self.chart.name, spec=self.chart.spec, plotly_version=plotly_version()
        )
        serve_plotly(self)

    @property
    def points(self) -> list[int]:
        """Points of each trace, as drawn."""
        return self.chart.points

    def append(self, trace: int, x: npt.ArrayLike, y: npt.ArrayLike) -> None:
        """Adds points at the end of a trace, see `Chart.append`; `push` sends them."""
        self.chart.append(trace, x, y)

    def push(self) -> None:
        """Sends what is new since the last push, if a page shows this."""
        if not self.is_watched:
            return
        chart = self.chart
        with chart.lock:  # cutting what is new and sending it are one act
            same = self._pushed_epoch == chart.epoch
            start = self._pushed if same else [0] * len(self.points)
            behind = self._pushed_marks != chart.marks
            if not same or behind or start != self.points:
                self._supply(start, with_marks=behind)

    def _on_sync(self, message: Json, buffers: Sequence[Any]) -> None:
        super()._on_sync(message, buffers)
        chart = self.chart
        with chart.lock:
            same = message.get("epoch") == chart.epoch
            start = cursor_of(message, self.points) if same else [0] * len(self.points)
            if not same or message.get("marks") != chart.marks or start != self.points:
                if self._pushed_epoch == chart.epoch:  # one answer also brings other pages on
                    start = [min(pair) for pair in zip(start, self._pushed, strict=True)]
                self._supply(start, with_marks=True)

    def _supply(self, start: Sequence[int], *, with_marks: bool) -> None:
        message, buffers = self.chart.since(start, with_marks=with_marks)
        self._seq += 1
        self.send({**message, "seq": self._seq}, buffers)
        self._pushed, self._pushed_epoch = self.points, self.chart.epoch
        self._pushed_marks = self.chart.marks

    def __repr__(self) -> str:
        return f"LiveChart of {self.chart!r}"
