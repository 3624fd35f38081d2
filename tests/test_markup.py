"""Nothing gets onto a page but text, and tags that `distill.markup` made."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from distill.errors import MarkupError
from distill.markup import MOST_CHARACTERS, Markup, joined, number, own_style, plain, tag, whole

ROOT = Path(__file__).resolve().parents[1]
MAKERS = {"distill/markup.py", "widgets/distill_widgets/page/plotly_text.py"}
TAG = re.compile(r"</|<!|<\?|<[a-zA-Z]")
NO_TAG = re.compile(r"<[iufb]\d|^<(?!I$)[\dxHILQ]+$")  # types of NumPy, forms of struct
HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(["<script>", "</td>", "\"'><img src=x onerror=alert(1)>", "&lt;"]),
    st.text(alphabet="<>&\"'/=\x00\x1b\u202e\ud800 ab"),
)  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of markup: tags with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        self.attributes.update(attributes)

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_a_text_stays_text_wherever_it_is_put(text: str) -> None:
    made = tag("td", text, tag("b", text), title=text, aria_label=text, class_=text)
    seen = Seen(made)
    assert seen.tags == ["td", "b"]
    assert set(seen.attributes) == {"title", "aria-label", "class"}
    shown = plain(text)
    assert seen.text.replace("\r", "") == 2 * shown.replace("\r", "")
    made.encode()  # as a page gets it


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_a_style_is_a_colour_or_a_length_or_refused(text: str) -> None:
    try:
        made = tag("i", style={"background": text})
    except MarkupError:
        return
    assert not set(text) & set(":;<>\"'\\/@") and "url" not in text
    assert Seen(made).attributes == {"style": f"background:{text}"}


@pytest.mark.parametrize(
    "value", ["url(//a)", "red;color:blue", "expression(alert(1))//", "", "red}", "\\75rl(x)"]
)
@pytest.mark.parametrize("attribute", ["fill", "stroke", "style"])
def test_what_could_load_something_is_no_colour(attribute: str, value: str) -> None:
    given = {"background": value} if attribute == "style" else value
    with pytest.raises(MarkupError, match="is no colour and no length"):
        tag("rect", **{attribute: given})


def test_only_what_our_pages_need_can_be_made() -> None:
    for name in ("script", "a", "img", "iframe", "style", "b onclick", "B"):
        with pytest.raises(MarkupError, match="expected one of"):
            tag(name)
    for attribute in ("onclick", "href", "src", "srcdoc", "id"):
        with pytest.raises(MarkupError, match="expected one of"):
            tag("p", **{attribute: "x"})
    with pytest.raises(MarkupError, match="style that is text"):
        tag("p", style="color:red")
    with pytest.raises(MarkupError, match="a style 'position'"):
        tag("p", style={"position": "fixed"})
    with pytest.raises(MarkupError, match="finite"):
        tag("svg", width=math.inf)
    with pytest.raises(MarkupError, match="style sheet"):
        own_style("</style><script>")


def test_what_was_made_is_not_escaped_again() -> None:
    assert joined([tag("b", "<"), "<", 3]) == "<b>&lt;</b>&lt;3"
    assert isinstance(whole("x"), Markup)
    assert tag("br") == "<br/>"


def test_signs_that_steer_are_shown_and_long_texts_are_cut() -> None:
    assert plain("a\x00\x1b[2J\u202eb\u2066\ud800") == "a\\x00\\x1b[2J\\u202eb\\u2066\\ud800"
    assert plain("two\nlines größe 音 👩‍🎤") == "two\nlines größe 音 👩‍🎤"
    assert len(plain("x" * 1_000_000)) == MOST_CHARACTERS
    assert plain("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("value", [1, 2.5, np.float32(2), np.int64(3), math.nan, -math.inf])
def test_a_number_is_written(value: object) -> None:
    assert number(value, ".1f") == format(value, ".1f")


@pytest.mark.parametrize("value", ["<b>1</b>", "1", None, True, [1], Markup("<b>1</b>")])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(MarkupError, match="where a number is to be shown"):
        number(value)


def test_formulas_are_left_alone() -> None:
    assert "mathjax_ignore tex2jax_ignore" in whole("$x$", class_="distill")


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("distill/**/*.py"), *ROOT.glob("widgets/**/*.py")])
)
def test_no_other_file_writes_a_tag(path: Path) -> None:  # fmt: skip
    if path.relative_to(ROOT).as_posix() in MAKERS:
        return
    tree = ast.parse(path.read_text())
    found = [text for text in _texts(tree) if TAG.search(NO_TAG.sub("", text))]
    assert found == [], "markup is made by distill.markup alone, which escapes"


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a file but its docstrings."""
    said = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # a text that stands alone is a docstring
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


_HTML = "class Html(ipywidgets.HTML):  # type: ignore[misc]"
MADE_BY_HAND = re.compile(
    r"\b(Markup\(|ipywidgets\.HTML\b|HTMLMath\b|description_allow_html|IPython\.display\.(HTML|SVG)"
    r"|IFrame\b|Javascript\()"
)


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("distill/**/*.py"), *ROOT.glob("widgets/**/*.py")])
)
def test_no_other_file_says_that_a_text_is_markup(path: Path) -> None:  # fmt: skip
    """`Markup(text)` would let any text through; only the empty one is needed elsewhere."""
    place = path.relative_to(ROOT).as_posix()
    lines = [line.replace('Markup("")', "") for line in path.read_text().splitlines()]
    found = [line.strip() for line in lines if MADE_BY_HAND.search(line)]
    allowed = {
        "distill/markup.py": None,
        "widgets/distill_widgets/page/controls.py": [_HTML],
    }.get(place, [])
    assert allowed is None or found == allowed
