"""What an atlas shows, as text and as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill.audio.report import duration
from distill.markup import Markup
from distill.tables import html_page, html_table, text_table

if TYPE_CHECKING:
    from distill.analysis.atlas.atlas import CodebookAtlas

_COLUMNS = ("level", "used", "dead", "perplexity", "bits", "verdict")


def as_text(atlas: CodebookAtlas) -> str:
    """A line on the whole and a row a level."""
    return f"CodebookAtlas of {_title(atlas)}\n{text_table(_COLUMNS, _rows(atlas))}"


def as_html(atlas: CodebookAtlas) -> Markup:
    """The same for a notebook."""
    return html_page(f"Codebook atlas of {_title(atlas)}", html_table(_COLUMNS, _rows(atlas)))


def _title(atlas: CodebookAtlas) -> str:
    sound = duration(float(atlas.file_seconds.sum()))
    return (
        f"{atlas.model.name!r} over {len(atlas.files)} files, {sound}: "
        f"{atlas.levels} levels × {atlas.entries} entries"
    )


def _rows(atlas: CodebookAtlas) -> list[list[str]]:
    return [
        [
            f"{level.level + 1} {level.label}",
            f"{level.utilization:.0%}",
            str(level.dead_codes),
            f"{level.perplexity:.1f}",
            f"{level.entropy_bits:.2f}",
            level.verdict,
        ]
        for level in atlas.health
    ]
