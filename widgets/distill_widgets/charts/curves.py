"""A run's history as two charts: what is lost, and how the bottleneck is used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distill.family import Family
from distill.health_rows import THIN_BELOW
from distill.training.watch.epoch_curves import health_curves, health_name, loss_name
from distill.training.watch.history import MetricsHistory
from distill.training.watch.normal import Band, NormalRuns
from distill_widgets.charts.chart import Chart
from distill_widgets.charts.normal_bands import Place, band_traces, fill_bands
from distill_widgets.page.palette import ACCENT, INK, MUTED, WARN, level_colour, level_dash

_MOST_MARKED = 50
_GAP = 0.12
"""Share of the chart's height between two panels above each other."""
_SHARES = {"tickformat": ".0%", "range": [0, 1.04]}


def loss_chart(family: Family, like: Band | None = None) -> Chart:
    """An empty chart of training and validation: the loss, and beside it each of its parts.

    Args:
        family: of the run.
        like: bands of runs like it have these curves, if there are any.
    """
    traces: list[dict[str, Any]] = []
    for number, part in enumerate(("loss", *family.loss_parts)):
        axes = _axes(number)
        first = {"showlegend": not number, "hovertemplate": f"{part} %{{y:.4f}}"}
        traces += [
            {"name": "training", "legendgroup": "training", "smooth": True, **axes, **first}
            | {"line": {"color": MUTED, "width": 1.4}},
            {"name": "validation", "legendgroup": "validation", "mode": "lines+markers"}
            | {**axes, **first, "line": {"color": ACCENT, "width": 2.2}, "marker": {"size": 5}},
        ]
    traces.append(
        {"name": "checkpoint", "mode": "markers", "hovertemplate": "checkpoint"}
        | {"marker": {"symbol": "diamond-open", "size": 9, "color": INK, "line": {"width": 1.2}}}
    )
    traces += band_traces(like, _loss_places(family))
    beside = _below_each_other(len(family.loss_parts), _GAP)
    first_across = (0, 0.62) if beside else (0, 1)
    places = ((first_across, (0, 1)), *(((0.69, 1), up) for up in beside))
    return Chart(
        traces,
        _layout(places, ["", *family.loss_parts], loggable=True),
        name="Loss",
        height_px=max(320, 140 * len(beside)),
        smoothing=0.9,
        empty="waiting for the first step",
    )


