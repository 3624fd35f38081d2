"""Codes as HTML that needs no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill.drawings import svg_grid
from distill.markup import Markup, tag
from distill.tables import html_page

if TYPE_CHECKING:
    from distill.codebook.codes import Codes

_MOST_STEPS = 64


def codes_as_html(codes: Codes) -> Markup:
    """The beginning of the grid in colours, a row a level, and what it is of."""
    shown = codes.indices[:, :_MOST_STEPS].tolist()
    names = [f"{number} {label}" for number, label in enumerate(codes.labels, 1)]
    rows = list(zip(names, shown, strict=True))
    used = ", ".join(str(len(set(row) - {-1})) for row in codes.indices.tolist())
    hidden = codes.steps - _MOST_STEPS
    more = [tag("p", f"… and {hidden} more steps")] if hidden > 0 else []
    about = (
        f"Codes: {codes.levels} levels × {codes.steps} steps of {1000 * codes.step_seconds:.3g} "
        f"ms, {codes.seconds:.2f} s at {codes.sample_rate} Hz; {used} of {codes.codebook_size} "
        "entries in use"
    )
    return html_page(about, svg_grid(rows, about), *more)
