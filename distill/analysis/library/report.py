"""The models of a folder, as text and as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill.markup import Markup
from distill.tables import html_list, html_page, html_table, text_table

if TYPE_CHECKING:
    from distill.analysis.library.library import ModelLibrary

_COLUMNS = (
    "name",
    "created",
    "levels × entries",
    "bit/s",
    "health",
    "best validation",
    "MB",
    "tags",
    "file",
)
_MOST_SHOWN = 100


def as_text(library: ModelLibrary) -> str:
    """A row a model, and what cannot be used."""
    lines = [_title(library)]
    if library.models:
        lines.append(text_table(_COLUMNS, _rows(library)))
    return "\n".join([*lines, *_notes(library)])


def as_html(library: ModelLibrary) -> Markup:
    """The same for a notebook."""
    table = html_table(_COLUMNS, _rows(library)) if library.models else Markup("")
    notes = html_list(note.strip() for note in _notes(library))
    return html_page(_title(library), table, notes)


def _title(library: ModelLibrary) -> str:
    return f"ModelLibrary: {len(library)} models in {library.folder}"


def _rows(library: ModelLibrary) -> list[list[str]]:
    return [
        [
            model.name,
            f"{model.created.astimezone():%Y-%m-%d %H:%M}",
            f"{model.levels} × {model.entries}",
            f"{model.bits_per_second:.0f}",
            "" if model.health is None else f"{model.health:.0%}",
            "" if model.best_validation is None else f"{model.best_validation:.4f}",
            f"{model.file_bytes / 1e6:.1f}",
            ", ".join(model.tags),
            model.place,
        ]
        for model in library.models[:_MOST_SHOWN]
    ]


def _notes(library: ModelLibrary) -> list[str]:
    hidden = len(library) - _MOST_SHOWN
    notes = [f"    … and {hidden} more"] if hidden > 0 else []
    notes += [f"    {refused.reason}" for refused in library.refused[:_MOST_SHOWN]]
    beyond = len(library.refused) - _MOST_SHOWN
    return [*notes, f"    … and {beyond} more that cannot be used"] if beyond > 0 else notes
