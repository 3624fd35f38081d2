"""Small tables for a terminal and for a notebook; every text is escaped, no colour is assumed."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns side by side, the first to the left, the others to the right.

    Example:
        >>> print(text_table(["level", "used"], [["1", "97%"], ["10", "8%"]]))
        level  used
        1       97%
        10       8%
    """
    cells = [list(columns), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join(map(line, cells))


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same as HTML that takes its colours from the page."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(_row(row) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values, one pair a line."""
    style = "style='text-align:left'"
    return (
        "<table>"
        + "".join(
            f"<tr><th {style}>{html.escape(name)}</th><td {style}>{html.escape(value)}</td></tr>"
            for name, value in facts
        )
        + "</table>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *rest = map(html.escape, cells)
    body = "".join(f"<td>{cell}</td>" for cell in rest)
    return f"<tr><th style='text-align:left'>{first}</th>{body}</tr>"
