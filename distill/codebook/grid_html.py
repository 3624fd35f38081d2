"""A grid of codes as HTML that needs no widget."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from distill.drawings import svg_grid
from distill.markup import Markup, tag
from distill.tables import html_page

_MOST_STEPS = 64


def grid_as_html(names: Sequence[str], indices: Tensor, about: str) -> Markup:
    """The beginning of a grid in colours, a row a level, and what it is of.

    Args:
        names: of the levels.
        indices: (levels, steps); negative ones are left empty.
        about: a sentence on the whole.
    """
    shown = indices[:, :_MOST_STEPS].tolist()
    hidden = indices.shape[1] - _MOST_STEPS
    more = [tag("p", f"… and {hidden} more steps")] if hidden > 0 else []
    return html_page(about, svg_grid(list(zip(names, shown, strict=True)), about), *more)
