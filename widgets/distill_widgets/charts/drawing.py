"""The static picture of a chart: as PNG for a report, as SVG in the colours of any theme."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.markup import plain, svg_element
from distill_widgets.charts.chart import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Plain colours for names of theme colours; they read on white and, in SVG, follow the text.
_PRINTED = {
    "var(--distill-ink)": "#212121",
    "var(--distill-muted)": "#8a8a8a",
    "var(--distill-accent)": "#1976d2",
    "var(--distill-warn)": "#c25400",
    "var(--distill-good)": "#009988",
}
_TEXT, _TEXT_IN_SVG = "#515253", "currentColor"  # a colour nothing else has, replaced in SVG
_DPI = 100
_DASHES = {"dot": ":", "dash": "--", "solid": "-"}
_POINTS = 200
_COLOURS = 128
_SMOOTHING = 0.9
_LONGEST_NAME, _LONGEST_NOTE = 60, 180
_NOTE = "#c25400"
_COORDINATE = re.compile(r"(?<=[\s\"(,])\d+\.\d{2,}")  # not text, which follows a ">"


def draw(chart: Chart, *, width_px: int = 900, note: str = "") -> Figure:
    """A chart of lines and markers, drawn by matplotlib.

    Args:
        chart: its axes have a `domain`, its shapes are upright or level lines.
        width_px: of the picture; the chart has its own height.
        note: stands below, small: what has to be known of it.
    """
    from matplotlib.figure import Figure  # half a second, when a picture is wanted

    figure, height_px = chart.figure(), chart.spec["height"]
    drawn = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI)
    layout = figure["layout"]
    edges = 0.06, 0.11, 0.985 - 0.06, 0.97 - 0.2  # left, bottom, width, height of all panels
    axes: dict[str, Axes] = {}
    for name, axis in layout.items():
        if name.startswith("yaxis"):
            number = name.removeprefix("yaxis")
            across, up = layout[f"xaxis{number}"]["domain"], axis["domain"]
            axes[f"y{number}"] = drawn.add_axes(
                (
                    edges[0] + across[0] * edges[2],
                    edges[1] + up[0] * edges[3],
                    (across[1] - across[0]) * edges[2],
                    (up[1] - up[0]) * edges[3],
                )
            )
            _dress(axes[f"y{number}"], axis)
    below: dict[str, Any] = {}
    for trace in figure["data"]:
        if trace.get("fill"):
            _draw_band(axes[trace.get("yaxis", "y")], below, trace)
        elif trace.get("line", {}).get("width") != 0:
            _draw_trace(axes[trace.get("yaxis", "y")], trace)
        below = trace
    for shape in layout.get("shapes", ()):
        _draw_mark(axes["y"], shape)
    for words in layout.get("annotations", ()):
        place = next(
            name
            for name in axes
            if layout[f"yaxis{name[1:]}"]["domain"][1] == words["y"]
            and layout[f"xaxis{name[1:]}"]["domain"][0] == words["x"]
        )
        title = axes[place].set_title(
            plain(words["text"]), loc="left", fontsize=8, color=_TEXT, pad=3
        )
        title.set_parse_math(False)
    handles, labels = axes["y"].get_legend_handles_labels()
    if handles:
        legend = drawn.legend(
            handles, labels, loc="upper left", bbox_to_anchor=(edges[0] - 0.01, 1.0),
            ncols=len(handles), frameon=False, fontsize=8, labelcolor=_TEXT, borderaxespad=0.2,
        )  # fmt: skip
        for text in legend.get_texts():  # a name with two $ in it is a name
            text.set_parse_math(False)
    if note:
        shown = plain(note, _LONGEST_NOTE)
        drawn.text(edges[0], 0.01, shown, fontsize=7, color=_NOTE, parse_math=False)
    return drawn


def draw_pictures(rows: Sequence[tuple[str, Sequence[Any]]], title: str) -> Figure:
    """Mel pictures side by side, a row a sound.

    Args:
        rows: name and pictures, each (bands, columns) uint8; as many in every row.
        title: stands above.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, 0.4 + 1.0 * len(rows)), dpi=_DPI)
    places = drawn.subplots(len(rows), len(rows[0][1]), squeeze=False)
    for axes_of_row, (name, pictures) in zip(places, rows, strict=True):
        for axes, picture in zip(axes_of_row, pictures, strict=True):
            axes.imshow(
                picture,
                aspect="auto",
                origin="lower",
                cmap="magma",
                vmin=0,
                vmax=255,
                interpolation="nearest",
            )
            axes.set(xticks=[], yticks=[])
        axes_of_row[0].set_ylabel(
            plain(name, _LONGEST_NAME),
            parse_math=False,
            fontsize=7,
            rotation=0,
            ha="right",
            color=_TEXT,
        )
    drawn.suptitle(plain(title), parse_math=False, fontsize=8, color=_TEXT)
    drawn.tight_layout(pad=0.6)
    return drawn


def to_png(figure: Figure) -> bytes:
    """As PNG on white, in few colours: a notebook keeps it."""
    from PIL import Image  # matplotlib brings it

    file, small = io.BytesIO(), io.BytesIO()
    figure.savefig(file, format="png", facecolor="white")
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def to_svg(figure: Figure) -> str:
    """As SVG without a ground, its text in the colour of the text around it."""
    import matplotlib

    file = io.StringIO()
    # Text as text, not as outlines, is a third of the size. One key alone is changed and put back:
    # rc_context would put back everything, also what a cell changes meanwhile.
    before = matplotlib.rcParams["svg.fonttype"]
    matplotlib.rcParams["svg.fonttype"] = "none"
    try:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    finally:
        matplotlib.rcParams["svg.fonttype"] = before
    svg = svg_element(file.getvalue()).replace(_TEXT, _TEXT_IN_SVG)
    return _COORDINATE.sub(lambda number: f"{float(number[0]):.1f}", svg)


def _dress(axes: Axes, axis: dict[str, Any]) -> None:
    axes.set_facecolor("none")
    axes.grid(True, color="#888888", alpha=0.2, linewidth=0.6)
    axes.tick_params(labelsize=7, colors=_TEXT, length=0)
    axes.locator_params(nbins=5)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#88888866")
    if "range" in axis:
        axes.set_ylim(axis["range"])
    if axis.get("tickformat") == ".0%":
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _draw_trace(axes: Axes, trace: dict[str, Any]) -> None:
    x, y = np.array(trace["x"], float), np.array(trace["y"], float)
    if not len(x):
        return
    line, marker = trace.get("line", {}), trace.get("marker", {})
    colour = _printed(line.get("color") or marker.get("color"))
    label = _label(trace.get("name", "")) if trace.get("showlegend", True) else "_"
    if trace["mode"] == "markers":
        axes.plot(x, y, "D", markersize=4, markerfacecolor="none", color=colour, label=label)
        return
    style = {"color": colour, "linewidth": line.get("width", 1.5) * 0.75}
    if trace.get("smooth"):
        axes.plot(*_thin(x, y), **style, alpha=0.3)
        y = _smoothed(np.array(trace["mean"], float), _SMOOTHING ** trace["weight"])
    points = "." if "markers" in trace["mode"] and len(x) <= 60 else None
    axes.plot(
        *_thin(x, y), _DASHES[line.get("dash", "solid")], **style,
        label=label, marker=points, markersize=4,
    )  # fmt: skip


def _draw_band(axes: Axes, low: dict[str, Any], high: dict[str, Any]) -> None:
    """What lies between two traces."""
    if high["x"]:
        below, above = (np.array(trace["y"], float) for trace in (low, high))
        label = _label(high.get("name", "")) if high.get("showlegend", True) else "_"
        style = {"color": _printed(high["fillcolor"]), "alpha": high["opacity"], "linewidth": 0}
        axes.fill_between(high["x"], below, above, label=label, zorder=0, **style)


def _label(name: str) -> str:
    """A name in a legend; matplotlib leaves out what begins with _."""
    shown = plain(name, _LONGEST_NAME)
    return f" {shown}" if shown.startswith("_") else shown


def _draw_mark(axes: Axes, shape: dict[str, Any]) -> None:
    style: dict[str, Any] = {"color": _printed(shape["line"]["color"]), "linewidth": 0.8}
    style["linestyle"] = _DASHES[shape["line"]["dash"]]
    if shape.get("xref") == "x domain":
        axes.axhline(shape["y0"], **style)
        return
    axes.axvline(shape["x0"], **style)
    axes.annotate(
        plain(shape["label"]["text"]), (shape["x0"], 1), xycoords=("data", "axes fraction"),
        xytext=(2 if shape["label"]["xanchor"] == "left" else -2, -2), textcoords="offset points",
        va="top", ha=shape["label"]["xanchor"], fontsize=7, color=style["color"],
        parse_math=False,
    )  # fmt: skip


def _thin(x: Any, y: Any) -> tuple[Any, Any]:
    step = max(1, len(x) // _POINTS)
    return x[::step], y[::step]


def _smoothed(y: Any, past: float) -> Any:
    """The moving average the page draws, see `smoothed` in smoothing.js."""
    out, total, weight = np.array(y), 0.0, 0.0
    for place in np.flatnonzero(np.isfinite(y)):
        total = past * total + (1 - past) * y[place]
        weight = past * weight + (1 - past)
        out[place] = total / weight
    return out


def _printed(colour: str) -> str:
    return _PRINTED.get(colour, colour)


def printed(part: Any) -> Any:
    """The same figure with plain colours where names of theme colours stood."""
    if isinstance(part, str):
        return _printed(part)
    if isinstance(part, list):
        return [printed(item) for item in part]
    if isinstance(part, dict):
        return {key: printed(item) for key, item in part.items()}
    return part
