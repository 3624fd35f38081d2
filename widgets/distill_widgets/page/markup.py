"""What needs no JavaScript: the health table, warnings and the log, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from distill import health_rows
from distill.health_rows import Health
from distill.markup import Markup, number, shortened, tag, whole
from distill.models.use.report import profiles
from distill.tables import MOST_IN_A_CELL
from distill.training.watch.event_lines import TrainingCompleteEvent, WarningEvent
from distill.training.watch.history import MetricsHistory
from distill.words import duration, why_ended
from distill_widgets.page.palette import level_colour

LOG_LINES = 200
UTILIZATION = "utilization"
"""Kind of the warnings of an RVQ-VAE about its codebooks."""
_LONGEST_LINE = 1000
_WIDTHS = {"level": 15, "codes": 17, "used": 17, "at most": 8, "entropy": 19}
"""Of the columns that are no 12 wide: shares of the table's width, in proportion."""
_WORDS = {
    health_rows.HEALTHY: "healthy",
    health_rows.THIN: "thin",
    health_rows.COLLAPSING: "collapsing",
    health_rows.TOO_FEW: "quiet",
}
"""Classes of the verdicts."""


def paragraph(text: str) -> Markup:
    """Plain text, as one paragraph."""
    return wrapped(tag("p", text))


def wrapped(*children: Markup) -> Markup:
    """What stands on a page by itself, in our look."""
    return whole(*children, class_="distill")


def health_table(
    health: Sequence[Health],
    warnings: Sequence[WarningEvent] = (),
    *,
    kind: str = UTILIZATION,
    parts: str = "Codebooks",
    title: str = "",
) -> Markup:
    """A row a part: how it is used, in numbers, in a word, and what to do about it.

    Args:
        health: of every part of the bottleneck, as each level.
        warnings: of the run; those of a part that is still not well say since when it is not.
        kind: of the warnings that are about health; see `Family.health_warning`.
        parts: what they are called while there are none; see `Health.parts`.
        title: above it.

    Raises:
        MarkupError: a health whose numbers are none.
    """
    if not health:
        text = f"{parts} are measured after each epoch."
        return wrapped(tag("p", text, class_="distill-quiet"))
    names = health_rows.columns(health, training=True)
    widths = [_WIDTHS.get(name, 12) for name in names]
    cols = (tag("col", style={"width": f"{100 * width // sum(widths)}%"}) for width in widths)
    rows = (
        row for place, part in enumerate(health) for row in _health_rows(part, level_colour(place))
    )
    since = {event.level: event.epoch for event in warnings if event.kind == kind}
    advice = (
        _warning(
            f"since epoch {since[_place(part)] + 1}" if _place(part) in since else "now",
            _capital(part.advice) + ".",
        )
        for part in health
        if part.advice
    )
    table = _table(names, rows, tag("colgroup", *cols))
    heading = [tag("p", title, class_="distill-quiet")] if title else []
    return wrapped(*heading, table, tag("ul", *advice, class_="distill-list"), *profiles(health))


def run_health(history: MetricsHistory, kind: str, parts: str) -> Markup:
    """The table of a run: of its newest epoch, or of the one whose weights were kept.

    Args:
        history: of the run.
        kind: see `health_table`.
        parts: see `health_table`.
    """
    measured = history.measured
    health, title = (), ""
    if measured is not None:
        kept = ", whose weights are kept" if measured is history.best else ""
        health, title = measured.health, f"{parts} of epoch {measured.epoch + 1}{kept}"
    return health_table(health, history.warnings, kind=kind, parts=parts, title=title)


def warning_list(
    warnings: Sequence[WarningEvent], health: Sequence[Health] = (), *, kind: str = UTILIZATION
) -> Markup:
    """Warnings with their epoch, the newest first, without what the health table says already."""
    said = {_place(part) for part in health if part.advice}
    items = [
        _warning(f"epoch {event.epoch + 1}", _capital(event.message))
        for event in list(warnings)[-LOG_LINES:][::-1]
        if not (event.kind == kind and event.level in said)
    ]
    return wrapped(*([tag("ul", *items, class_="distill-list")] if items else []))


