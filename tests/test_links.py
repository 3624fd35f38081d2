"""The files beside README.md lead to files that are there; the reference has every public name."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import distill
import distill_widgets

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = re.compile(r"^::: (distill(?:_widgets)?)\.(\w+)$", re.MULTILINE)


@pytest.mark.parametrize("name", [path.name for path in sorted(ROOT.glob("*.md"))])
def test_relative_links_lead_to_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("package", [distill, distill_widgets], ids=["distill", "widgets"])
def test_the_reference_has_every_public_name_once(package: ModuleType) -> None:
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md")]
    found = [name for page in pages for name in REFERENCE.findall(page)]
    listed = [name for of, name in found if of == package.__name__]
    in_errors = [name for name in package.__all__ if name in vars(distill.errors)]
    assert listed.count("errors") == (1 if in_errors else 0)  # a page with all of that module
    assert sorted([*listed, *in_errors]) == sorted(package.__all__)


def test_the_citation_is_of_this_version() -> None:
    found = [
        re.search(rf'^version{sign} "?([\d.]+)', (ROOT / name).read_text("utf-8"), re.MULTILINE)
        for name, sign in (("CITATION.cff", ":"), ("pyproject.toml", " ="))
    ]
    assert found[0] and found[1] and found[0][1] == found[1][1]
