"""plotly.js as the installed plotly package brings it, for a page that has none yet."""

from __future__ import annotations

import functools
import gzip
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from distill_widgets.page.live_widget import SAME_QUESTION_S, LiveWidget


@functools.cache
def plotly_version() -> str:
    """Version of the installed plotly package, under which a page keeps plotly.js."""
    return version("plotly")


def serve_plotly(widget: LiveWidget) -> None:
    """Lets a widget give plotly.js to a page that asks for it.

    Questions that have waited together behind a busy kernel have one answer.
    """
    sent = float("-inf")

    def give(_message: dict[str, Any], _buffers: Sequence[Any]) -> None:
        nonlocal sent
        if time.monotonic() - sent > SAME_QUESTION_S:
            widget.send({"type": "plotly"}, [plotly_js_gz()])
            sent = time.monotonic()

    widget.on_receive("plotly", give)


@functools.cache
def plotly_js_gz() -> bytes:
    """plotly.js, compressed: about 1.5 MB, sent once for each page."""
    from plotly.offline import get_plotlyjs  # a third of a second, when a page asks for it

    return gzip.compress(get_plotlyjs().encode(), 6)
