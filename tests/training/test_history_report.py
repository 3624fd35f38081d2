from __future__ import annotations

from distill import VQMetricsHistory
from distill.training import TrainingResult


def test_a_history_shows_what_was_reached(trained: TrainingResult) -> None:
    shown = trained.history._repr_html_()
    for text in ("12, 60 steps", "<svg", "currentColor", "all steps are done", "in epoch "):
        assert text in shown, text
    assert len(shown) < 5000


def test_an_empty_history_shows_that_it_is() -> None:
    shown = VQMetricsHistory()._repr_html_()
    assert "0, 0 steps" in shown and "<svg" not in shown
