"""View: what every widget that is made of widgets has in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ipywidgets

from distill_widgets.page.controls import close_all, receiving, with_class
from distill_widgets.page.saved import with_saved_html


class View(ipywidgets.VBox):  # type: ignore[misc]
    """Widgets below each other, as one: one look, one end, and callbacks while a cell runs.

    Args:
        children: what it is made of; the view owns them.
        classes: for its look, beside our own.
    """

    def __init__(self, children: Iterable[ipywidgets.Widget], *classes: str) -> None:
        super().__init__(list(children))
        with_class(self, *classes, "distill")
        receiving(self)

    def close(self) -> None:
        """Ends the view and all its parts on every page; files, runs and models stay."""
        close_all(self.children)
        self.layout.close()
        super().close()

    def saved_html(self) -> str:
        """What a saved notebook shows where there are no widgets; empty for nothing."""
        return ""

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle, html = super()._repr_mimebundle_(**options), self.saved_html()
        return with_saved_html(bundle, html) if html else bundle
