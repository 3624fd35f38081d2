"""Colours: one a level, everywhere the same, told apart also by colour-blind people.

Source: Paul Tol, "Colour Schemes", 2021, the vibrant scheme, and one more for an eighth level.
All stand out on a white and on a nearly black ground.
"""

from __future__ import annotations

_LEVELS = (
    "#0077BB",
    "#EE7733",
    "#009988",
    "#EE3377",
    "#33BBEE",
    "#CC3311",
    "#8A8A8A",
    "#AA66CC",
)

INK, MUTED, ACCENT = "var(--distill-ink)", "var(--distill-muted)", "var(--distill-accent)"
WARN, GOOD = "var(--distill-warn)", "var(--distill-good)"
"""Names of the theme's colours, as `style.css` defines them; a page looks them up."""


def level_dash(level: int) -> str:
    """How the line of a level is drawn, from 0: those whose colour is another's too are dotted.

    Example:
        >>> level_dash(0), level_dash(8)
        ('solid', 'dot')
    """
    return "solid" if level < len(_LEVELS) else "dot"


def level_colour(level: int) -> str:
    """The colour of a level, from 0; repeats after eight.

    Example:
        >>> level_colour(0), level_colour(8) == level_colour(0)
        ('#0077BB', True)
    """
    return _LEVELS[level % len(_LEVELS)]
