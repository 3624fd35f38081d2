"""The one maker of HTML and SVG: whatever is put into it is text, unless this module made it.

No other file writes a tag. A child that is not `Markup` is escaped, made printable and cut where it
is longer than anybody reads; tags, attributes and style values are those listed here, and nothing
here links, loads or runs anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from numbers import Real

from markupsafe import Markup, escape

from distill.errors import MarkupError
from distill.names import printable

__all__ = [
    "Markup",
    "joined",
    "number",
    "own_style",
    "plain",
    "shortened",
    "svg_element",
    "tag",
    "whole",
]

MOST_CHARACTERS = 10_000
"""Of one text; a name, a reason or a description has far fewer."""

_TAGS = {
    *("b", "br", "col", "colgroup", "div", "em", "g", "h3", "h4", "i", "li", "p", "path", "rect"),
    *("span", "svg", "table", "tbody", "td", "text", "th", "thead", "tr", "ul"),
}
_EMPTY = {"br", "col", "path", "rect"}
_ATTRIBUTES = {
    *("aria-label", "class", "colspan", "d", "data-tone", "fill", "font-family", "font-size"),
    *("height", "opacity", "role", "stroke", "stroke-linecap", "stroke-width", "style", "tabindex"),
    *("title", "viewBox", "width", "x", "y"),
}
_COLOURED = {"fill", "stroke"}
_STYLES = {"background", "color", "text-align", "width"}
_STYLE_VALUE = re.compile(r"(?!url)[#\w.%-]+(\([\w.%, -]*\))?")
_NO_FORMULAS = "mathjax_ignore tex2jax_ignore"  # a name with two $ in it is a name

Child = str | int | float
"""What a tag holds: `Markup` as it is, all else as text."""
Attribute = str | int | float | Mapping[str, str]


def tag(name: str, *children: Child, **attributes: Attribute | None) -> Markup:
    """One element.

    Args:
        name: of the element.
        children: text, numbers, or `Markup` made here.
        attributes: `class_`, `aria_label` and so on, a `_` for each `-`; None leaves one out.
            `style` is a mapping.

    Raises:
        MarkupError: a tag, an attribute or a style that no page of ours needs.

    Example:
        >>> print(tag("td", "<b>&", class_="wide"), tag("p", tag("b", 3), " of 4"))
        <td class="wide">&lt;b&gt;&amp;</td> <p><b>3</b> of 4</p>
    """
    if name not in _TAGS:
        raise MarkupError(f"a tag {name!r}: expected one of {', '.join(sorted(_TAGS))}")
    said = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """Elements and texts one after the other."""
    return Markup("").join(_child(child) for child in children)


def whole(*children: Child, class_: str = "") -> Markup:
    """What a notebook shows of something, whole: no `$` in it is taken for a formula."""
    return tag("div", *children, class_=f"{class_} {_NO_FORMULAS}".strip())


def own_style(css: str) -> Markup:
    """A style sheet of this package, in its element.

    Raises:
        MarkupError: it would end the element early: it is none of ours.
    """
    if "<" in css:
        raise MarkupError("a style sheet with a '<' in it: expected one of this package")
    return Markup(f"<style>{css}</style>")


def svg_element(file: str) -> str:
    """The drawing of an SVG file, without what stands before it: shown as an image only."""
    return "<svg" + file.partition("<svg")[2]


def number(value: object, form: str = "") -> str:
    """A number as text; NaN and infinities are numbers.

    Args:
        value: int or float, of Python or NumPy; True and False are none.
        form: as in `format`.

    Raises:
        MarkupError: something else, however much it looks like one.

    Example:
        >>> number(0.256, ".0%"), number(1200, ",")
        ('26%', '1,200')
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise MarkupError(f"{shortened(repr(value), 60)} where a number is to be shown")
    return format(value, form)


def plain(text: object, limit: int = MOST_CHARACTERS) -> str:
    r"""A text that nothing can be hidden in: lines stay, other signs that steer are escaped.

    Example:
        >>> plain("a\x1b[31m\nb\u202e")
        'a\\x1b[31m\nb\\u202e'
    """
    return "\n".join(map(printable, shortened(text, limit).split("\n")))


def shortened(text: object, limit: int) -> str:
    """A text of at most `limit` characters, with … where it was cut."""
    whole_text = text if isinstance(text, str) else str(text)
    return whole_text if len(whole_text) <= limit else whole_text[: max(0, limit - 1)] + "…"


def _child(child: Child) -> Markup:
    return child if isinstance(child, Markup) else escape(plain(child))


def _attribute(name: str, value: Attribute) -> str:
    if name not in _ATTRIBUTES:
        raise MarkupError(f"an attribute {name!r}: expected one of {', '.join(_ATTRIBUTES)}")
    if name == "style":
        if not isinstance(value, Mapping):
            raise MarkupError("a style that is text: expected a mapping of properties")
        value = ";".join(_style(key, said) for key, said in value.items())
    elif name in _COLOURED:
        value = _checked(name, str(value))
    elif isinstance(value, float) and not math.isfinite(value):
        raise MarkupError(f"{name}={value}: expected a finite number")
    return f' {name}="{escape(plain(value))}"'


def _style(name: str, value: str) -> str:
    if name not in _STYLES:
        raise MarkupError(f"a style {name!r}: expected one of {', '.join(sorted(_STYLES))}")
    return f"{name}:{_checked(name, value)}"


def _checked(name: str, value: str) -> str:
    if not _STYLE_VALUE.fullmatch(value):
        raise MarkupError(f"{name}: {shortened(repr(value), 60)} is no colour and no length")
    return value
