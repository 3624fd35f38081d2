"""The site's own hook, and the checker of its links."""

from __future__ import annotations

import json
from pathlib import Path

import griffe
import pytest

from tests.check_site import broken
from tools import site_pages
from tools.site_docstrings import Examples

SOURCE = "https://example.org/blob/main"


def test_a_notebook_becomes_words_and_code_that_fetch_nothing(tmp_path: Path) -> None:
    words = {"cell_type": "markdown", "source": ["# Bells\n", "[![Open](https://a/b.svg)](c)"]}
    code = {"cell_type": "code", "source": ["import distill"]}
    path = tmp_path / "bells.ipynb"
    path.write_text(json.dumps({"cells": [words, code]}))
    assert site_pages.tutorial(path, "there") == (
        "# Bells\n[Open](c)\n\n[The notebook itself](there)\n\n```python\nimport distill\n```"
    )


def test_links_of_files_beside_readme_lead_to_pages_or_to_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[a](SECURITY.md#reporting) [b](docs/reached.md) [c](LICENSE) [d](https://x.org)\n"
    (tmp_path / "CONTRIBUTING.md").write_text(text + "1. one\n\n   more\n")
    monkeypatch.setattr(site_pages, "ROOT", tmp_path)
    assert site_pages.beside("CONTRIBUTING", SOURCE) == (
        f"[a](security.md#reporting) [b](reached.md) [c]({SOURCE}/LICENSE) [d](https://x.org)\n"
        "1. one\n\n    more\n"
    )


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ('<a href="b/">', ""),
        ('<a href="b/#there">', ""),
        ('<a href="#here" id="here">', ""),
        ('<a href="https://x.org">', ""),
        ('<a href="/b/">', ""),
        ('<a href="gone/">', "'gone/' leads nowhere"),
        ('<img src="gone.png">', "'gone.png' leads nowhere"),
        ('<a href="b/#gone">', "'b/#gone' has no such anchor"),
        ('<script src="https://x.org/a.js">', "'https://x.org/a.js' is fetched from elsewhere"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, tag: str, wrong: str) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<p id="there">')
    (tmp_path / "index.html").write_text(tag)
    assert broken(tmp_path) == ([f"index.html: {wrong}"] if wrong else [])


def test_one_example_is_shown_as_several_are() -> None:
    docstring = griffe.Docstring("One.\n\nExample:\n    >>> 1 + 1\n    2")
    found = griffe.Function("one", docstring=docstring)
    Examples().on_instance(obj=found)
    sections = found.docstring.parse("google")
    assert [section.kind for section in sections] == [
        griffe.DocstringSectionKind.text,
        griffe.DocstringSectionKind.examples,
    ]
