"""A run's history as HTML that needs no widget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from distill.drawings import svg_curves
from distill.markup import Markup, tag
from distill.tables import html_facts, html_page
from distill.training.watch.event_lines import (
    TrainingCompleteEvent,
    TrainingFailedEvent,
    WarningEvent,
)
from distill.training.watch.gaps import Gaps
from distill.words import duration, why_ended


def _curve(epochs: Sequence[Any]) -> Markup:
    """The validation loss of each epoch and, fainter, its training loss; "" without numbers.

    Args:
        epochs: events of epochs, of any family.
    """
    curves = [[epoch.val_loss for epoch in epochs], [epoch.train_loss for epoch in epochs]]
    curve = svg_curves(curves, "validation and, fainter, training loss of each epoch")
    under = tag("br"), "validation loss; training fainter"
    return tag("p", curve, *under) if curve else Markup("")


def history_as_html(
    epochs: Sequence[Any],
    steps: int,
    elapsed_s: float,
    best: Any,
    gaps: Gaps,
    warnings: Sequence[WarningEvent],
    outcome: TrainingCompleteEvent | TrainingFailedEvent | None,
) -> Markup:
    """What was reached, and the curve of each epoch.

    Args:
        epochs: events of epochs, of any family.
        steps: optimiser steps done.
        elapsed_s: training time.
        best: the epoch whose weights are kept; None before there is one.
        gaps: what of the log could not be read.
        warnings: all of them, the newest last.
        outcome: the event of its end, where it has ended.
    """
    facts = [("epochs", f"{len(epochs)}, {steps} steps")]
    if elapsed_s:
        facts.append(("time", duration(elapsed_s)))
    if epochs:
        facts.append(("validation", f"{epochs[-1].val_loss:.4f}"))
    if best:
        facts.append(("best", f"{best.val_loss:.4f} in epoch {best.epoch + 1}"))
    if gaps:
        facts.append(("not shown", str(gaps)))
    if warnings:
        facts.append(("warnings", f"{len(warnings)}, the last: {warnings[-1].message}"))
    return html_page("", html_facts([*facts, *_ending(outcome)]), _curve(epochs))


def _ending(
    outcome: TrainingCompleteEvent | TrainingFailedEvent | None,
) -> Iterator[tuple[str, str]]:
    if isinstance(outcome, TrainingCompleteEvent):
        yield "ended", why_ended(outcome.reason)
    elif outcome:
        yield "failed", f"{outcome.error}: {outcome.message}"
