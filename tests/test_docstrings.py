"""Docstrings that editors and mkdocstrings can render: a sentence first, sections after it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTIONS = ("Args:", "Returns:", "Raises:", "Yields:", "Example:")
FILES = sorted([*ROOT.glob("distill/**/*.py"), *ROOT.glob("widgets/**/*.py")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_docstring_begins_with_a_sentence(path: Path) -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, kinds) and (said := ast.get_docstring(node)):
            name = getattr(node, "name", "the module")
            assert not said.startswith(SECTIONS), f"{name} says no sentence before its sections"
