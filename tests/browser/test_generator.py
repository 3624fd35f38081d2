"""Pads of new sounds in a real page: heard, varied, kept, undone, exported, looked inside."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distill import TrainingRunner
from distill.audio.io import is_reconstruction
from distill.training import TrainingResult

PADS, PAD = ".distill-pads", ".distill-pad"
OPEN = """\
import torch
from distill import load_model
from distill_widgets import Generator
from tests.priors import untrained
model = load_model("pads-model.distill")
codes = torch.zeros(20, 3, dtype=torch.int64)
model.use_prior(untrained(model, codes, conditions=("loudness", "brightness")))
pads = Generator(model, count=2, seconds=1.0, seed=5)
pads
"""
GOES_ROUND = """\
(time) => {
  const before = window.heardBefore ?? 0;
  window.heardBefore = Number.parseFloat(document.querySelector(time).textContent);
  return window.heardBefore < before;
}
"""
OPEN_AGAIN = "pads"
LEARN = """\
from distill import TrainingRunner, load_model
from distill_widgets import Generator
from tests.priors import tiny_prior
model = load_model("pads-model.distill")
runner = TrainingRunner()
runner.start_prior(model, {sounds!r}, "pads-run", tiny_prior(model, max_steps=1_000_000), "cpu")
Generator(runner, count=1, seconds=0.5)
"""


def test_a_sound_is_heard_while_it_is_drawn(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult
) -> None:
    shutil.copy(trained.model_path, server.folder / "pads-model.distill")
    book = notebook(OPEN.replace("seconds=1.0", "seconds=4.0"), OPEN_AGAIN)
    book.run_all()
    book.page.locator(PADS).nth(1).wait_for()
    book.wait_for(PADS, "rows", 2)
    row = f'{PAD}[data-number="3"] .distill-sound'
    asked = drawn_loudness(book)
    played = book.record(f"{PADS} .distill-sound", "status", "drawn", "pieces")
    book.page.get_by_role("button", name="New sound", exact=True).first.click()
    played.until("playing", "false", "1")
    book.page.locator(f'{PAD}[data-number="3"] [data-action="keep"]').first.wait_for()
    assert f"{asked} dB" in book.page.locator(f'{PAD}[data-number="3"]').first.inner_text()
    assert book.page.locator(f"{row}[data-pieces]").count() == 1  # in one of two places
    heard = book.page.locator(f"{row}[data-pieces]")
    assert heard.get_attribute("data-status") == "playing"  # on, with the sound whole
    heard.locator(".distill-play").click()
    book.page.locator(f'{row}[data-pieces][data-status="paused"]').wait_for()
    heard.locator(".distill-play").click()
    book.page.locator(f'{row}[data-pieces][data-status="playing"]').wait_for()
    book.page.locator(f'{row}[data-pieces][data-status="paused"]').wait_for()  # at its end
    heard.locator(".distill-play").click()  # and once more, the whole
    book.page.locator(f'{row}[data-pieces][data-duration][data-status="playing"]').wait_for()


def drawn_loudness(book: Any) -> str:
    """A falling line, drawn with the mouse: typed beside it in both places, and any by a press."""
    fields = book.page.get_by_label("Loudness in dB", exact=True)
    board = book.page.locator(".distill-contour canvas").first
    board.scroll_into_view_if_needed()
    box, mouse = board.bounding_box(), book.page.mouse

    def draw() -> str:
        mouse.move(box["x"] + 1, box["y"] + 1)
        mouse.down()
        mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1, steps=8)
        mouse.up()
        text = str(fields.first.input_value())
        book.until(lambda: fields.nth(1).input_value() == text)
        levels = [float(level) for level in text.split(",")]
        assert levels[0] > 5 and levels[-1] < -50 and levels == sorted(levels, reverse=True)
        return text

    draw()
    book.page.get_by_role("button", name="Loudness in dB: any", exact=True).first.click()
    book.until(lambda: fields.nth(1).input_value() == "")
    book.picture("generator-contours", ".distill-card")
    return draw()


def test_sounds_of_a_run_are_drawn_while_it_learns(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult, sounds_dir: Path
) -> None:
    shutil.copy(trained.model_path, server.folder / "pads-model.distill")
    shutil.rmtree(server.folder / "pads-run", ignore_errors=True)
    book = notebook(LEARN.format(sounds=str(sounds_dir)))
    book.run_all()
    book.wait_for(PADS, "rows", 0)
    first = book.page.locator(PAD).first

    def drawn(said: str) -> bool:
        """Presses once more: while the run starts there are no weights yet, which is said."""
        book.page.get_by_role("button", name="New sound", exact=True).click()
        book.page.wait_for_timeout(500)
        return first.count() > 0 and said in first.inner_text()

    with contextlib.closing(TrainingRunner.attach(server.folder / "pads-run")) as runner:
        try:
            book.until(lambda: drawn("weights after step "))
            book.picture("generator-run", ".distill-card")
        finally:
            runner.stop(now=True)
        runner.wait(60, progress=False)
        book.until(lambda: drawn(": the run is stopped"))


def test_new_sounds_are_heard_varied_kept_and_exported(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult
) -> None:
    shutil.copy(trained.model_path, server.folder / "pads-model.distill")
    shutil.rmtree(server.folder / "generated", ignore_errors=True)
    book = notebook(OPEN)
    book.run_all()
    book.wait_for(PADS, "rows", 2)

    def pad(number: int) -> Any:
        return book.page.locator(f'{PAD}[data-number="{number}"]')

    def press(number: int, action: str) -> None:
        pad(number).locator(f'[data-action="{action}"]').click()

    played = book.record(f"{PADS} .distill-sound", "status", "side")
    press(1, "vary")
    book.wait_for(PADS, "rows", 3)
    played.until("playing", "made")
    pad(3).locator('[data-action="keep"]').wait_for()  # it is drawn
    assert "a variation of sound 1 · seed" in pad(3).inner_text()
    assert pad(3).locator(".distill-copied i").count() == 1
    press(3, "keep")
    book.page.locator(f'{PAD}[data-number="3"][data-kept="true"]').wait_for()
    press(2, "discard")
    pad(2).wait_for(state="detached")
    book.picture("generator", ".distill-card")
    book.page.get_by_role("button", name="Undo", exact=True).click()
    pad(2).wait_for()
    pad(2).get_by_label("from, in seconds of sound 2").fill("9")
    press(2, "fill")
    book.page.locator(PADS).get_by_text("expected two moments within the 1.00 s").wait_for()
    pad(2).get_by_label("from, in seconds of sound 2").fill("0.2")
    pad(2).get_by_label("to, in seconds of sound 2").press("Enter")
    pad(4).locator('[data-action="keep"]').wait_for()
    assert "sound 2, new from 0.1" in pad(4).inner_text()
    press(4, "loop")
    looped = pad(5).locator('.distill-sound[data-status="playing"]')
    looped.wait_for()
    book.page.wait_for_function(GOES_ROUND, arg=f'{PAD}[data-number="5"] .distill-time')
    looped.locator(".distill-play").click()
    pad(5).locator('.distill-sound[data-status="paused"]').wait_for()
    press(2, "show")
    book.wait_for(".distill-codes", "drawn", 1)
    book.page.get_by_role("button", name="Export the kept", exact=True).click()
    book.page.locator(".distill-says").get_by_text("1 sound in generated.").wait_for()
    [file] = (server.folder / "generated").iterdir()
    assert is_reconstruction(file)
