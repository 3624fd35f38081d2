"""Figures on pages are those that benchmarks have saved."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from benchmarks import common
from tools.figures import FIGURES, ROOT, Measured, filled, pages, read_figures


def saved(**figures: float | list[float]) -> dict[str, Measured]:
    return {"use": Measured("python benchmarks/use.py", "2026-11-29", "", None, 2, None, figures)}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_the_figures_that_were_saved(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    advice = "figures were saved, or typed into a page: python -m tools.figures"
    assert filled(text, read_figures()) == text, advice


def test_every_saved_figure_says_where_it_comes_from_and_is_quoted() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in pages())
    for name, measured in read_figures().items():
        assert measured.command.startswith("python benchmarks/"), name
        assert (ROOT / measured.command.split()[1]).is_file(), name
        assert not any(word.startswith(("/", "~")) for word in measured.command.split()), name
        assert measured.recorded.startswith(("by the program", "by hand, ")), name
        assert f"<!-- {name}: " in text, f"{FIGURES / name}.json: no page quotes it"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("--save", ""),
        ("--turns 2 --save mine --steps 200 700", "--turns 2 --steps 200 700"),
        ("--save --json /tmp/rows.json --conditions", "--conditions"),
        ("--json=/tmp/rows.json --save=mine --turns 3", "--turns 3"),
    ],
)
def test_where_results_go_is_no_part_of_what_was_measured(words: str, kept: str) -> None:
    assert common._without_outputs(words.split()) == kept.split()


def test_the_last_numbers_before_a_comment_are_replaced() -> None:
    line = "| 3 s of sound | 2.1 s, the first 9.1 s; 0.99<!-- use: heard first --> | `x.py` |\n"
    with pytest.raises(LookupError, match="lacks"):
        filled(line, saved(heard=1.0))
    expected = line.replace("9.1", "3.0").replace("0.99", "1.01")
    assert filled(line, saved(heard=3.04, first=1.006)) == expected
    assert filled("no figures: 3\n", {}) == "no figures: 3\n"


def test_cells_of_a_row_lists_and_two_comments_of_a_line() -> None:
    row = "| 700 | 0.4 | 1.75 | 0.7, 0.8 <!-- use: two mel all --> | 5<!-- use: two --> |"
    expected = "| 700 | 0.5 | 1.64 | 0.1, 0.2 <!-- use: two mel all --> | 1<!-- use: two --> |"
    assert filled(row, saved(two=0.51, mel=1.636, all=[0.1, 0.2])) == expected


def test_what_is_named_and_not_there_is_said() -> None:
    with pytest.raises(LookupError, match=r"docs/figures/gone\.json: a page names it"):
        filled("1<!-- gone: x -->", {})
    with pytest.raises(LookupError, match="expected 2 numbers before the comment"):
        filled("1 <!-- use: x -->", saved(x=[1.0, 2.0]))


def test_a_benchmark_saves_what_pages_quote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "FIGURES", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks/use.py", "--seconds", "3", "--save"])
    options = common.parser("about")
    options.add_argument("--seconds", type=float)
    common.save(options.parse_args(), {"load_ms": 48.123456, "all": [1, 2.5]})
    monkeypatch.setattr(sys, "argv", ["use.py", "--save", "use-other", "--seconds", "3"])
    common.save(options.parse_args(), {"load_ms": 1.0})
    monkeypatch.setattr(sys, "argv", ["use.py"])
    common.save(argparse.Namespace(save=None), {"load_ms": 2.0})
    found = read_figures(tmp_path)
    assert {name: one.command for name, one in found.items()} == dict.fromkeys(
        ("use", "use-other"), "python benchmarks/use.py --seconds 3"
    )
    assert found["use"].figures == {"load_ms": 48.1235, "all": [1.0, 2.5]}
    assert found["use"].recorded == "by the program"
    assert found["use"].torch and found["use"].date
