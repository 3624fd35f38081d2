"""Models on disk in a real page: found, renamed, put away, brought back, loaded, copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from distill import read_model_info
from distill.training import TrainingResult

from . import accessible

LIST, HEAD = ".distill-library", ".distill-card-head"


def opened(server: Any, notebook: Callable[..., Any], trained: TrainingResult) -> Any:
    folder = server.folder / "models"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(trained.model_path.parent, folder / "run")
    shutil.copy(trained.model_path, folder / "wind.distill")
    (folder / "bad.distill").write_bytes(b"no model")
    book = notebook(
        'from distill_widgets import ModelLibraryView\nview = ModelLibraryView("models")\nview'
    )
    book.run_all()
    book.wait_for(LIST, "models", 2)
    return book


def looked_again(book: Any) -> None:
    """Has the list drawn anew, without taking the keyboard from whoever types."""
    book.page.get_by_role("button", name="look again").dispatch_event("click")
    expect(book.page.locator(f"{LIST} .distill-said")).to_have_text("")


def test_a_library_is_kept_in_order(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult
) -> None:
    book = opened(server, notebook, trained)
    assert book.read(LIST, "refused") == "1"
    row = 'tr[data-path$="wind.distill"] [data-action="{}"]'
    book.page.locator(row.format("rename")).click()
    book.page.keyboard.type("Wind & weather")
    book.page.keyboard.press("Enter")
    book.page.get_by_text("now called Wind & weather").wait_for()
    assert read_model_info(server.folder / "models/wind.distill").name == "Wind & weather"
    book.page.locator(row.format("tag")).click()
    book.page.keyboard.type("bre")
    looked_again(book)  # as after a change in another view; the field must stay
    book.page.keyboard.type("ath")
    book.page.keyboard.press("Enter")
    book.page.locator(row.format("untag")).wait_for()
    book.page.locator(row.format("delete")).click()
    book.wait_for(LIST, "models", "1")
    assert not (server.folder / "models/wind.distill").exists()
    book.page.locator('[data-action="undo"]').click()
    book.wait_for(LIST, "models", "2")
    book.page.locator(f"{LIST} input[type=search]").fill("weather")
    book.wait_for(LIST, "names", "Wind & weather")
    accessible.check(book.page, "library")


def test_a_card_loads_and_saves_and_shows_errors(
    server: Any, notebook: Callable[..., Any], trained: TrainingResult
) -> None:
    book = opened(server, notebook, trained)
    book.page.locator('tr[data-path$="run/model.distill"] [data-action="open"]').click()
    book.wait_for(HEAD, "loaded", "false")
    book.wait_for(".distill-chart", "status", "live")
    book.picture("library", ".distill-card")
    book.page.locator('[data-action="load"]').click()
    book.wait_for(HEAD, "loaded", "true")
    book.page.locator('[data-action="save"]').click()
    field = book.page.locator(".distill-save-as input")
    field.fill("models/bad")
    field.press("Enter")
    book.page.wait_for_function(f"() => document.querySelector('{HEAD}').dataset.error")
    assert "exists already" in book.read(HEAD, "error")
    field.fill("models/copy")
    field.press("Enter")
    book.wait_for(HEAD, "saved")
    assert (server.folder / "models/copy.distill").exists()
    book.page.locator('tr[data-path$="bad.distill"] [data-action="delete"]').click()
    book.wait_for(LIST, "refused", "0")
