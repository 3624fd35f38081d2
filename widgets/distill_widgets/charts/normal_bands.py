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


def band_traces(band: Band | None, places: Iterable[Place]) -> list[dict[str, Any]]:
    """Two traces for each curve that the band has: the lowest, and the highest with what is between
    them filled. One name in the legend switches all.
    """
    traces: list[dict[str, Any]] = []
    for place in _drawn(band, places):
        edge = {
            "name": _GROUP, "legendgroup": _GROUP, "hoverinfo": "skip", "zorder": -1,
            "opacity": _FAINT, "line": {"color": place.colour, "width": 0}, **place.axes,
        }  # fmt: skip
        traces.append({**edge, "showlegend": False})
        filled = {"fill": "tonexty", "fillcolor": place.colour, "showlegend": len(traces) == 1}
        traces.append({**edge, **filled})
    return traces


def fill_bands(chart: Chart, band: Band | None, places: Iterable[Place]) -> None:
    """Gives the traces of `band_traces`, the last ones of a chart, their points."""
    if band is None:
        return
    curves = [band.curves[place.name] for place in _drawn(band, places)]
    first = len(chart.points) - 2 * len(curves)
    for number, curve in enumerate(curves):
        chart.append(first + 2 * number, band.steps, curve.low)
        chart.append(first + 2 * number + 1, band.steps, curve.high)


def _drawn(band: Band | None, places: Iterable[Place]) -> Iterator[Place]:
    return (place for place in places if band and place.name in band.curves)
