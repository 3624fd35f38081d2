"""The notebooks in the classic Notebook, with the versions that Colab has: `python -m tests.colab`.

A kernel of ipykernel 6 takes no message while a cell runs, but for cells that wait for a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from distill import TrainingRunner, make_demo_corpus

from .classic import ClassicNotebook, is_here, serve_classic
from .harness import ROOT, Server

if not is_here():
    pytest.skip(
        "no Notebook 6 here: python -m tests.colab makes an environment with it",
        allow_module_level=True,
    )

pytestmark = pytest.mark.timeout(600)
HEAD, LOSS, LEVELS = ".distill-head", "[data-name=Loss]", "[data-name=Codebooks]"
PLAYER, PANEL, CODES = ".distill-player", ".distill-panel", ".distill-codes"
BUTTON = HEAD + " button[data-does={}]"
START = """
import distill, distill_widgets
config = distill.VQVAEConfig(
    stride=2, levels=3, width=16, latent_dim=8, codebook_size=16, batch_size=4, segment_frames=24,
    min_steps_per_epoch=40, preview_count=2, preview_seconds=0.5, max_steps=1_000_000,
)
runner = distill.TrainingRunner()
runner.start_vqvae(config, "drums", "runs/drums", "cpu", overwrite=True)
"""
SHOW = "dashboard = distill_widgets.TrainingDashboard(runner)\ndashboard"
PANELS = 'import distill_widgets\ndistill_widgets.TrainPanel("drums", "runs")'
SECONDS = "max_seconds=10", "max_seconds=2"  # of training: here nobody listens for quality
EXPLORER, CARD, LIBRARY = ".distill-explorer", ".distill-card-head", ".distill-library"
MOVED = ".distill-card .distill-player"
HEARD = "(selector) => document.querySelector(selector).dataset.heard"
Open = Callable[..., ClassicNotebook]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_classic(tmp_path_factory.mktemp("classic")) as running:
        make_demo_corpus(running.folder / "drums")
        for path in (running.folder / "drums").glob("[!d]*.wav"):
            path.unlink()
        yield running


@pytest.fixture
def classic(server: Server, browser: Browser) -> Iterator[Open]:
    """Opens notebooks; closes them at the end, and stops what trains."""
    opened: list[ClassicNotebook] = []

    def open_notebook(name: str, *cells: str) -> ClassicNotebook:
        opened.append(ClassicNotebook(server, browser, name, list(cells), "classic"))
        return opened[-1]

    yield open_notebook
    for one in opened:
        one.close()
    for path in (server.folder / "runs").glob("*"):
        stop(path)


def stop(path: Path) -> None:
    runner = TrainingRunner.attach(path)
    if runner.is_running:
        runner.stop(now=True)
        runner.wait(60, progress=False)
    runner.close()


def shipped(server: Server, name: str, **settings: tuple[str, str]) -> str:
    """One of our notebooks, beside the server's files; its settings replaced."""
    text = (ROOT / "notebooks" / name).read_text()
    for before, after in settings.values():
        assert before in text
        text = text.replace(before, after)
    (server.folder / name).write_text(text)
    return name


def press(n: ClassicNotebook, button: str) -> None:
    n.page.locator(BUTTON.format(button)).first.click()


def test_a_run_is_watched_steered_and_heard_while_a_cell_waits(
    classic: Open, server: Server
) -> None:
    waits = "result = runner.wait()"
    n = classic(shipped(server, "01_train.ipynb", long=("MINUTES = 0.5", "MINUTES = 30")))
    n.run_all()
    n.wait_for(HEAD, "state", "running")
    drawn = int(n.wait_for(LOSS, "drawn", 10))
    n.wait_for(LOSS, "drawn", drawn + 10)
    n.wait_for(HEAD, "step", int(n.read(HEAD, "step")) + 10)
    press(n, "pause")
    n.wait_for(HEAD, "state", "paused")
    press(n, "resume")
    n.wait_for(HEAD, "state", "running")
    press(n, "preview")
    n.wait_for(PLAYER, "stages", 1)
    n.page.locator(f"{PLAYER} .distill-play").first.click()
    n.wait_for(".distill-sound", "status", "playing")
    n.picture("classic-running")
    assert n.runs(waits)
    press(n, "stop")
    n.wait_for(HEAD, "state", "stopped")
    n.wait_until_all_ran()
    assert n.page.locator(".distill-health tbody tr").count() >= 3
    last = n.page.locator(PLAYER).last
    last.locator(".distill-play").first.click()
    last.locator(".distill-sound[data-status=playing]").wait_for()
    n.picture("classic-notebook", "#notebook-container")


