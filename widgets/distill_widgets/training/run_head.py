"""RunHead: what a run is doing, how far it is, and the buttons that ask something of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.messages import Done
from distill_widgets.page.page_code import page_code, page_styles

PAUSE, RESUME, STOP, PREVIEW, SAVE = "pause", "resume", "stop", "preview", "save"


class RunHead(LiveWidget):
    """Shows `state` and calls `on_press(button)` when somebody presses one.

    Buttons change seldom and are sent apart from the numbers, which change all the time.
    The page acknowledges a press by itself, and again when `done` says that it was received.
    """

    _css = page_styles("page/style.css", "training/head.css")
    _esm = page_code("training/run_head.js")
    state = traitlets.Dict().tag(sync=True)
    buttons: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.on_press: Callable[[str, Callable[[], None]], None] | None = None
        """Gets a button and what to call once that is done; may run in any thread."""
        self.on_receive("press", self._on_press)

    def _on_press(self, message: dict[str, Any], _buffers: Sequence[Any]) -> None:
        button = str(message.get("button"))

        press: Any = message.get("press")  # as it came: it goes back to the page that sent it
        client: Any = message.get("client")

        def done() -> None:
            answer: Done = {"type": "done", "button": button, "press": press, "client": client}
            self.send(answer)

        if self.on_press is not None:
            self.on_press(button, done)

    def __repr__(self) -> str:
        return f"RunHead({self.state.get('name')}: {self.state.get('word')})"