def log_list(history: MetricsHistory) -> Markup:
    """What happened besides steps, the newest first."""
    events = sorted(_log_entries(history), key=lambda item: item[0])[-LOG_LINES:]
    items = [
        tag("li", tag("span", f"step {step:,}", class_="distill-when"), _line(text))
        for step, text in events[::-1]
    ]
    if not items:
        return wrapped()
    style, name = "distill-list distill-log", "what happened"
    # It scrolls: the keyboard must reach it too.
    return wrapped(tag("ul", *items, class_=style, tabindex=0, aria_label=name))


def plain_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = ""
) -> Markup:
    """A table of texts.

    Args:
        columns: their names.
        rows: a text a column.
        title: above it.
    """
    body = (tag("tr", *(tag("td", shortened(c, MOST_IN_A_CELL)) for c in row)) for row in rows)
    heading = [tag("p", title, class_="distill-chart-title")] if title else []
    return wrapped(*heading, _table(columns, body))


def _table(names: Sequence[str], rows: Iterable[Markup], *before: Markup) -> Markup:
    head = tag("thead", tag("tr", *(tag("th", name) for name in names)))
    return tag("table", *before, head, tag("tbody", *rows), class_="distill-health")


def _log_entries(history: MetricsHistory) -> Iterable[tuple[int, str]]:
    for epoch in history.epochs:
        if epoch.is_best:
            yield epoch.step, f"epoch {epoch.epoch + 1} is the best so far ({epoch.val_loss:.4f})"
    for checkpoint in history.checkpoints:
        yield checkpoint.step, "checkpoint saved" + (", the best" if checkpoint.is_best else "")
    for preview in history.previews:
        yield preview.step, f"{len(preview.pairs)} sounds to listen to"
    for resume in history.resumes:
        yield resume.step, f"taken up again, for the {_ordinal(resume.session - 1)} time"
    if isinstance(history.outcome, TrainingCompleteEvent):
        done = history.outcome
        reason = why_ended(done.reason)
        text = f"ended after {duration(done.elapsed_s)}, {reason}; model in {done.model_path}"
        yield done.steps, text


def _place(part: Health) -> int | None:
    """The level that warnings name; None where a bottleneck has none."""
    return getattr(part, "level", None)


def _health_rows(part: Health, colour: str) -> Iterable[Markup]:
    """A part's row and, fainter, those beside it."""
    for cells, verdict in health_rows.shown_rows(part, training=True):
        is_judged = bool(verdict)
        first, *others = cells
        swatch = tag("span", class_="distill-swatch", style={"background": colour})
        yield tag(
            "tr",
            tag("td", swatch if is_judged else "", shortened(first.text, MOST_IN_A_CELL)),
            *(tag("td", _bar(cell, colour), cell.text, title=cell.hint or None) for cell in others),
            tag("td", _word(verdict) if is_judged else ""),
            class_=None if is_judged else "distill-quiet",
        )


def _word(verdict: str) -> Markup:
    known = verdict if verdict in _WORDS else "unknown"
    return tag("span", known, class_=f"distill-word distill-{_WORDS.get(known, known)}")


def _bar(cell: health_rows.Cell, colour: str) -> Markup:
    """Nothing for a cell without a share."""
    if cell.share is None:
        return Markup("")
    width = f"{number(100 * cell.share, '.1f')}%"
    filled = tag("i", style={"width": width, "background": colour})
    return tag("span", filled, class_="distill-use")


def _warning(when: str, text: str) -> Markup:
    return tag(
        "li", tag("span", when, class_="distill-when"), _line(text), class_="distill-warning"
    )


def _line(text: str) -> str:
    return shortened(text, _LONGEST_LINE)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ordinal(count: int) -> str:
    ending = "th" if 10 <= count % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"
