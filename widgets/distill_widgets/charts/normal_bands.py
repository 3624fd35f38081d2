"""Bands behind curves: where runs like this one were, see `distill.training.watch.normal`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from distill.training.watch.normal import Band
from distill_widgets.charts.chart import Chart

_FAINT = 0.16
_GROUP = "runs like this"


class Place(NamedTuple):
    """Where a curve is drawn."""

    name: str
    """Of the curve, as `epoch_curves` has it."""
    axes: dict[str, str]
    colour: str


def band_traces(like: Band | None, places: Iterable[Place]) -> list[dict[str, Any]]:
    """Two traces for each curve that such a band has: the lowest, and the highest with what is
    between them filled. One name in the legend switches all; without points there is none.
    """
    traces: list[dict[str, Any]] = []
    for place in _drawn(like, places):
        edge = {
            "name": _GROUP, "legendgroup": _GROUP, "hoverinfo": "skip", "zorder": -1,
            "opacity": _FAINT, "line": {"color": place.colour, "width": 0}, **place.axes,
        }  # fmt: skip
        traces.append({**edge, "showlegend": False})
        filled = {"fill": "tonexty", "fillcolor": place.colour, "showlegend": len(traces) == 1}
        traces.append({**edge, **filled})
    return traces


def fill_bands(chart: Chart, like: Band | None, band: Band, places: Iterable[Place]) -> None:
    """Gives the traces of `band_traces`, the last ones of a chart, their points.

    Args:
        chart: made with `like`.
        like: has the same curves.
        band: the run's own, in its units.
        places: where curves are drawn.
    """
    drawn = list(_drawn(like, places))
    first = len(chart.points) - 2 * len(drawn)
    for number, place in enumerate(drawn):
        if curve := band.curves.get(place.name):
            chart.append(first + 2 * number, band.steps, curve.low)
            chart.append(first + 2 * number + 1, band.steps, curve.high)


def _drawn(band: Band | None, places: Iterable[Place]) -> Iterator[Place]:
    return (place for place in places if band and place.name in band.curves)
