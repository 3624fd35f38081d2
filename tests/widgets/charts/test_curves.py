"""The charts of a run: what their traces and lines stand for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from distill import VQEpochMetrics, VQMetricsHistory, VQStepMetrics, VQVAEConfig
from distill.codebook.health import codebook_health
from distill.family import family
from distill.health_rows import THIN_BELOW, verdict_of
from distill.training.watch.normal import Band, Bands
from distill_widgets.charts.curves import Curves, health_chart, loss_chart
from distill_widgets.charts.drawing import draw, to_svg


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


def test_a_band_stands_behind_every_curve_that_it_has() -> None:
    kind, config = family("vqvae"), VQVAEConfig(levels=1)
    names = ("training loss", "validation loss", "used 0", "of another version")
    band = Band(
        "vqvae", "none", "", (1, 20), {}, 3, ["demo"], [50, 100],
        {name: Bands([0.1, 0.2], [0.3, 0.4]) for name in names}, ["training loss"],
    )  # fmt: skip
    loss, levels = loss_chart(kind, band), health_chart(kind, config, band)
    plain = len(loss_chart(kind).points)
    known = SimpleNamespace(like=band, beside=band.beside)
    curves = Curves(loss, levels, kind, config, known)
    history = VQMetricsHistory()
    curves.update(history)
    assert sum(loss.points) == 0  # or nothing would say that it waits for the first step
    history.update(VQStepMetrics(0, 0, *(1.0,) * 3, 1e-3, 1.0, 0.1, 0.1))
    curves.update(history)
    assert loss.points[plain:] == [0] * 4  # how high this run is shows at its first epoch's end
    history.update(VQEpochMetrics(0, 50, *(2.0,) * 6, True, 0.1, 0.1, health=()))
    for _ in range(2):
        curves.update(history)
    assert loss.points[plain:] == [2] * 4 and levels.points[-2:] == [2, 2]
    assert loss.figure()["data"][plain]["y"] == pytest.approx([0.2, 0.4])  # of a loss of 2
    low, high = loss.figure()["data"][-2:]
    assert (low["x"], low["y"]) == ([50, 100], pytest.approx([0.1, 0.2]))
    assert high["fill"] == "tonexty" and high["y"] == pytest.approx([0.3, 0.4])
    shown = [trace.get("showlegend", True) for trace in loss.figure()["data"][plain:]]
    assert shown == [False, True, False, False]
    curves.update(VQMetricsHistory())  # begun anew
    assert sum(loss.points) == 0
    curves.update(history)
    assert "runs like this" in to_svg(draw(loss))
    known.beside = lambda _epochs: None  # there are such runs, and of so many sounds none
    curves.update(VQMetricsHistory())
    curves.update(history)
    assert loss.points[plain:] == [0] * 4 and "runs like this" not in to_svg(draw(loss))
