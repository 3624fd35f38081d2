"""RateView and CompareView: numbers, and sounds made when they are asked for."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest

from distill import (
    AudioCorpus,
    LoadedVQModel,
    compare,
    make_demo_corpus,
    rate_distortion,
    read_audio,
)
from distill.analysis import Comparison, RateReport
from distill.errors import ComparisonError
from distill.models.vqvae.model import ConvVQVAE
from distill.training import TrainingResult
from distill_widgets import CompareView, RateView


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return trained.load()


@pytest.fixture(scope="module")
def few(corpus: AudioCorpus) -> AudioCorpus:
    return AudioCorpus.scan([file.path for file in corpus.files[:3]], progress=False)


@pytest.fixture(scope="module")
def report(model: LoadedVQModel, few: AudioCorpus) -> RateReport:
    return rate_distortion(model, few, progress=False)


@pytest.fixture(scope="module")
def comparison(trained: TrainingResult, few: AudioCorpus) -> Comparison:
    models = {"one <b>": trained.model_path, "two": trained.load()}
    return compare(models, few, progress=False)


def sound(player: Any, key: str) -> Any:
    """What a page gets for a key: samples, or the text of an error."""
    said: list[Any] = []
    player.send = lambda content, buffers=None: said.append((content, buffers))
    player._receive(None, {"type": "sound", "key": key}, [])
    content, buffers = said[-1]
    if "error" in content:
        return content["error"]
    with wave.open(io.BytesIO(buffers[0])) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32767)


def test_the_worst_comes_first_and_is_played(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus
) -> None:
    view = RateView(report, model, few)
    worst = report.worst(1)[0]
    assert view.player.rows[0]["name"] == f"{worst.two_scale_mel[-1]:.2f}  {worst.name}"
    original, made = (sound(view.player, key) for key in view.player.rows[0]["keys"])
    waveform, rate = read_audio(few.files[worst.file].path)
    np.testing.assert_allclose(original, waveform.numpy(), atol=1e-4)
    expected = model.reconstruct(waveform, rate)[0].clamp(-1, 1).numpy()
    np.testing.assert_allclose(made, expected, atol=1e-4)
    assert "1–3 … Detail" in view.children[0].value
    assert view.children[1].points == [3, 2]
    assert repr(view) == repr(report)


def test_only_as_many_as_wanted(report: RateReport, model: LoadedVQModel, few: AudioCorpus) -> None:
    assert len(RateView(report, model, few, worst=2).player.rows) == 2


def test_a_report_of_something_else_is_refused(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus, corpus: AudioCorpus
) -> None:
    other = LoadedVQModel(ConvVQVAE(model.vqvae_config).eval(), metadata={"name": "other"})
    with pytest.raises(ComparisonError, match=r"a report of the model .* given with the model "):
        RateView(report, other, few)
    with pytest.raises(ComparisonError, match=r"on 3 files, given with a corpus of 10"):
        RateView(report, model, corpus)


def test_a_recording_that_went_is_said(model: LoadedVQModel, tmp_path: Path) -> None:
    make_demo_corpus(tmp_path)
    path = min(tmp_path.glob("drum-*.wav"))
    alone = AudioCorpus.scan([path], progress=False)
    view = RateView(rate_distortion(model, alone, progress=False), model, alone)
    path.unlink()
    assert f"{path.name}: no such file" in sound(view.player, "made/0")


def test_every_model_is_a_side_of_every_sound(comparison: Comparison) -> None:
    view = CompareView(comparison)
    rows = view.player.rows
    assert len(rows) == 3 and rows[0]["sides"] == ["original", "one <b>", "two"]
    played = [sound(view.player, key) for key in rows[1]["keys"]]
    assert len({len(samples) for samples in played}) == 1
    np.testing.assert_array_equal(played[1], played[2])  # the same model twice
    assert "one &lt;b&gt;" in view.children[0].value and "<b>" not in view.children[1].value
    assert view.children[2].points == [12, 12]
    assert repr(view) == repr(comparison)


def test_more_sounds_than_a_page_should_hold(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill_widgets.library.compare_view.MOST_SOUNDS", 2)
    assert len(CompareView(comparison).player.rows) == 2


@pytest.mark.skipif(
    not hasattr(ipywidgets.Widget, "_repr_mimebundle_"), reason="ipywidgets 7 shows only widgets"
)
def test_a_page_without_widgets_has_the_tables(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus, comparison: Comparison
) -> None:
    """As where a notebook is shown without a kernel."""
    for view in (RateView(report, model, few), CompareView(comparison)):
        data = view._repr_mimebundle_()
        assert "<table" in data["text/html"]
        assert "application/vnd.jupyter.widget-view+json" in data
