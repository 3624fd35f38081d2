"""What plotly takes for markup of its own: names are none of it."""

from __future__ import annotations

import html
from typing import Any

from distill.markup import plain

NO_EXTRA = "<extra></extra>"
"""At the end of a `hovertemplate`: no second box."""
LONGEST = 200
_SIGNS = {"$": "&#36;", "\n": "<br>"}  # two $ are a formula where a page has MathJax


def plotly_text(text: str) -> str:
    """A text as plotly shows it, not as markup: no link, no letters in bold, no formula.

    Example:
        >>> plotly_text("<a href='x'>$1$</a>")
        '&lt;a href=&#x27;x&#x27;&gt;&#36;1&#36;&lt;/a&gt;'
    """
    shown = html.escape(plain(text, LONGEST))
    return "".join(_SIGNS.get(sign, sign) for sign in shown)


def plotly_safe(part: Any) -> Any:
    """A figure with all its texts as `plotly_text`; see `safe` in plotly_page.js."""
    if isinstance(part, str):
        text, extra = part.removesuffix(NO_EXTRA), part.endswith(NO_EXTRA)
        return plotly_text(text) + (NO_EXTRA if extra else "")
    if isinstance(part, list):
        return [plotly_safe(item) for item in part]
    if isinstance(part, dict):
        return {key: plotly_safe(item) for key, item in part.items()}
    return part
