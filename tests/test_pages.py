"""What README and the site tell people to type exists: names of Python, commands, their options."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import typer

import distill
import distill_widgets
from distill.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_command(app).commands


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("module", [distill, distill_widgets], ids=["distill", "widgets"])
def test_programs_use_public_names(module: ModuleType) -> None:
    programs = [text for page in PAGES for text in blocks(page, "python") if text[0] != "%"]
    used = {
        node.attr
        for program in programs
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module.__name__
    }
    assert len(used) > 5
    assert used - set(module.__all__) == set()


def test_commands_and_their_options_exist() -> None:
    typed = [
        shlex.split(line.rpartition("&& ")[2], comments=True)
        for page in PAGES
        for text in blocks(page, "sh")
        for line in text.splitlines()
    ]
    ours = [words[1:] for words in typed if words[:1] == ["distill"]]
    assert len(ours) > 15
    for command, *words in ours:
        options = {option for param in COMMANDS[command].params for option in param.opts}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= options, f"distill {command}"


def test_benchmarks_that_are_named_are_there() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"benchmarks/(\w+\.py)", text))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (ROOT / "benchmarks" / name).is_file()] == []
