"""Small inline SVG drawings in the page's own colour, for a light and a dark theme."""

from __future__ import annotations

import math
from collections.abc import Sequence

from distill.markup import Markup, shortened, tag

_MOST_POINTS = 200
_MOST_BARS = 256
_BAR = 6  # CSS pixels, with what lies between two
_LONGEST_NAME = 44


def svg_curves(
    curves: Sequence[Sequence[float]], label: str, *, width: int = 240, height: int = 60
) -> Markup:
    """Curves on common axes, the first in full strength, the others fainter; "" without numbers.

    Args:
        curves: values over time; NaN and infinities leave a gap.
        label: said to those who do not see it.
        width: in CSS pixels.
        height: in CSS pixels.
    """
    thinned = [_thinned(curve) for curve in curves]
    values = [value for curve in thinned for value in curve if math.isfinite(value)]
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    span = high / 2 - low / 2 or 1.0  # halves: the difference may be more than a float holds

    def path(curve: Sequence[float]) -> str:
        step = (width - 4) / max(len(curve) - 1, 1)
        points, pen = [], "M"
        for index, value in enumerate(curve):
            if math.isfinite(value):
                y = 2 + (height - 4) * (high / 2 - value / 2) / span
                points.append(f"{pen}{2 + index * step:.1f} {y:.1f}")
            pen = "L" if math.isfinite(value) else "M"
        return "".join(points)

    lines = (
        tag("path", d=path(curve), opacity=0.4 if number else 1)
        for number, curve in enumerate(thinned)
    )
    drawn = tag(
        "g", *lines, fill="none", stroke="currentColor", stroke_width=1.5, stroke_linecap="round"
    )
    return _svg(drawn, label, width, height)


def svg_bars(values: Sequence[float], label: str, *, height: int = 48) -> Markup:
    """Upright bars from zero, on a line that they stand on; "" without numbers.

    Args:
        values: one for each bar, the first few hundred are drawn; what is below zero, NaN and
            infinities are left empty.
        label: said to those who do not see it.
        height: in CSS pixels.
    """
    shown = list(values)[:_MOST_BARS]
    heights = [value if math.isfinite(value) and value > 0 else 0.0 for value in shown]
    if not shown:
        return Markup("")
    most, width, ground = max(heights) or 1.0, _BAR * len(shown), height - 1
    bars = "".join(
        f"M{_BAR * place + 2.5:.1f} {ground}v{-(ground - 1) * (value / most):.1f}"
        for place, value in enumerate(heights)
    )
    lines = (
        tag("path", d=bars, stroke_width=_BAR - 2),
        tag("path", d=f"M0 {height - 0.5}h{width}", stroke_width=1, opacity=0.4),
    )
    return _svg(tag("g", *lines, fill="none", stroke="currentColor"), label, width, height)


def svg_grid(rows: Sequence[tuple[str, Sequence[int]]], label: str, *, cell: int = 9) -> Markup:
    """Rows of coloured cells, each with its name; equal numbers have equal colours.

    Args:
        rows: a name and the numbers of its cells; a negative one is left empty.
        label: said to those who do not see it.
        cell: its side in CSS pixels.
    """
    rows = [(shortened(name, _LONGEST_NAME), numbers) for name, numbers in rows]
    left = 8 + 7 * max((len(name) for name, _ in rows), default=0)
    width = left + cell * max((len(numbers) for _, numbers in rows), default=0)
    height = (cell + 5) * len(rows)
    parts = [
        part
        for y, (name, numbers) in zip(range(0, height, cell + 5), rows, strict=True)
        for part in (
            tag("text", name, x=0, y=y + cell),
            *(
                _cell(left + cell * x, y + 1, cell - 1, number)
                for x, number in enumerate(numbers)
                if number >= 0
            ),
        )
    ]
    grid = tag("g", *parts, font_size=11, font_family="sans-serif", fill="currentColor")
    return _svg(grid, label, width, height)


def entry_colour(number: int) -> str:
    """A colour of middling lightness, far from those of neighbouring numbers: the golden angle."""
    return f"hsl({number * 137.508 % 360:.0f} 60% 55%)"


def _svg(drawn: Markup, label: str, width: int, height: int) -> Markup:
    return tag(
        "svg", drawn, role="img", aria_label=label, width=width, height=height,
        viewBox=f"0 0 {width} {height}",
    )  # fmt: skip


def _cell(x: int, y: int, side: int, number: int) -> Markup:
    return tag("rect", width=side, height=side, x=x, y=y, fill=entry_colour(number))


def _thinned(curve: Sequence[float]) -> Sequence[float]:
    stride = math.ceil(len(curve) / _MOST_POINTS)
    return curve if stride <= 1 else curve[::stride]
