"""plotly.js as the installed plotly package brings it, for a page that has none yet."""

from __future__ import annotations

import functools
import gzip
from importlib.metadata import version


def plotly_version() -> str:
    """Version of the installed plotly package, under which a page keeps plotly.js."""
    return version("plotly")


@functools.cache
def plotly_js_gz() -> bytes:
    """plotly.js, compressed: about 1.5 MB, sent once for each page."""
    from plotly.offline import get_plotlyjs  # a third of a second, when a page asks for it

    return gzip.compress(get_plotlyjs().encode(), 6)
