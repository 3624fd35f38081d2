"""Small inline SVG drawings in the page's own colour, for a light and a dark theme."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

_MOST_POINTS = 200


def svg_curves(
    curves: Sequence[Sequence[float]], label: str, *, width: int = 240, height: int = 60
) -> str:
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
        return ""
    low, high = min(values), max(values)
    span = high - low or 1.0

    def path(curve: Sequence[float]) -> str:
        step = (width - 4) / max(len(curve) - 1, 1)
        points, pen = [], "M"
        for index, value in enumerate(curve):
            if math.isfinite(value):
                y = 2 + (height - 4) * (high - value) / span
                points.append(f"{pen}{2 + index * step:.1f} {y:.1f}")
            pen = "L" if math.isfinite(value) else "M"
        return "".join(points)

    lines = "".join(
        f"<path d='{path(curve)}' opacity='{0.4 if number else 1}'/>"
        for number, curve in enumerate(thinned)
    )
    return (
        f"<svg role='img' aria-label='{html.escape(label)}' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}'><g fill='none' stroke='currentColor' "
        f"stroke-width='1.5' stroke-linecap='round'>{lines}</g></svg>"
    )


def svg_grid(rows: Sequence[tuple[str, Sequence[int]]], label: str, *, cell: int = 9) -> str:
    """Rows of coloured cells, each with its name; equal numbers have equal colours.

    Args:
        rows: a name and the numbers of its cells; a negative one is left empty.
        label: said to those who do not see it.
        cell: its side in CSS pixels.
    """
    left = 8 + 7 * max((len(name) for name, _ in rows), default=0)
    width = left + cell * max((len(numbers) for _, numbers in rows), default=0)
    height = (cell + 5) * len(rows)
    body = "".join(
        f"<text x='0' y='{y + cell}'>{html.escape(name)}</text>"
        + "".join(
            f"<rect x='{left + cell * x}' y='{y + 1}' fill='{entry_colour(number)}'/>"
            for x, number in enumerate(numbers)
            if number >= 0
        )
        for y, (name, numbers) in zip(range(0, height, cell + 5), rows, strict=True)
    )
    sized = body.replace("<rect ", f"<rect width='{cell - 1}' height='{cell - 1}' ")
    return (
        f"<svg role='img' aria-label='{html.escape(label)}' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' font-size='11' font-family='sans-serif' "
        f"fill='currentColor'>{sized}</svg>"
    )


def entry_colour(number: int) -> str:
    """A colour of middling lightness, far from those of neighbouring numbers: the golden angle."""
    return f"hsl({number * 137.508 % 360:.0f} 60% 55%)"


def _thinned(curve: Sequence[float]) -> Sequence[float]:
    stride = math.ceil(len(curve) / _MOST_POINTS)
    return curve if stride <= 1 else curve[::stride]
