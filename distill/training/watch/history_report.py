"""A run's history as HTML that needs no widget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distill.drawings import svg_curves
from distill.markup import Markup, tag
from distill.tables import html_facts, html_page
from distill.training.watch.event_lines import TrainingCompleteEvent
from distill.words import duration, why_ended

if TYPE_CHECKING:
    from distill.training.watch.history import MetricsHistory


def history_as_html(history: MetricsHistory) -> Markup:
    """What was reached, and the curve of each epoch."""
    curves = history.curves()
    shown = [curves["val"], curves["train"]]
    curve = svg_curves(shown, "validation and, fainter, training loss of each epoch")
    under = tag("br"), "validation loss; training fainter"
    drawn = tag("p", curve, *under) if curve else Markup("")
    return html_page("", html_facts(_facts(history)), drawn)


def _facts(history: MetricsHistory) -> Iterator[tuple[str, str]]:
    yield "epochs", f"{len(history.epochs)}, {history.step_count} steps"
    if history.elapsed_s:
        yield "time", duration(history.elapsed_s)
    if history.epochs:
        yield "validation", f"{history.epochs[-1].val_loss:.4f}"
    if history.best:
        yield "best", f"{history.best.val_loss:.4f} in epoch {history.best.epoch + 1}"
    if history.gaps:
        yield "not shown", str(history.gaps)
    if history.warnings:
        yield "warnings", f"{len(history.warnings)}, the last: {history.warnings[-1].message}"
    if history.gaps:
        yield "not everything", str(history.gaps)
    if isinstance(history.outcome, TrainingCompleteEvent):
        yield "ended", why_ended(history.outcome.reason)
    elif history.outcome:
        yield "failed", f"{history.outcome.error}: {history.outcome.message}"
