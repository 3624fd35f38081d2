"""Small tables for a terminal and for a notebook; every text is escaped, no colour is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from distill.markup import Markup, joined, plain, shortened, tag, whole

MOST_IN_A_CELL = 300
_LEFT = {"text-align": "left"}


def text_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True
) -> str:
    """Columns side by side, the first to the left, the others to the right.

    Args:
        columns: their names.
        rows: a text a column.
        numbers: False where the other columns are words: then all stand to the left.

    Example:
        >>> print(text_table(["level", "used"], [["1", "97%"], ["10", "8%"]]))
        level  used
        1       97%
        10       8%
    """
    cells = [[_one_line(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        rest = [
            cell.rjust(width) if numbers else cell.ljust(width)
            for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        return "  ".join([row[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join(map(line, cells))


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """The same as HTML that takes its colours from the page."""
    head = tag("thead", tag("tr", *(tag("th", name) for name in columns)))
    return tag("table", head, tag("tbody", *map(_row, rows)))


def html_facts(facts: Iterable[tuple[str, str]]) -> Markup:
    """Names and values, one pair a line."""
    rows = (
        tag("tr", tag("th", name, style=_LEFT), tag("td", value, style=_LEFT))
        for name, value in facts
    )
    return tag("table", *rows)


def html_list(lines: Iterable[str]) -> Markup:
    """A line an item; nothing where there is none."""
    items = [tag("li", line) for line in lines]
    return tag("ul", *items) if items else Markup("")


def html_page(title: str, *parts: Markup) -> Markup:
    """What an object shows of itself in a notebook: a line on the whole, and what belongs to it."""
    return whole(tag("p", title) if title else "", joined(parts))


def _row(cells: Sequence[str]) -> Markup:
    first, *rest = (shortened(cell, MOST_IN_A_CELL) for cell in cells)
    return tag("tr", tag("th", first, style=_LEFT), *(tag("td", cell) for cell in rest))


def _one_line(cell: str) -> str:
    return plain(cell, MOST_IN_A_CELL).replace("\n", "\\n")
