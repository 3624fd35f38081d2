"""What the bits buy, and models side by side, in a real page: each sound through each model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from distill import AudioCorpus
from distill.training import TrainingResult

SET_UP = """\
from distill import AudioCorpus, compare, load_model_v2, rate_distortion
from distill_widgets import CompareView, RateView
model = load_model_v2("report-model.distill")
corpus = AudioCorpus.scan("report-sounds", progress=False)
"""
RATE = "RateView(rate_distortion(model, corpus, progress=False), model, corpus)"
COMPARE = 'CompareView(compare({"one": model, "two": model}, corpus, progress=False))'


def test_the_same_sounds_are_heard_through_every_model(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult, corpus: AudioCorpus
) -> None:
    shutil.copy(trained.model_path, server.folder / "report-model.distill")
    (server.folder / "report-sounds").mkdir(exist_ok=True)
    for file in corpus.files[:2]:
        shutil.copy(file.path, server.folder / "report-sounds")
    book = notebook(SET_UP, RATE, COMPARE)
    book.run_all()
    book.page.wait_for_function("() => document.querySelectorAll('.distill-sound').length === 4")
    book.wait_for(".distill-chart", "status", "live")
    for number, sides in ((0, ["reconstruction"]), (2, ["one", "two"])):
        row = book.page.locator(".distill-sound").nth(number)
        row.locator(".distill-play").click()
        row.locator(".distill-mels:not([hidden])").wait_for()
        book.page.wait_for_function(
            "(n) => document.querySelectorAll('.distill-sound')[n].dataset.duration > 0.1",
            arg=number,
        )
        for side in sides:
            row.get_by_role("button", name=side, exact=True).click()
            assert row.get_attribute("data-side") == side
    book.picture("compare", ".distill-card >> nth=1")
