"""Controls for people who click: a label, a hint, one look, and they work while a cell runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ipywidgets
import traitlets

from distill.errors import DistillError, MarkupError
from distill.markup import Markup, own_style, plain, tag, whole
from distill.names import printable
from distill_widgets.page.live_widget import STYLES, receive_while_a_cell_runs
from distill_widgets.page.page_code import page_styles

LABEL_WIDTH = "120px"


class Html(ipywidgets.HTML):  # type: ignore[misc]
    """HTML on a page: the one place where it gets there, and it takes `Markup` only."""

    def __init__(self, markup: Markup | None = None) -> None:
        super().__init__(value=Markup("") if markup is None else markup)

    @traitlets.validate("value")
    def _check_value(self, proposal: Any) -> str:
        if not isinstance(proposal["value"], Markup):
            raise MarkupError("text in the place of markup: a page would run what is in it")
        return str(proposal["value"])

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What a page says of itself is not taken: pages show this, they do not change it."""


def style_sheet() -> Html:
    """Our look, for a page that has only widgets without JavaScript of ours."""
    sheet = Html(own_style(page_styles(*STYLES)))
    sheet.layout.display = "none"
    return sheet


def labelled(kind: type[ipywidgets.Widget], label: str, **traits: Any) -> Any:
    """A control with its label on the left, in line with all others."""
    return kind(
        description=label,
        style={"description_width": LABEL_WIDTH},
        layout=ipywidgets.Layout(width="420px", max_width="100%"),
        **traits,
    )


def named(control: Any, name: str) -> Any:
    """A control without room for a label, with one for who reads the page by ear."""
    control.description = plain(name)
    control.add_class("distill-unlabelled")
    return control


def button(label: str, press: Callable[[], None], *classes: str, hint: str = "") -> Any:
    """A button that calls `press`."""
    made = ipywidgets.Button(
        description=plain(label),
        tooltip=plain(hint),
        layout=ipywidgets.Layout(width="auto", height="auto"),
    )
    for name in classes:
        made.add_class(name)
    made.on_click(lambda _: press())
    return made


def row(*children: ipywidgets.Widget) -> ipywidgets.HBox:
    """Controls beside each other."""
    return with_class(ipywidgets.HBox(list(children)), "distill-row")


def section(title: str, *children: ipywidgets.Widget) -> ipywidgets.VBox:
    """Controls that belong together, under their title."""
    heading = Html(whole(tag("h3", title)))
    return with_class(ipywidgets.VBox([heading, *children]), "distill-section")


def with_class(widget: Any, *names: str) -> Any:
    """The widget, with classes for its look."""
    for name in names:
        widget.add_class(name)
    return widget


class Sentence(Html):
    """A line that says something, where people look; escaped, and no space where it is empty."""

    def __init__(self, text: str = "", tone: str = "quiet") -> None:
        super().__init__()
        self.add_class("distill-says")
        self.say(text, tone)

    def say(self, text: str, tone: str = "quiet") -> None:
        """Shows another text.

        Args:
            text: what to say; nothing hides the line.
            tone: quiet, good, or bad for what has to be put right.
        """
        self.text, self.tone = text, tone
        role = "alert" if tone == "bad" else "status"
        self.value = whole(tag("div", text, class_="distill-sentence", data_tone=tone, role=role))
        self.layout.display = "" if text else "none"

    def attempt(self, action: Callable[[], Any], failed: Callable[[], Any]) -> None:
        """Does what a person asked for; what is wrong with it is said here.

        Args:
            action: raises a DistillError where it cannot be done.
            failed: called after that was said, to show again what there is.
        """
        self.say("")
        try:
            action()
        except DistillError as error:
            self.say(printable(str(error)), "bad")
            failed()


def set_options(control: Any, options: Sequence[tuple[str, Any]], value: Any) -> None:
    """Gives a selection other options; old ipywidgets would choose the first by itself."""
    if tuple(control.options) != tuple(options):
        control.options = options
    control.value = value


def receiving(root: Any) -> Any:
    """The widget, with everything in it answering although a cell keeps the kernel busy."""
    for widget in _tree(root):
        receive_while_a_cell_runs(widget)
    return root


def close_all(widgets: Iterable[Any]) -> None:
    """Ends widgets, all that is in them, and the layouts and styles that belong to them."""
    for root in widgets:
        for widget in list(_tree(root)):
            for part in (widget, widget.layout, getattr(widget, "style", None)):
                if part is not None:
                    ipywidgets.Widget.close(part)


def _tree(widget: Any) -> Iterator[Any]:
    for child in getattr(widget, "children", ()):
        yield from _tree(child)
    yield widget
