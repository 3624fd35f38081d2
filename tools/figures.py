"""`python -m tools.figures`: figures of README.md and the site, from what benchmarks have saved.

`python benchmarks/use.py --save` writes docs/figures/use.json. In a page a comment says which of
its figures the numbers before it are:

    | loading a model | 48 ms<!-- use: load_ms --> |

The last numbers of the line become those of the file, with as many decimals as they have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures"

_COMMENT = re.compile(r"<!-- (?P<file>[\w-]+): (?P<names>[\w ]+) -->")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Measured(msgspec.Struct, forbid_unknown_fields=True):
    """What one run of a benchmark has printed of what pages quote."""

    command: str
    date: str
    """Of the run, as 2026-11-29."""
    recorded: str
    """How the figures came here: "by the program", or by whom else and from where."""
    torch: str | None
    """Its version; None where nobody noted it."""
    processors: int
    machine: str | None
    figures: dict[str, float | list[float]]


def read_figures(folder: Path = FIGURES) -> dict[str, Measured]:
    """All that was saved, by the names of the files."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Measured)
        for path in sorted(folder.glob("*.json"))
    }


def pages(root: Path = ROOT) -> list[Path]:
    """The pages that may quote figures."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def filled(text: str, saved: Mapping[str, Measured]) -> str:
    """A page with the figures that were saved.

    Args:
        text: of the page.
        saved: by the names of the files.

    Raises:
        LookupError: a comment names what nobody has saved, or more than there are numbers.
    """
    return "".join(_filled_line(line, saved) for line in text.splitlines(keepends=True))


def _filled_line(line: str, saved: Mapping[str, Measured]) -> str:
    parts, at = [], 0
    for comment in _COMMENT.finditer(line):
        values = _values(comment["file"], comment["names"].split(), saved)
        parts += [_with(line[at : comment.start()], values), comment[0]]
        at = comment.end()
    return "".join([*parts, line[at:]])


def _values(file: str, names: list[str], saved: Mapping[str, Measured]) -> list[float]:
    if file not in saved:
        raise LookupError(f"docs/figures/{file}.json: a page names it, and it is not there")
    found: list[float] = []
    for name in names:
        if name not in saved[file].figures:
            raise LookupError(f"docs/figures/{file}.json: a page names {name!r}, which it lacks")
        value = saved[file].figures[name]
        found += value if isinstance(value, list) else [value]
    return found


def _with(text: str, values: list[float]) -> str:
    """A piece of a line with its last numbers replaced."""
    numbers = list(_NUMBER.finditer(text))[-len(values) :]
    if len(numbers) < len(values):
        raise LookupError(f"{text.strip()!r}: expected {len(values)} numbers before the comment")
    for number, value in reversed(list(zip(numbers, values, strict=True))):
        decimals = len(number[0].partition(".")[2])
        text = f"{text[: number.start()]}{value:.{decimals}f}{text[number.end() :]}"
    return text


def main() -> None:
    """Writes the figures into the pages."""
    saved = read_figures()
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (now := filled(text, saved)) != text:
            page.write_text(now, encoding="utf-8")


if __name__ == "__main__":
    main()
