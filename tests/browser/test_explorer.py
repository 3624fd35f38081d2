"""An atlas in a real page: looked at, listened to, its pages turned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distill import AudioCorpus, build_atlas
from distill.training import TrainingResult

from .harness import Server

EXPLORER = ".distill-explorer"
CELL = """\
from distill import CodebookAtlas, load_model_v2
from distill_widgets import CodebookExplorer
model = load_model_v2("atlas-model.distill")
CodebookExplorer(CodebookAtlas.load("atlas.npz"), model)
"""
PLACE = """() => {
    const plot = document.querySelector('.distill-explorer .js-plotly-plot');
    const {xaxis, yaxis} = plot._fullLayout, trace = plot.data[0];
    const box = plot.getBoundingClientRect();
    const at = trace.x.length - 1;  // drawn last: on top of all others
    return {
        x: box.x + xaxis._offset + xaxis.l2p(trace.x[at]),
        y: box.y + yaxis._offset + yaxis.l2p(trace.y[at]), entry: trace.customdata[at],
    };
}"""


@pytest.fixture(scope="module")
def put_sounds(server: Server, corpus: AudioCorpus) -> Callable[[], Path]:
    """Puts the recordings of the atlas where they belong."""
    folder = server.folder / "atlas-sounds"

    def put() -> Path:
        folder.mkdir(exist_ok=True)
        for file in corpus.files[:4]:
            shutil.copy(file.path, folder)
        return folder

    return put


@pytest.fixture(scope="module")
def atlas(server: Server, trained: TrainingResult, put_sounds: Callable[[], Path]) -> None:
    shutil.copy(trained.model_path, server.folder / "atlas-model.distill")
    sounds = AudioCorpus.scan(put_sounds(), progress=False)
    build_atlas(trained.load(), sounds, progress=False).save(server.folder / "atlas.npz")


@pytest.fixture
def book(atlas: None, notebook: Callable[..., Any], put_sounds: Callable[[], Path]) -> Any:
    put_sounds()
    opened = notebook(CELL)
    opened.run_all()
    opened.wait_for(EXPLORER, "drawn", "map/0/pca/brightness")
    return opened


def test_an_entry_is_clicked_and_heard_with_its_moments(book: Any) -> None:
    place = book.page.evaluate(PLACE)
    book.page.mouse.move(place["x"], place["y"])
    book.page.wait_for_selector(".hoverlayer .hovertext")
    assert "used" in book.page.locator(".hoverlayer .hovertext").first.text_content()
    book.page.mouse.click(place["x"], place["y"])
    book.wait_for(EXPLORER, "heard", f"entry/0/{place['entry']}")
    assert float(book.read(EXPLORER, "duration")) == pytest.approx(0.3, abs=0.03)
    book.wait_for(EXPLORER, "moments", 1)
    book.page.locator(".distill-moment .distill-play").first.click()
    book.wait_for(EXPLORER, "heard", f"moment/0/{place['entry']}/0")
    book.picture("explorer-map", EXPLORER)


def test_pages_are_turned_and_a_level_is_chosen(book: Any) -> None:
    for tab in ("usage", "pairs", "files"):
        book.page.locator(f'{EXPLORER} [data-choice="{tab}"]').click()
        book.page.wait_for_function(
            f"() => document.querySelector('{EXPLORER}').dataset.drawn.startsWith('{tab}/')"
        )
        book.picture(f"explorer-{tab}", EXPLORER)
    book.page.locator(f'{EXPLORER} [data-choice="map"]').click()
    book.page.locator(f'{EXPLORER} [data-choice="2"]').click()
    book.wait_for(EXPLORER, "drawn", "map/2/pca/brightness")
    book.page.locator(f"{EXPLORER} select").select_option("file")
    book.wait_for(EXPLORER, "drawn", "map/2/pca/file")


def test_keys_walk_through_the_entries(book: Any) -> None:
    book.page.locator(EXPLORER).focus()
    book.page.keyboard.press("ArrowRight")
    book.page.wait_for_function(f"() => document.querySelector('{EXPLORER}').dataset.heard")
    first = book.read(EXPLORER, "heard")
    book.page.keyboard.press("ArrowRight")
    book.page.wait_for_function(
        f"() => document.querySelector('{EXPLORER}').dataset.heard !== '{first}'"
    )
    book.page.keyboard.press("ArrowDown")
    book.wait_for(EXPLORER, "drawn", "map/1/pca/brightness")


def test_a_recording_that_went_is_said_on_the_page(book: Any) -> None:
    for path in (book.server.folder / "atlas-sounds").iterdir():
        path.unlink()
    book.page.locator(EXPLORER).focus()
    book.page.keyboard.press("ArrowRight")
    book.wait_for(EXPLORER, "moments", 1)
    book.page.locator(".distill-moment .distill-play").first.click()
    book.page.wait_for_function(f"() => document.querySelector('{EXPLORER}').dataset.error")
    assert "cannot be heard" in book.page.locator(f"{EXPLORER} .distill-said").inner_text()


def test_it_is_whole_after_a_reload_and_in_the_dark(book: Any) -> None:
    book.save()
    book.goto(book.page)
    book.wait_for(EXPLORER, "drawn", "map/0/pca/brightness")
    book.theme("Dark")
    book.page.wait_for_function(
        f"() => document.querySelector('{EXPLORER}').classList.contains('distill-dark')"
    )
    ink = book.page.evaluate(f"() => getComputedStyle(document.querySelector('{EXPLORER}')).color")
    assert "255" in ink or "224" in ink
    book.picture("explorer-dark", EXPLORER)
    book.theme("Light")
