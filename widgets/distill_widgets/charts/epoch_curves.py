"""The curves a model file keeps, an epoch a point, as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distill_widgets.charts.chart import Chart
from distill_widgets.page.palette import ACCENT, MUTED, level_colour

LossCurves = Mapping[str, Sequence[float]]

_PLAIN: dict[str, Any] = {
    "margin": {"l": 44, "r": 8, "t": 32, "b": 36},
    "hovermode": "x unified",
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    "showlegend": True,
    "xaxis": {"domain": [0, 1], "anchor": "y", "title": {"text": "epoch", "standoff": 6}},
    "yaxis": {"domain": [0, 1], "anchor": "x", "nticks": 5, "loggable": True},
}


def curves_of_model(curves: LossCurves) -> Chart:
    """Training and validation loss of one model.

    Args:
        curves: `loss_curves` of its file: lists of equal length by name.
    """
    chart = Chart(
        [
            {"name": "training", "line": {"color": MUTED, "width": 1.4}},
            {"name": "validation", "mode": "lines+markers", "marker": {"size": 4}}
            | {"line": {"color": ACCENT, "width": 2.2}},
        ],
        _PLAIN,
        name="Loss",
        height_px=240,
        empty="this file does not say how its training went",
    )
    for trace, name in enumerate(("train", "val")):
        chart.append(trace, *_points(curves, name))
    return chart


def curves_of_models(models: Mapping[str, LossCurves]) -> Chart:
    """Validation losses of several models.

    Args:
        models: from names to the `loss_curves` of each.
    """
    traces = [
        {"name": name, "mode": "lines+markers", "marker": {"size": 4}}
        | {"line": {"color": level_colour(number), "width": 2}}
        for number, name in enumerate(models)
    ]
    chart = Chart(
        traces,
        _PLAIN,
        name="Validation loss",
        height_px=260,
        empty="these files do not say how their training went",
    )
    for trace, curves in enumerate(models.values()):
        chart.append(trace, *_points(curves, "val"))
    return chart


def _points(curves: LossCurves, name: str) -> tuple[list[float], list[float]]:
    """Epochs from 1, and values; null in a file is a gap."""
    values = [float("nan") if value is None else float(value) for value in curves.get(name, ())]
    epochs = list(curves.get("epoch", ()))
    if len(epochs) != len(values):
        epochs = list(range(len(values)))
    return [float(epoch) + 1 for epoch in epochs], values
