from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from distill.drawings import entry_colour, svg_curves, svg_grid
from distill.tables import html_facts, html_table, text_table


def test_columns_stand_below_one_another() -> None:
    text = text_table(["name", "n"], [["one", "1"], ["another", "1000"]])
    assert text == "name        n\none         1\nanother  1000"
    assert text_table(["name", "n"], []) == "name  n"


def test_every_text_is_escaped() -> None:
    nasty = "<script>&\"'"
    for markup in (
        html_table([nasty], [[nasty]]),
        html_facts([(nasty, nasty)]),
        svg_grid([(nasty, [1])], nasty),
        svg_curves([[1.0, 2.0]], nasty),
    ):
        assert "<script>" not in markup
        assert "&lt;script&gt;&amp;" in markup
        ElementTree.fromstring(f"<div>{markup}</div>")  # well-formed


def test_no_colour_of_the_page_is_assumed() -> None:
    drawn = svg_grid([("a", [0, 1])], "x") + svg_curves([[1.0, 2.0]], "x")
    assert "background" not in drawn
    assert "currentColor" in drawn and "#" not in drawn


def test_a_cell_without_a_code_stays_empty() -> None:
    drawn = svg_grid([("a", [3, -1, 3]), ("b", [])], "x")
    assert drawn.count("<rect") == 2
    assert drawn.count(entry_colour(3)) == 2
    assert svg_grid([], "nothing")


def test_a_curve_has_gaps_where_there_is_no_number() -> None:
    drawn = svg_curves([[1.0, math.nan, 2.0, math.inf, 3.0], [2.0, 2.0]], "x")
    [first, second] = [part.split('"')[0] for part in drawn.split('<path d="')[1:]]
    assert (first.count("M"), first.count("L")) == (3, 0)
    assert (second.count("M"), second.count("L")) == (1, 1)
    assert "nan" not in drawn and "inf" not in drawn


@pytest.mark.parametrize("curves", [[], [[]], [[math.nan]]])
def test_nothing_is_drawn_of_nothing(curves: list[list[float]]) -> None:
    assert svg_curves(curves, "x") == ""


def test_a_long_curve_is_a_small_drawing() -> None:
    assert len(svg_curves([[float(n % 7) for n in range(100_000)]], "x")) < 5000
    assert "<path" in svg_curves([[5.0]], "one value, and no span")
