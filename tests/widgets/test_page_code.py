"""What the pages' JavaScript may do, by reading it: the rules that keep a text a text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import distill_widgets

FOLDER = Path(distill_widgets.__file__).parent
FILES = sorted(FOLDER.rglob("*.js"))
NEVER = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc"
    r"|DOMParser|\beval\b|\bFunction\(|\bimport\b|\bfetch\(\s*[\"'`]|XMLHttpRequest|WebSocket"
    r"|window\.open|\blocation\b|\.href|[\"']href[\"']|setAttribute\(\s*[\"']on|\.cssText"
    r"|setAttribute\(\s*[\"']style|\.style\.background\b|element\(\s*[\"'](a|script|iframe|object)"
)
ONLY_IN = {
    r"\.textContent = ": {"common.js"},
    r"\.(react|newPlot|relayout|restyle)\(": {"plotly_page.js"},
    r"\.src = |\bsrc: ": {"player.js", "plotly_page.js", "live_chart.js"},
    r"createElement\(": {"common.js", "plotly_page.js"},
    r"new Option\((?!shownText|\")": set(),
    r"URL\.createObjectURL\(": {"player.js", "plotly_page.js"},
}


def code_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_page_makes_markup_or_links_or_asks_another_server(path: Path) -> None:
    assert [line.strip() for line in code_of(path) if NEVER.search(line)] == []


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_what_has_one_place_has_no_other(pattern: str) -> None:
    found = {p.name for p in FILES if any(re.search(pattern, line) for line in code_of(p))}
    assert found == ONLY_IN[pattern]


def test_style_sheets_load_nothing() -> None:
    for path in FOLDER.rglob("*.css"):
        assert not re.search(r"url\(|@import|expression|<", path.read_text()), path.name
