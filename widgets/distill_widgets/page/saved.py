"""What a saved notebook shows of a widget, on a page that has no widgets."""

from __future__ import annotations

from typing import Any


def with_saved_html(bundle: Any, html: str) -> Any:
    """What a widget shows of itself, and beside it HTML for pages that know no widgets.

    Args:
        bundle: of the widget: data by MIME type, or that and metadata.
        html: of what the widget is about; small.
    """
    if isinstance(bundle, tuple):
        data, metadata = bundle
        return {**data, "text/html": html}, metadata
    return None if bundle is None else {**bundle, "text/html": html}
