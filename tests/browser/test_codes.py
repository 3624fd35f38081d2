"""The codes of a sound in a real page: looked at, listened to, renamed, reloaded."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from distill import read_model_info
from distill.training import TrainingResult

from . import accessible

CODES = ".distill-codes"
RECORDER, RECORDED = ".distill-recorder", ".distill-card .distill-codes"
STEPS_A_SECOND = 48_000 / 512 / 2
OPEN = """\
from distill import load_model_v2, read_audio
from distill_widgets import CodesView
model = load_model_v2("codes-model.distill")
"""
SHORT = OPEN + 'CodesView(model, "sound.wav")'
RECORD = "from distill_widgets import CodesRecorder\nCodesRecorder(model)"
NOISE = """\
import torch
noise = torch.randn(48000 * 600, generator=torch.Generator().manual_seed(0)) * 0.1
CodesView(model, (noise, 48000), name="600 seconds")
"""
LONG = OPEN + NOISE


@pytest.fixture
def page_of(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult, corpus: Any
) -> Callable[..., Any]:
    """Runs a cell in a notebook beside a model and a sound."""
    shutil.copy(trained.model_path, server.folder / "codes-model.distill")
    shutil.copy(corpus.files[0].path, server.folder / "sound.wav")

    def opened(cell: str, *more: str, **how: Any) -> Any:
        book = notebook(cell, *more, **how)
        book.run_all()
        book.wait_for(CODES, "drawn", 1)
        return book

    return opened


def click(book: Any, level: int | None, step: int) -> None:
    """A click on a cell; level None is the time above the grid."""
    width = float(book.read(CODES, "cellPx"))
    first = book.page.evaluate("() => document.querySelector('.distill-grid-scroll').scrollLeft")
    y = 8 if level is None else 24 + 34 * level + 17
    canvas = book.page.locator(".distill-grid-canvas")
    canvas.click(position={"x": (step + 0.5) * width - first, "y": y})


def test_a_sound_is_heard_by_keys_and_clicks_renamed_reloaded_and_fits_both_themes(
    page_of: Callable[..., Any],
) -> None:
    book = page_of(SHORT)
    walk_by_keys(book)
    click_on_cells_and_rows(book)
    accessible.check(book.page, "codes")
    play_to_the_end(book)
    rename_a_level(book)
    drawn = book.read(CODES, "drawn")
    book.save()
    book.goto(book.page)
    book.wait_for(CODES, "drawn", drawn)
    click(book, 0, 2)
    book.wait_for(CODES, "heard", "cell/0/2")
    ink = "() => getComputedStyle(document.querySelector('.distill-codes')).color"
    book.theme("Light")  # whatever an earlier page has left
    light = book.page.evaluate(ink)
    book.theme("Dark")
    book.page.wait_for_function(f"() => ({ink})() !== '{light}'")
    click(book, 0, 3)
    book.picture("codes-dark", CODES)


def walk_by_keys(book: Any) -> None:
    book.page.locator(CODES).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
        book.page.keyboard.press(key)
    assert (book.read(CODES, "level"), book.read(CODES, "step")) == ("1", "1")
    book.page.keyboard.press("Enter")
    book.wait_for(CODES, "heard", "cell/1/1")
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        book.page.keyboard.press(key)
    book.wait_for(CODES, "heard", "moment/1")
    assert book.page.locator(".jp-Notebook .jp-Cell").count() <= 2, "no key reached the notebook"


def click_on_cells_and_rows(book: Any) -> None:
    click(book, 1, 4)
    book.wait_for(CODES, "heard", "cell/1/4")
    assert float(book.read(CODES, "duration")) == pytest.approx(0.3, abs=0.03)
    assert book.page.evaluate("() => document.querySelector('.distill-codes audio').duration") > 0.2
    click(book, None, 6)
    book.wait_for(CODES, "heard", "moment/6")
    assert "all levels" in book.page.locator(".distill-said").inner_text()
    book.picture("codes-light", CODES)
    played = book.record(CODES, "status", "source")
    book.page.locator('[data-source="alone-2"]').click()
    played.until("playing", "alone-2")
    book.wait_for(CODES, "status", "ready")
    assert book.read(CODES, "source") == "first-3", "what is played next is everything again"


def play_to_the_end(book: Any) -> None:
    """The playhead moves with it, and goes back."""
    book.page.locator('.distill-codes-line [data-source="first-1"]').click()
    assert book.read(CODES, "status") == "ready", "choosing does not start"
    played, heads = book.record(CODES, "status", "source"), book.record(CODES, "playhead")
    book.page.locator(".distill-codes-line .distill-play").click()
    played.until("playing", "first-1")
    book.wait_for(CODES, "status", "ready")  # it came to its end
    assert float(book.read(CODES, "playhead")) == 0
    places = [float(place) for (place,) in heads.all()]
    moved = places[places.index(max(places)) :: -1]
    assert len(set(moved)) > 1 and moved == sorted(moved, reverse=True)


def rename_a_level(book: Any) -> None:
    """And write its name into the file."""
    label = book.page.locator(".distill-grid-label").nth(1)
    label.dblclick()
    book.page.keyboard.type("Body & soul")
    book.page.keyboard.press("Enter")
    book.wait_for(CODES, "labels", "Structure | Body & soul | Detail")
    book.page.get_by_text("keep names in codes-model.distill").click()
    book.page.wait_for_function(
        "() => document.querySelector('.distill-said').textContent.startsWith('the names are in')"
    )
    info = read_model_info(book.server.folder / "codes-model.distill")
    assert info.metadata["level_labels"] == ["Structure", "Body & soul", "Detail"]


def test_it_plays_while_a_cell_runs(page_of: Callable[..., Any]) -> None:
    book = page_of(SHORT, "import time\ntime.sleep(120)", fresh=True)
    click(book, 1, 2)
    book.wait_for(CODES, "heard", "cell/1/2", timeout_s=20)
    assert "[*]" in book.page.locator(".jp-InputPrompt").nth(1).inner_text(), "the cell has ended"


def test_it_works_in_notebook_7_with_what_the_microphone_hears(page_of: Callable[..., Any]) -> None:
    book = page_of(SHORT, RECORD, front="notebook")
    click(book, 2, 1)
    book.wait_for(CODES, "heard", "cell/2/1")
    button = book.page.locator(f"{RECORDER} button").first
    button.click()
    book.wait_for(RECORDER, "state", "recording")
    book.wait_for(RECORDER, "seconds", 1)
    button.click()
    book.wait_for(RECORDER, "state", "recorded")
    seconds = float(book.read(RECORDER, "seconds"))
    book.page.locator(f"{RECORDER} button", has_text="Show its codes").click()
    book.wait_for(RECORDER, "used", "1")
    book.wait_for(RECORDED, "drawn", 1)
    said = book.page.locator(f"{RECORDER} .distill-said").inner_text()
    steps = re.fullmatch(r"recording 1: .* s, (\d+) steps of codes", said)
    assert steps is not None and int(steps[1]) == pytest.approx(STEPS_A_SECOND * seconds, abs=2)
    played = book.record(RECORDED, "status")
    book.page.locator(f"{RECORDED} .distill-play").first.click()
    played.until("playing")
    book.picture("codes-recorder", ".distill-card")


def test_ten_minutes_are_compared_open_with_little_and_scroll(page_of: Callable[..., Any]) -> None:
    book = page_of(LONG, fresh=True)
    compare_with_the_original(book)
    book.save()
    frames: list[int] = []
    book.page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda payload: frames.append(len(payload))),
    )
    book.goto(book.page)  # all that a page needs, counted from its first byte
    book.wait_for(CODES, "drawn", 100)
    book.wait_for(CODES, "chunks", 1)
    assert sum(frames) <= 200_000
    assert int(book.read(CODES, "chunks")) <= 2
    book.page.evaluate("() => { document.querySelector('.distill-grid-scroll').scrollLeft = 1e9; }")
    book.wait_for(CODES, "last", 28_124)
    book.page.wait_for_function(
        f"() => Number(document.querySelector('{CODES}').dataset.drawn) > 100"
    )
    assert sum(frames) <= 250_000
    book.picture("codes-long", CODES)
    click(book, 1, 28_120)
    book.wait_for(CODES, "heard", "cell/1/28120")
    played, heads = book.record(CODES, "status"), book.record(CODES, "playhead")
    book.page.locator(CODES).focus()
    book.page.keyboard.press(" ")
    played.until("playing")  # a tenth of a second to the end
    assert float(heads.all()[0][0]) >= 28_120


def compare_with_the_original(book: Any) -> None:
    """At the same place, while it plays: for that it has to be long."""
    played = book.record(CODES, "status", "source")
    book.page.locator(CODES).focus()
    book.page.keyboard.press(" ")
    played.until("playing", "first-3")
    book.page.keyboard.press("x")
    played.until("playing", "original")
    before = len(played.all())
    book.page.keyboard.press("x")
    book.wait_for(CODES, "source", "first-3")
    book.wait_for(CODES, "status", "playing")
    assert "ready" not in [status for status, _ in played.all()[before:]], "without a pause"
