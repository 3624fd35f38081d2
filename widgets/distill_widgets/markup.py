"""What needs no JavaScript: the health table, warnings and the log, as HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from distill.audio.report import duration
from distill.codebook.health import LevelHealth
from distill.training.history import VQMetricsHistory
from distill.training.metrics import TrainingCompleteEvent, WarningEvent
from distill_widgets.palette import level_colour

LOG_LINES = 200
_COLUMNS = (
    ("level", 18),
    ("entries used", 26),
    ("perplexity", 15),
    ("dead codes", 13),
    ("churn a step", 13),
    ("", 15),
)
_REASONS = {
    "max_epochs": "all epochs are done",
    "max_steps": "all steps are done",
    "max_seconds": "the time is up",
    "stopped": "somebody stopped it",
}


def paragraph(text: str) -> str:
    """Plain text, as one paragraph."""
    return _wrapped(f"<p>{html.escape(text)}</p>")


def health_table(health: Sequence[LevelHealth], warnings: Sequence[WarningEvent] = ()) -> str:
    """A row a level: how its codebook is used, in numbers, in a word, and what to do about it.

    Args:
        health: of every level.
        warnings: of the run; those of a level that is still not well say since when it is not.
    """
    if not health:
        return _wrapped("<p class='distill-quiet'>Codebooks are measured after each epoch.</p>")
    columns = "".join(f"<col style='width:{width}%'>" for _, width in _COLUMNS)
    head = "".join(f"<th>{name}</th>" for name, _ in _COLUMNS)
    rows = "".join(f"<tr>{''.join(map(_cell, _cells(level)))}</tr>" for level in health)
    since = {event.level: event.epoch for event in warnings if event.kind == "utilization"}
    advice = "".join(
        _warning(
            f"since epoch {since[level.level] + 1}" if level.level in since else "now",
            _capital(level.advice) + ".",
        )
        for level in health
        if level.advice
    )
    return _wrapped(
        f"<table class='distill-health'><colgroup>{columns}</colgroup><thead><tr>{head}</tr>"
        f"</thead><tbody>{rows}</tbody></table><ul class='distill-list'>{advice}</ul>"
    )


def warning_list(warnings: Sequence[WarningEvent], health: Sequence[LevelHealth] = ()) -> str:
    """Warnings with their epoch, the newest first, without what the health table says already."""
    said = {level.level for level in health if level.advice}
    items = "".join(
        _warning(f"epoch {event.epoch + 1}", _capital(event.message))
        for event in list(warnings)[-LOG_LINES:][::-1]
        if not (event.kind == "utilization" and event.level in said)
    )
    return _wrapped(f"<ul class='distill-list'>{items}</ul>" if items else "")


def log_list(history: VQMetricsHistory) -> str:
    """What happened besides steps, the newest first."""
    events = sorted(_told(history), key=lambda item: item[0])[-LOG_LINES:]
    items = "".join(
        f"<li><span class='distill-when'>step {step:,}</span>{html.escape(text)}</li>"
        for step, text in events[::-1]
    )
    return _wrapped(f"<ul class='distill-list distill-log'>{items}</ul>" if items else "")


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> str:
    """A table of texts, all escaped.

    Args:
        columns: their names.
        rows: a text a column.
        title: above it.
    """
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(html.escape(text)) for text in row)}</tr>" for row in rows)
    heading = f"<p class='distill-chart-title'>{html.escape(title)}</p>" if title else ""
    return _wrapped(
        f"{heading}<table class='distill-health'><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _told(history: VQMetricsHistory) -> Iterable[tuple[int, str]]:
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
        reason = _REASONS.get(done.reason, done.reason)
        text = f"ended after {duration(done.elapsed_s)}, {reason}; model in {done.model_path}"
        yield done.steps, text


def _cells(level: LevelHealth) -> Iterable[str]:
    colour = level_colour(level.level)
    yield (
        f"<span class='distill-swatch' style='background:{colour}'></span>"
        f"{html.escape(level.label)}"
    )
    width = 100 * level.utilization
    yield (
        f"<span class='distill-use' title='at most {level.ceiling:.0%} with {level.samples:,} "
        f"codes'><i style='width:{width:.1f}%;background:{colour}'></i></span>"
        f"{level.utilization:.0%}"
    )
    yield f"{level.perplexity:.0f} of {level.entries}"
    yield f"{level.dead_codes}"
    yield f"{level.churn:.2f}"
    yield f"<span class='distill-word distill-{level.verdict}'>{level.verdict}</span>"


def _cell(content: str) -> str:
    return f"<td>{content}</td>"


def _warning(when: str, text: str) -> str:
    return (
        f"<li class='distill-warning'><span class='distill-when'>{when}</span>"
        f"{html.escape(text)}</li>"
    )


def _wrapped(content: str) -> str:
    return f"<div class='distill'>{content}</div>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ordinal(number: int) -> str:
    ending = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"
