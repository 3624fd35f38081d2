"""ContourField: levels from begin to end of a sound, typed or drawn by hand."""

from __future__ import annotations

import traitlets

from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.page_code import page_code, page_styles

MOST_CHARACTERS = 1_000


class ContourField(LiveWidget):
    """A line to type levels into, and below it a board on which they are drawn; both say the same.

    Args:
        description: its label.
        value: levels with commas between them, spread evenly from begin to end; "" for any.
        within: the level of the board's lower edge, and that of its upper one.
        unit: of levels.
        in_octaves: whether twice as much is always as much higher, as with pitches.
        hint: what levels are beside, and how to have any.
        placeholder: an example.
    """

    _css = page_styles("page/style.css", "inside/contour.css")
    _esm = page_code("inside/contour_field.js")
    value = traitlets.Unicode("").tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)
    placeholder = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    low = traitlets.Float().tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    in_octaves = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        description: str,
        value: str,
        within: tuple[float, float],
        unit: str,
        *,
        in_octaves: bool = False,
        hint: str = "",
        placeholder: str = "",
    ) -> None:
        low, high = within
        super().__init__(
            description=description, value=value, low=low, high=high, unit=unit,
            in_octaves=in_octaves, hint=hint, placeholder=placeholder,
        )  # fmt: skip

    @traitlets.validate("value")
    def _check_value(self, proposal: dict[str, str]) -> str:
        return proposal["value"][:MOST_CHARACTERS]