def test_a_page_is_whole_after_a_reload_while_a_cell_waits(classic: Open) -> None:
    n = classic("reload.ipynb", START, SHOW, "runner.watch()")
    n.run_all()
    n.wait_for(LOSS, "drawn", 10)
    n.wait_for(LEVELS, "drawn", 12)
    n.save()
    n.goto(n.page)
    drawn = int(n.wait_for(LOSS, "drawn", 10))
    n.wait_for(LOSS, "drawn", drawn + 10)
    press(n, "stop")
    n.wait_for(HEAD, "state", "stopped")
    n.wait_until_free()
    points = int(n.read(LOSS, "points"))
    n.save()
    n.goto(n.page)  # and where nothing runs any more
    n.wait_for(LOSS, "points", points)
    n.wait_for(HEAD, "state", "stopped")


def test_codes_and_codebooks_are_seen_and_heard(classic: Open, server: Server) -> None:
    n = classic(shipped(server, "02_inspect_codebooks.ipynb", short=SECONDS))
    n.run_all()
    n.wait_until_all_ran()
    n.wait_for(CODES, "drawn", 1)
    n.page.locator(f"{CODES} .distill-grid-canvas").first.click(position={"x": 30, "y": 40})
    n.page.wait_for_function(HEARD, arg=CODES)
    n.page.locator(CODES).first.focus()
    cells = n.page.locator(".cell").count()
    n.page.keyboard.press("x")  # to the notebook: cut this cell
    n.wait_for(CODES, "source", "original")
    assert n.page.locator(".cell").count() == cells
    n.wait_for(EXPLORER, "drawn", "map/0/pca/brightness")
    n.page.locator(EXPLORER).focus()
    n.page.keyboard.press("ArrowRight")
    n.page.wait_for_function(HEARD, arg=EXPLORER)
    n.picture("classic-codes", CODES)
    n.picture("classic-explorer", EXPLORER)


def test_a_slider_is_heard_when_it_is_let_go_of(classic: Open, server: Server) -> None:
    short = "SECONDS = 6", "SECONDS = 2"
    n = classic(shipped(server, "04_continuous.ipynb", short=short))
    n.run_all()
    n.wait_until_all_ran()
    first = n.wait_for(MOVED, "stage")
    played = n.record(f"{MOVED} .distill-sound", "status", "side")
    n.page.locator(".ui-slider-handle").first.focus()
    n.page.keyboard.press("ArrowRight")
    n.until(lambda: n.read(MOVED, "stage") != first)
    played.until("playing", "moved")
    n.picture("classic-latents", ".distill-card")


def test_models_are_kept_and_loaded(classic: Open, server: Server) -> None:
    n = classic(shipped(server, "03_save_and_load.ipynb", short=SECONDS))
    n.run_all()
    n.wait_until_all_ran()
    n.wait_for(CARD, "loaded", "false")
    n.page.locator(f'{CARD} [data-action="load"]').click()
    n.wait_for(CARD, "loaded", "true")
    n.wait_for(LIBRARY, "models", 3)
    n.wait_for(LIBRARY, "refused", 1)
    search = n.page.locator(f"{LIBRARY} input[type=search]")
    cells = n.page.locator(".cell").count()
    search.press_sequentially("dx")  # to the notebook: delete, cut
    assert search.input_value() == "dx"
    assert n.page.locator(".cell").count() == cells
    n.picture("classic-library", LIBRARY)


def test_a_folder_is_chosen_and_trained_on(classic: Open) -> None:
    n = classic("panel.ipynb", PANELS)
    n.run_all()
    panel = n.page.locator(PANEL)
    panel.get_by_text("mono (10)").first.wait_for()
    n.picture("classic-panel", PANEL)
    panel.locator("button", has_text="Start training").click()
    n.wait_for(HEAD, "state", "running")
    n.wait_for(HEAD, "step", 3)
    press(n, "stop")
    n.wait_for(HEAD, "state", "stopped")
    panel.locator("button", has_text="New training").click()
    panel.get_by_text("drums-2").first.wait_for()