def health_chart(family: Family, config: Any, like: Band | None = None) -> Chart:
    """An empty chart of every part of the bottleneck, an epoch a point.

    Args:
        family: of the run.
        config: of the run; says how many parts there are.
        like: bands of runs like it have these curves, if there are any.
    """
    kind, labels = family.health_type, parts_of(family, config)
    curves = health_curves(kind)
    traces: list[dict[str, Any]] = [
        {
            "name": label,
            "legendgroup": label,
            "showlegend": not number,
            "mode": "lines+markers",
            "marker": {"size": 4},
            "line": {"color": level_colour(part), "width": 2, "dash": level_dash(part)},
            "hovertemplate": f"%{{y:{'.1%' if curve.is_share else '.3~f'}}}",
            **_axes(number),
        }
        for number, curve in enumerate(curves)
        for part, label in enumerate(labels)
    ]
    traces += band_traces(like, _health_places(family, config))
    up = _below_each_other(math.ceil(len(curves) / 2), 0.14)
    across = ((0, 0.46), (0.54, 1)) if len(curves) > 1 else ((0, 1),)
    places = [(x, y) for y in up for x in across][: len(curves)]
    layout = _layout(places, [curve.title for curve in curves])
    for number, curve in enumerate(curves):
        if curve.is_share:
            layout[_axes(number)["yaxis"].replace("y", "yaxis")] |= _SHARES
    layout["shapes"] = [
        {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": THIN_BELOW, "y1": THIN_BELOW}
        | {"line": {"color": WARN, "width": 1, "dash": "dash"}}
    ]
    return Chart(
        traces,
        layout,
        name=kind.parts,
        height_px=80 + 140 * len(up),
        empty="waiting for the first epoch",
    )


def parts_of(family: Family, config: Any) -> tuple[str, ...]:
    """Names of the parts of a bottleneck: its levels, or the one that it has."""
    return family.labels(config) or (family.health_type.parts.lower(),)


def _loss_places(family: Family) -> list[Place]:
    return [
        Place(loss_name(side, part), _axes(number), colour)
        for number, part in enumerate(("loss", *family.loss_parts))
        for side, colour in (("training", MUTED), ("validation", ACCENT))
    ]


def _health_places(family: Family, config: Any) -> list[Place]:
    return [
        Place(health_name(curve, part), _axes(number), level_colour(part))
        for number, curve in enumerate(health_curves(family.health_type))
        for part in range(len(parts_of(family, config)))
    ]


class Curves:
    """Feeds a history into both charts, each thing once.

    Args:
        loss: by `loss_chart`.
        health: by `health_chart`.
        family: of the run.
        config: of the run.
        normal: whose `like` both charts were made with, and where runs like this one were.
    """

    def __init__(
        self,
        loss: Chart,
        health: Chart,
        family: Family,
        config: Any,
        normal: NormalRuns | None = None,
    ) -> None:
        self._loss, self._health, self._normal = loss, health, normal
        self._places = _loss_places(family), _health_places(family, config)
        self._names = ("loss", *family.loss_parts)
        self._kind, self._parts = family.health_type, len(parts_of(family, config))
        self._history: MetricsHistory | None = None
        self._has_bands = False
        self._steps = self._epochs = self._checkpoints = 0

    def update(self, history: MetricsHistory) -> None:
        """Takes what is new; begins anew where the history was replaced, as after a crash."""
        if history is not self._history:
            self._history = history
            self._steps = self._epochs = self._checkpoints = 0
            self._loss.clear()
            self._health.clear()
            self._has_bands = False
        if self._normal is not None and not self._has_bands:
            self._fill_bands(self._normal.like, self._normal.beside(history.epochs))
        self._take_steps(history.steps_since(self._steps))
        epochs = history.epochs[self._epochs :]
        self._take_losses(epochs)
        self._take_health([epoch for epoch in epochs if self._is_measured(epoch)])
        self._epochs += len(epochs)
        checkpoints = history.checkpoints[self._checkpoints :]
        self._take_checkpoints(history, [event.step for event in checkpoints])
        self._checkpoints += len(checkpoints)
        self._loss.mark({"shapes": _marks(history)})

    def _fill_bands(self, like: Band | None, band: Band | None) -> None:
        if band is not None:
            self._has_bands = True
            for chart, places in zip((self._loss, self._health), self._places, strict=True):
                fill_bands(chart, like, band, places)

    def _take_steps(self, steps: Mapping[str, Any]) -> None:
        count = len(steps["step"])
        unknown = np.full(count, np.nan)
        for number, name in enumerate(self._names):
            self._loss.append(2 * number, steps["step"] + 1, steps.get(name, unknown))
        self._steps += count

    def _take_losses(self, epochs: Sequence[Any]) -> None:
        steps = [epoch.step for epoch in epochs]
        for number, name in enumerate(self._names):
            values = [_validation(epoch, name) for epoch in epochs]
            self._loss.append(2 * number + 1, steps, values)

    def _is_measured(self, epoch: Any) -> bool:
        """Whether it says of each part how well it is used: a log may hold anything."""
        rows = epoch.health
        return len(rows) >= self._parts and all(isinstance(row, self._kind) for row in rows)

    def _take_health(self, epochs: Sequence[Any]) -> None:
        steps = [epoch.step for epoch in epochs]
        for number, curve in enumerate(health_curves(self._kind)):
            for part in range(self._parts):
                values = [curve.of(epoch.health[part]) for epoch in epochs]
                self._health.append(number * self._parts + part, steps, values)

    def _take_checkpoints(self, history: MetricsHistory, steps: Sequence[int]) -> None:
        known = [(epoch.step, epoch.val_loss) for epoch in history.epochs]
        for step in steps:
            before = [loss for at, loss in known if at <= step]
            if before:  # before the first validation there is no height to draw it at
                self._loss.append(2 * len(self._names), [step], [before[-1]])


def _validation(epoch: Any, name: str) -> float:
    value: float = epoch.val_loss if name == "loss" else epoch.val_parts.get(name, math.nan)
    return value


def _below_each_other(count: int, gap: float) -> list[tuple[float, float]]:
    """Where panels stand, from the top: equally high, with a gap between two."""
    height = (1 - gap * (count - 1)) / max(1, count)
    tops = [1 - number * (height + gap) for number in range(count)]
    return [(round(max(0.0, top - height), 4), round(top, 4)) for top in tops]


def _marks(history: MetricsHistory) -> list[dict[str, Any]]:
    """Upright lines: the epoch whose weights are kept, and where the run was resumed."""
    middle = history.step_count / 2
    lines = [(event.step, "resumed", MUTED) for event in history.resumes[-_MOST_MARKED:]]
    if (best := history.best) is not None:
        lines.append((best.step, f"best, epoch {best.epoch + 1}", ACCENT))
    return [_upright(*line, at_the_right=line[0] > middle) for line in lines]


def _upright(x: float, text: str, colour: str, *, at_the_right: bool) -> dict[str, Any]:
    label = {
        "text": text,
        "textposition": "end",
        "xanchor": "right" if at_the_right else "left",
        "textangle": 0,
        "yanchor": "top",
        "padding": 3,
    }
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": "y domain",
        "y0": 0,
        "y1": 1,
        "line": {"color": colour, "width": 1, "dash": "dot"},
        "label": {**label, "font": {"color": colour, "size": 10}},
    }


def _axes(panel: int) -> dict[str, str]:
    number = str(panel + 1) if panel else ""
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def _layout(
    places: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    titles: Sequence[str],
    *,
    loggable: bool = False,
) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "margin": {"l": 44, "r": 8, "t": 44, "b": 28},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 1, "yanchor": "top"},
        "annotations": [],
    }
    for panel, ((across, up), title) in enumerate(zip(places, titles, strict=True)):
        number = str(panel + 1) if panel else ""
        layout[f"xaxis{number}"] = {"domain": list(across), "anchor": f"y{number}", "nticks": 6}
        layout[f"yaxis{number}"] = {"domain": list(up), "anchor": f"x{number}", "nticks": 5}
        layout[f"yaxis{number}"] |= {"loggable": True} if loggable else {"rangemode": "tozero"}
        if panel:
            layout[f"xaxis{number}"]["matches"] = "x"
        if title:
            layout["annotations"].append(
                {"text": title, "xref": "paper", "yref": "paper", "x": across[0], "y": up[1]}
                | {"xanchor": "left", "yanchor": "bottom", "showarrow": False}
            )
    return layout
