"""The messages in docs/troubleshooting.md are those that the code has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SHORTEST = 6  # of a piece between two values that is looked for
PLACES = [*ROOT.glob("distill/**/*.py"), *ROOT.glob("widgets/**/*.py")]


def test_every_message_is_one_of_the_code() -> None:
    known = "\n".join(text for path in PLACES for text in texts_of(path))
    messages = re.findall(r"\*(?!\*)([^*\n]+)\*", PAGE.partition("\n## ")[2])
    pieces = [piece.strip(" ;,.:()'") for said in messages for piece in said.split("…")]
    missing = [piece for piece in pieces if len(piece) >= SHORTEST and piece not in known]
    assert len(messages) > 50
    assert missing == []


def texts_of(path: Path) -> list[str]:
    """The texts of a module, each with … where it puts a value."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.append("".join(_part(part) for part in node.values))
    return found


def _part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"
