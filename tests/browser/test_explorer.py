"""An atlas in a real page: looked at, listened to, its pages turned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
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


def test_an_atlas_is_clicked_walked_through_turned_reloaded_and_outlives_its_recordings(
    server: Server, notebook: Callable[..., Any], trained: TrainingResult, corpus: AudioCorpus
) -> None:
    folder = server.folder / "atlas-sounds"
    folder.mkdir(exist_ok=True)
    for file in corpus.files[:4]:
        shutil.copy(file.path, folder)
    shutil.copy(trained.model_path, server.folder / "atlas-model.distill")
    sounds = AudioCorpus.scan(folder, progress=False)
    build_atlas(trained.load(), sounds, progress=False).save(server.folder / "atlas.npz")
    book = notebook(CELL)
    book.run_all()
    book.wait_for(EXPLORER, "drawn", "map/0/pca/brightness")
    click_an_entry_and_hear_its_moments(book)
    walk_by_keys(book)
    turn_the_pages(book)
    reload_and_look_in_the_dark(book)
    say_that_the_recordings_went(book)


def click_an_entry_and_hear_its_moments(book: Any) -> None:
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


def walk_by_keys(book: Any) -> None:
    book.page.locator(EXPLORER).focus()
    for _ in range(2):
        before = book.read(EXPLORER, "heard")
        book.page.keyboard.press("ArrowRight")
        book.until(lambda before=before: book.read(EXPLORER, "heard") not in ("", before))
    book.page.keyboard.press("ArrowDown")
    book.wait_for(EXPLORER, "drawn", "map/1/pca/brightness")


def turn_the_pages(book: Any) -> None:
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


def reload_and_look_in_the_dark(book: Any) -> None:
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


def say_that_the_recordings_went(book: Any) -> None:
    for path in (book.server.folder / "atlas-sounds").iterdir():
        path.unlink()
    book.page.locator(EXPLORER).focus()
    book.page.keyboard.press("ArrowRight")
    book.wait_for(EXPLORER, "moments", 1)
    book.page.locator(".distill-moment .distill-play").first.click()
    book.page.wait_for_function(f"() => document.querySelector('{EXPLORER}').dataset.error")
    book.page.evaluate(f"() => {{ delete document.querySelector('{EXPLORER}').dataset.drawn; }}")
    book.theme("Dark")  # it is drawn anew, and what was said stays
    book.wait_for(EXPLORER, "drawn", "map/0/pca/brightness")
    assert "cannot be heard" in book.page.locator(f"{EXPLORER} .distill-said").inner_text()
