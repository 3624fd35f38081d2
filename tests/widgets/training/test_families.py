"""Runs of every family are shown, each with the curves and the health that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill import (
    AudioCorpus,
    ModelLibrary,
    TrainingResult,
    load_model,
    load_model_v2,
    train,
    train_prior,
)
from distill.analysis.compare.comparison import compare
from distill_widgets import CompareView, ModelCard, ModelLibraryView, TrainingDashboard, report
from tests.families import tiny
from tests.priors import tiny_prior


@pytest.fixture(scope="module")
def latents(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the continuous VAE."""
    path = tmp_path_factory.mktemp("runs") / "latents"
    train(tiny("vae", max_steps=10), [file.path for file in corpus.files], path, "cpu")
    return path


def test_the_dashboard_of_a_vae_draws_its_parts_and_what_its_latents_say(latents: Path) -> None:
    dashboard = TrainingDashboard(latents)
    try:
        figure = dashboard.loss.chart.figure()
        titles = [note["text"] for note in figure["layout"]["annotations"]]
        assert [title for title in titles if title] == ["reconstruction", "kl"]
        drawn = [trace for trace in figure["data"] if len(trace["y"])]
        assert len(drawn) >= 6  # training and validation of the loss and of both parts
        panels = [note["text"] for note in dashboard.levels.chart.figure()["layout"]["annotations"]]
        assert any("KL" in panel for panel in panels)
        assert not any("dead" in panel for panel in panels)
        assert "active" in dashboard.health.value and "dead" not in dashboard.health.value
        assert "<svg" in dashboard.health.value  # KL of each dimension, as bars
        assert dashboard.player.rows
    finally:
        dashboard.close()


def test_a_prior_is_shown_with_what_a_step_costs(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path: Path
) -> None:
    model = load_model_v2(trained.model_path)
    config = tiny_prior(model, max_steps=6, preview_every_epochs=1, preview_count=1)
    train_prior(model, corpus, tmp_path / "prior", config, "cpu")
    dashboard = TrainingDashboard(tmp_path / "prior")
    try:
        titles = [x["text"] for x in dashboard.loss.chart.figure()["layout"]["annotations"]]
        assert [title for title in titles if title] == ["codes", "ends"]
        panels = [x["text"] for x in dashboard.levels.chart.figure()["layout"]["annotations"]]
        assert any("bits below counted pairs" in panel for panel in panels)
        assert "perplexity" in dashboard.health.value and dashboard.player.rows
    finally:
        dashboard.close()
    assert "evenly / singles / pairs" in str(report(tmp_path / "prior").outputs())
    [kept] = ModelLibrary(tmp_path)  # the codec in its folder is no model of its own
    assert kept.path.name == "model.distill"


def test_a_vae_is_reported_and_kept_in_a_library(latents: Path) -> None:
    shown = str(report(latents).outputs())
    assert "kl" in shown and "active" in shown
    card = ModelCard(latents / "model.distill")
    assert not card.head.state.get("trouble")
    assert "latents" in str(card.head.state)
    card.close()
    view = ModelLibraryView(ModelLibrary(latents.parent))
    view.close()
    assert load_model(latents / "model.distill").health


def test_a_vae_is_compared_on_a_page(latents: Path, corpus: AudioCorpus) -> None:
    sounds = {"one": (corpus.waveforms[0][:9600], corpus.sample_rate)}
    view = CompareView(compare([latents, latents], sounds, progress=False))
    assert "dimensions" in view.saved_html()
    view.close()
