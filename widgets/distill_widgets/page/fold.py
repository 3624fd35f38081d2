"""Fold: a part of a view that is made, and whose code is sent, when somebody opens it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from distill_widgets.page.controls import button, close_all, receiving, with_class


class Fold(ipywidgets.VBox):  # type: ignore[misc]
    """A line to press; closed it is one button and nothing else.

    Args:
        title: on the line.
        make: what is below it once it was opened; has `finish()`, called at the end.
        hint: more about it.
    """

    def __init__(self, title: str, make: Callable[[], Any], *, hint: str = "") -> None:
        self._title, self._make, self._is_open = title, make, False
        self.content: Any = None
        """What is below the line; None until it was opened."""
        self.line = button(f"▸ {title}", self._turn, "distill-fold", hint=hint)
        super().__init__([self.line])
        with_class(self, "distill-fold-part")

    def _turn(self) -> None:
        self._is_open = not self._is_open
        if self._is_open and self.content is None:
            self.content = receiving(self._make())
        self.line.description = f"{'▾' if self._is_open else '▸'} {self._title}"
        self.children = [self.line, self.content] if self._is_open else [self.line]

    def finish(self) -> None:
        """Ends what is below the line on every page, also where it is not shown."""
        if self.content is not None:
            self.content.finish()
            close_all([self.content])
