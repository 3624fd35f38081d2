"""The charts of a run: what their traces and lines stand for."""

from __future__ import annotations

import pytest
import torch

from distill import VQEpochMetrics, VQMetricsHistory, VQVAEConfig
from distill.codebook.health import codebook_health
from distill.family import family
from distill.health_rows import THIN_BELOW, verdict_of
from distill_widgets.charts.curves import Curves, health_chart, loss_chart


def test_the_line_between_thin_and_healthy_stands_on_the_curve_it_is_defined_on() -> None:
    counts = torch.zeros(1, 16, dtype=torch.int64)
    counts[0, :5] = 16  # of 16 entries, and codes enough to judge by
    [level] = codebook_health(counts)
    history = VQMetricsHistory()
    history.update(VQEpochMetrics(0, 1, *(1.0,) * 6, True, 0.1, 0.1, health=(level,)))
    kind, config = family("vqvae"), VQVAEConfig(levels=1)
    levels = health_chart(kind, config)
    Curves(loss_chart(kind), levels, kind, config).update(history)
    [line] = levels.spec["layout"]["shapes"]
    [drawn] = levels.figure()["data"][0]["y"]
    assert line["y0"] == line["y1"] == THIN_BELOW
    assert drawn == pytest.approx(level.used) and verdict_of(drawn) == level.verdict == "healthy"
