"""A run's history as two charts: what is lost, and how the codebooks are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from distill.codebook.health import LevelHealth
from distill.codebook.labels import level_labels
from distill.health_rows import THIN_BELOW
from distill.training.watch.event_lines import VQEpochMetrics
from distill.training.watch.history import MetricsHistory
from distill_widgets.charts.chart import Chart
from distill_widgets.page.palette import ACCENT, INK, MUTED, WARN, level_colour

_MOST_MARKED = 50
_PARTS = ("loss", "reconstruction", "commitment")
_CHECKPOINTS = 2 * len(_PARTS)  # the trace after training and validation of each part
_PANELS: tuple[tuple[str, Callable[[LevelHealth], float]], ...] = (
    ("used", lambda health: health.used),
    ("perplexity", lambda health: health.perplexity),
    ("dead codes", lambda health: health.dead_codes),
    ("churn, entries a step", lambda health: health.churn),
)


def loss_chart() -> Chart:
    """An empty chart of training and validation: the loss, and beside it its two parts."""
    traces: list[dict[str, Any]] = []
    for number, part in enumerate(_PARTS):
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
    places = (((0, 0.62), (0, 1)), ((0.69, 1), (0.56, 1)), ((0.69, 1), (0, 0.44)))
    return Chart(
        traces,
        _layout(places, ["", *_PARTS[1:]], loggable=True),
        name="Loss",
        height_px=320,
        smoothing=0.9,
        empty="waiting for the first step",
    )


def level_chart(levels: int) -> Chart:
    """An empty chart of every level's codebook, an epoch a point."""
    labels = level_labels(levels)
    traces: list[dict[str, Any]] = [
        {
            "name": label,
            "legendgroup": label,
            "showlegend": not number,
            "mode": "lines+markers",
            "marker": {"size": 4},
            "line": {"color": level_colour(level), "width": 2},
            "hovertemplate": f"%{{y:{'.1%' if not number else '.3~f'}}}",
            **_axes(number),
        }
        for number in range(len(_PANELS))
        for level, label in enumerate(labels)
    ]
    places = tuple((x, y) for y in ((0.57, 1), (0, 0.43)) for x in ((0, 0.46), (0.54, 1)))
    layout = _layout(places, [title for title, _ in _PANELS])
    layout["yaxis"] |= {"tickformat": ".0%", "range": [0, 1.04]}
    layout["shapes"] = [
        {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": THIN_BELOW, "y1": THIN_BELOW}
        | {"line": {"color": WARN, "width": 1, "dash": "dash"}}
    ]
    return Chart(
        traces, layout, name="Codebooks", height_px=360, empty="waiting for the first epoch"
    )


class Curves:
    """Feeds a history into both charts, each thing once."""

    def __init__(self, loss: Chart, levels: Chart) -> None:
        self._loss, self._levels = loss, levels
        self._history: MetricsHistory | None = None
        self._steps = self._epochs = self._checkpoints = 0

    def update(self, history: MetricsHistory) -> None:
        """Takes what is new; begins anew where the history was replaced, as after a crash."""
        if history is not self._history:
            self._history = history
            self._steps = self._epochs = self._checkpoints = 0
            self._loss.clear()
            self._levels.clear()
        steps = history.steps_since(self._steps)
        for number, part in enumerate(_PARTS):
            self._loss.append(2 * number, steps["step"] + 1, steps[part])
        self._steps += len(steps["step"])
        epochs = history.epochs[self._epochs :]
        self._take_epochs(epochs)
        self._epochs += len(epochs)
        checkpoints = history.checkpoints[self._checkpoints :]
        self._take_checkpoints(history, [event.step for event in checkpoints])
        self._checkpoints += len(checkpoints)
        self._loss.mark({"shapes": _marks(history)})

    def _take_epochs(self, epochs: Sequence[VQEpochMetrics]) -> None:
        if not epochs:
            return
        steps = [epoch.step for epoch in epochs]
        for number, part in enumerate(_PARTS):
            values = [getattr(epoch, f"val_{part}") for epoch in epochs]
            self._loss.append(2 * number + 1, steps, values)
        measured = [epoch for epoch in epochs if epoch.health]
        steps = [epoch.step for epoch in measured]
        trace = 0
        for _, value_of in _PANELS:
            for level in range(len(measured[0].health) if measured else 0):
                self._levels.append(trace, steps, [value_of(e.health[level]) for e in measured])
                trace += 1

    def _take_checkpoints(self, history: MetricsHistory, steps: Sequence[int]) -> None:
        known = [(epoch.step, epoch.val_loss) for epoch in history.epochs]
        for step in steps:
            before = [loss for at, loss in known if at <= step]
            if before:  # before the first validation there is no height to draw it at
                self._loss.append(_CHECKPOINTS, [step], [before[-1]])


def _marks(history: MetricsHistory) -> list[dict[str, Any]]:
    """Upright lines: the epoch whose weights are kept, and where the run was taken up again."""
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
