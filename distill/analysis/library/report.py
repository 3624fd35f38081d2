"""The models of a folder, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distill.analysis.library.library_model import LibraryModel, RefusedModel
from distill.markup import Markup
from distill.tables import html_list, html_page, html_table, text_table

_COLUMNS = (
    "name",
    "created",
    "levels × entries",
    "bit/s",
    "used",
    "entropy/bits",
    "best validation",
    "MB",
    "tags",
    "file",
)
_MOST_SHOWN = 100


def as_text(folder: Path, models: Sequence[LibraryModel], refused: Sequence[RefusedModel]) -> str:
    """A row a model, and what cannot be used."""
    lines = [_title(folder, len(models))]
    if models:
        lines.append(text_table(_COLUMNS, _rows(models)))
    return "\n".join([*lines, *_notes(len(models), refused)])


def as_html(
    folder: Path, models: Sequence[LibraryModel], refused: Sequence[RefusedModel]
) -> Markup:
    """The same for a notebook."""
    table = html_table(_COLUMNS, _rows(models)) if models else Markup("")
    notes = html_list(note.strip() for note in _notes(len(models), refused))
    return html_page(_title(folder, len(models)), table, notes)


def _title(folder: Path, count: int) -> str:
    return f"ModelLibrary: {count} models in {folder}"


def _rows(models: Sequence[LibraryModel]) -> list[list[str]]:
    return [
        [
            model.name,
            f"{model.created.astimezone():%Y-%m-%d %H:%M}",
            "" if model.levels is None else f"{model.levels} × {model.entries}",
            "" if model.bits_per_second is None else f"{model.bits_per_second:.0f}",
            "" if model.health is None else f"{model.health:.0%}, {model.verdict}",
            model.entropies,
            "" if model.best_validation is None else f"{model.best_validation:.4f}",
            f"{model.file_bytes / 1e6:.1f}",
            ", ".join(model.tags),
            model.place,
        ]
        for model in models[:_MOST_SHOWN]
    ]


def _notes(count: int, refused: Sequence[RefusedModel]) -> list[str]:
    hidden = count - _MOST_SHOWN
    notes = [f"    … and {hidden} more"] if hidden > 0 else []
    notes += [f"    {one.reason}" for one in refused[:_MOST_SHOWN]]
    beyond = len(refused) - _MOST_SHOWN
    return [*notes, f"    … and {beyond} more that cannot be used"] if beyond > 0 else notes
