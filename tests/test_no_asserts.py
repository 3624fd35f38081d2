"""What is wrong is told by an error of ours: Python drops every `assert` when it is run with -O."""

from __future__ import annotations

import ast
from pathlib import Path

import distill
import distill_widgets


def test_no_assert_stands_in_what_is_shipped() -> None:
    rooms = [Path(package.__file__).parent for package in (distill, distill_widgets)]
    modules = [module for room in rooms for module in room.rglob("*.py")]
    assert len(modules) > 200
    found = [
        f"{module}:{node.lineno}"
        for module in modules
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []
