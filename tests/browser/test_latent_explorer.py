"""Sliders over the latents of a VAE in a real page: let go of, heard, undone, surprised, saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from distill.audio.io import is_reconstruction
from distill.training import TrainingResult

SOUND, PLAYER = ".distill-sound", ".distill-player"
OPEN = """\
from distill import load_model, principal_directions
from distill_widgets import LatentExplorer
model = load_model("latent-model.distill")
LatentExplorer(model, "sound.wav", directions=principal_directions(model, 2))
"""
LET_GO_PX = 60


def test_latents_are_moved_undone_surprised_and_saved(
    server: Any, notebook: Callable[..., Any], trained_vae: TrainingResult, corpus: Any
) -> None:
    shutil.copy(trained_vae.model_path, server.folder / "latent-model.distill")
    shutil.copy(corpus.files[0].path, server.folder / "sound.wav")
    for left in server.folder.glob("sound-*.wav"):
        left.unlink()
    book = notebook(OPEN)
    book.run_all()
    book.wait_for(PLAYER, "rows", 1)
    hear_a_slider_once_it_is_let_go_of(book)
    come_again_by_a_seed(book)
    save_as_a_new_file_and_never_over_one(server, book)


def drag(book: Any) -> None:
    """Takes hold of the first slider and pulls it to the right; does not let go."""
    handle = book.page.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    book.page.mouse.move(x, y)
    book.page.mouse.down()
    book.page.mouse.move(x + LET_GO_PX, y, steps=6)


def press(book: Any, name: str) -> None:
    book.page.get_by_role("button", name=name, exact=True).click()


def other_than(book: Any, stage: str) -> str:
    """Waits until the player has another sound; which one it is."""
    book.until(lambda: book.read(PLAYER, "stage") != stage)
    return str(book.read(PLAYER, "stage"))


def field(book: Any, number: int) -> Any:
    return book.page.locator(".distill-card .widget-text input").nth(number)


def hear_a_slider_once_it_is_let_go_of(book: Any) -> None:
    first, played = book.read(PLAYER, "stage"), book.record(SOUND, "status", "side")
    drag(book)
    assert book.read(PLAYER, "stage") == first and not book.read(SOUND, "status")
    book.page.mouse.up()
    moved = other_than(book, first)
    played.until("playing", "moved")
    book.picture("latent-explorer", ".distill-card")
    press(book, "Undo")
    assert other_than(book, moved) == first
    assert book.page.get_by_role("button", name="Undo", exact=True).is_disabled()


def come_again_by_a_seed(book: Any) -> None:
    first = book.read(PLAYER, "stage")
    press(book, "Surprise me")
    surprise = other_than(book, first)
    seed = field(book, 0).input_value()
    assert seed.isdecimal() and seed != "0"
    press(book, "Undo")
    assert other_than(book, surprise) == first
    field(book, 0).fill(seed)
    field(book, 0).press("Enter")
    assert other_than(book, first) == surprise


def save_as_a_new_file_and_never_over_one(server: Any, book: Any) -> None:
    press(book, "Save")
    says = book.page.locator(".distill-says")
    says.get_by_text("Saved sound-1.wav.").wait_for()
    saved = server.folder / "sound-1.wav"
    assert is_reconstruction(saved)
    data = saved.read_bytes()
    field(book, 1).fill("sound-1.wav")
    field(book, 1).press("Enter")
    press(book, "Save")
    says.get_by_text("exists already").wait_for()
    assert saved.read_bytes() == data
