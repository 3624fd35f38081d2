"""PreviewPlayer: the previews of a run, worst first, each to be called good or bad by ear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from distill.markup import shortened
from distill_widgets.page.messages import MarkFacts
from distill_widgets.page.page_code import page_code
from distill_widgets.sounds.audio_player import LONGEST_NAME, AudioPlayer, Sound

OnMark = Callable[[str, str | None, str], None]
"""(name of a row as shown, mark, key of the stage that was heard); raises where it is not kept."""


class PreviewPlayer(AudioPlayer):
    """An AudioPlayer in whose rows somebody can mark what they hear.

    Args:
        fetch: see `AudioPlayer`.
        on_mark: keeps a mark.
        options: of `AudioPlayer`.
    """

    _esm = page_code("sounds/preview_player.js")
    marks = traitlets.Dict().tag(sync=True)

    def __init__(self, fetch: Callable[[str], Sound], on_mark: OnMark, **options: Any) -> None:
        super().__init__(fetch, **options)
        self._on_mark = on_mark
        self.command("mark", self._mark)

    def show_marks(self, marks: Mapping[str, MarkFacts]) -> None:
        """Shows marks, by the names of rows."""
        shown = {shortened(name, LONGEST_NAME): facts for name, facts in marks.items()}
        if shown != self.marks:
            self.marks = shown

    def _mark(self, command: dict[str, Any]) -> Mapping[str, Any]:
        mark = command.get("mark")
        self._on_mark(
            str(command.get("name")), None if mark is None else str(mark), str(command.get("stage"))
        )
        return {}
