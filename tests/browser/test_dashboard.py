"""The dashboard in JupyterLab and Notebook 7, over everything that happens to a page."""

from __future__ import annotations

import base64
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary

from distill import (
    AudioCorpus,
    RunFolder,
    TrainingRunner,
    VQVAEConfig,
    make_demo_corpus,
    train_vqvae,
)

from . import accessible

TINY = {
    "stride": 2, "levels": 3, "width": 16, "latent_dim": 8, "codebook_size": 16, "batch_size": 4,
    "segment_frames": 24,
}  # fmt: skip
HEAD, LOSS, LEVELS = ".distill-head", "[data-name=Loss]", "[data-name=Codebooks]"
PLAYER = ".distill-player"

START = """
import sys
sys.path[:0] = {path!r}
import distill, distill_widgets
config = distill.VQVAEConfig(
    stride=2, levels=3, width=16, latent_dim=8, codebook_size=16, batch_size=4, segment_frames=24,
    min_steps_per_epoch={epoch}, preview_count=2, preview_seconds=0.5, preview_every_epochs=2,
    max_steps={steps},
)
runner = distill.TrainingRunner()
runner.start_vqvae(config, {sounds!r}, {run!r}, "cpu", model_name="drums", overwrite=True)
"""
HIDE = """() => {
    const set = (name, get) => Object.defineProperty(document, name, {get, configurable: true});
    set('hidden', () => globalThis.hiddenNow);
    set('visibilityState', () => globalThis.hiddenNow ? 'hidden' : 'visible');
    globalThis.hiddenNow = true;
    document.dispatchEvent(new Event('visibilitychange'));
}"""
SHOW_AGAIN = """() => {
    globalThis.hiddenNow = false;
    document.dispatchEvent(new Event('visibilitychange'));
}"""
AUDIO = "() => [...document.querySelectorAll('.distill-sound:first-child audio')].map(a => a.{0})"
SHOW = "dashboard = distill_widgets.TrainingDashboard(runner)\ndashboard"


@pytest.fixture(scope="session")
def drums(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("drums")
    make_demo_corpus(folder)
    return [str(path) for path in sorted(folder.glob("drum-*.wav"))]


@pytest.fixture
def start(drums: list[str], tmp_path: Path) -> Callable[..., str]:
    def cell(*, steps: int = 100_000, epoch: int = 40) -> str:
        return START.format(
            path=[], sounds=drums, run=str(tmp_path / "run"), steps=steps, epoch=epoch
        )

    return cell


@pytest.fixture
def run(tmp_path: Path):
    """The run folder of the test; whatever trains there is stopped at the end."""
    folder = RunFolder(tmp_path / "run")
    yield folder
    if folder.is_run and folder.read_state() in ("starting", "running", "paused", "stopping"):
        runner = TrainingRunner.attach(folder.path)
        runner.stop(now=True)
        runner.wait(180, progress=False)
        runner.close()


def press(notebook, does: str) -> None:
    notebook.page.locator(f"{HEAD} button[data-does={does}]").first.click()


def test_a_run_is_watched_to_its_end(notebook, start, run):
    n = notebook(start(steps=240), SHOW, front="notebook")
    n.run_all()
    n.wait_for(LOSS, "points", 50)
    n.wait_for(HEAD, "epoch", 2)
    n.wait_for(LEVELS, "drawn", 12)
    n.picture("notebook-running")
    n.wait_for(HEAD, "state", "finished")
    n.wait_for(LOSS, "points", 3 * (240 + 6))
    n.wait_for(LEVELS, "drawn", 12 * 6)
    assert n.read(HEAD, "step") == "240"
    assert n.read(HEAD, "epoch") == "6"
    assert n.read(LOSS, "gaps") == "0"
    assert n.page.locator(".distill-health tbody tr:not(.distill-quiet)").count() == 3
    assert "Structure" in n.page.locator(".distill-health").inner_text()
    n.page.wait_for_function(
        "() => document.querySelector('.distill-log').innerText.includes('model in model.distill')"
    )
    n.picture("notebook-finished")
    accessible.check(n.page, "dashboard")


def test_every_button_works_then_sounds_are_compared_and_both_themes_fit(notebook, start, run):
    n = notebook(start(), SHOW)
    n.run_all()
    n.wait_for(LOSS, "points", 30)
    press(n, "pause")
    n.wait_for(HEAD, "state", "paused")
    n.picture("paused")
    status, beat = run.read_status(), run.read_status().heartbeat
    n.until(lambda: run.read_status().heartbeat > beat)  # it lives, and
    assert run.read_status().step == status.step
    press(n, "resume")
    n.wait_for(HEAD, "state", "running")
    stages = int(n.read(PLAYER, "stages") or 0)
    press(n, "preview")
    n.wait_for(PLAYER, "stages", stages + 1)
    mark_by_ear(n, run)
    saved = len(_checkpoints(run))
    press(n, "save")
    n.page.wait_for_function(
        f"() => document.querySelector('{HEAD} button[data-does=save]').textContent === 'Save now'"
    )
    n.until(lambda: len(_checkpoints(run)) > saved)
    press(n, "stop")
    n.wait_for(HEAD, "state", "stopped")
    assert run.model_path.is_file()
    assert n.page.locator(f"{HEAD} button[data-does=stop]").is_disabled()
    assert n.page.locator(f"{HEAD} button[data-does=resume]").is_enabled()
    n.picture("stopped")
    compare_sounds(n)
    look_in_both_themes(n)


def mark_by_ear(n, run: RunFolder) -> None:
    """The worst stands first by the last stage; a click marks it, a key another, again unmarks."""

    def newest():
        events = reversed(run.read_events()[0])
        return next(event for event in events if type(event).__name__ == "PreviewEvent").pairs

    def worst_first() -> list[str]:
        return [pair.name for pair in sorted(newest(), key=lambda pair: -pair.mel)]

    def marked() -> dict[str, str]:
        return {name: mark.mark for name, mark in run.marks.items()}

    shown = n.page.locator(f"{PLAYER} .distill-sound-name")
    n.until(lambda: shown.all_inner_texts() == worst_first())
    n.page.get_by_label("order of the sounds").select_option("as in the folder")
    one, two = (pair.name for pair in newest())
    assert shown.all_inner_texts() == [one, two]
    n.page.get_by_role("button", name=f"bad by ear: {one}", exact=True).click()
    n.until(lambda: marked() == {one: "bad"})
    n.page.locator(f"{PLAYER} .distill-sound", has_text=two).focus()
    n.page.keyboard.press("g")
    n.until(lambda: marked() == {one: "bad", two: "good"})
    n.page.locator(f"{PLAYER} [data-mark=good]").wait_for()
    n.page.keyboard.press("g")
    n.until(lambda: marked() == {one: "bad"})


def points_of(run: RunFolder) -> int:
    """Points of the chart of losses, once it has all of a run that has ended."""
    events, _ = run.read_events()
    kinds = [type(event).__name__ for event in events]
    first = kinds.index("VQEpochMetrics") if "VQEpochMetrics" in kinds else len(kinds)
    curves = kinds.count("VQStepMetrics") + kinds.count("VQEpochMetrics")
    return 3 * curves + kinds[first:].count("CheckpointEvent")


def _checkpoints(run: RunFolder) -> list[object]:
    return [e for e in run.read_events()[0] if type(e).__name__ == "CheckpointEvent"]


def test_buttons_work_while_a_cell_blocks_the_kernel(notebook, start, run):
    n = notebook(start(), SHOW, "import time\ntime.sleep(600)", fresh=True)
    n.run_all()
    n.wait_for(LOSS, "points", 20)
    n.page.locator(".jp-InputPrompt", has_text="[*]").first.wait_for()  # the cell runs
    press(n, "stop")
    assert n.page.locator(f"{HEAD} button[data-does=stop]").inner_text() == "stopping…"
    n.wait_for(HEAD, "state", "stopped")
    n.page.locator(".distill-play").first.click()
    n.wait_for(".distill-sound", "duration")
    n.server.api(f"kernels/{n.kernel_id()}/interrupt", "POST")


def test_a_reload_a_second_view_a_second_tab_and_a_hidden_page(notebook, start, run):
    n = notebook(
        start(), SHOW, "dashboard", "other = distill_widgets.TrainingDashboard(runner)\nother"
    )
    n.run_all()
    n.wait_for(LOSS, "points", 50)
    n.page.wait_for_function(f"() => document.querySelectorAll('{LOSS}').length === 3")
    before = int(n.read(LOSS, "points"))
    n.save()
    n.goto(n.page)
    points = int(n.wait_for(LOSS, "points", before))
    assert n.wait_for(LOSS, "plotly") in ("cache", "kernel")
    n.wait_for(LOSS, "points", points + 20)
    first = n.page
    second = n.open()
    second.wait_for_function(
        f"() => Number(document.querySelector('{LOSS}')?.dataset?.points) > 50",
    )
    second.wait_for_function(f"() => document.querySelector('{LOSS}').dataset.drawn")
    # Headless Chromium never hides a page by itself; the page is told that it is hidden.
    second.evaluate(HIDE)
    points = int(n.read(LOSS, "points"))
    n.wait_for(LOSS, "points", points + 30)
    press(n, "stop")
    n.wait_for(HEAD, "state", "stopped")
    whole = str(points_of(run))
    first.wait_for_function(
        f"""(whole) => [...document.querySelectorAll('{LOSS}')]
            .every((e) => e.dataset.points === whole)""",
        arg=whole,
    )
    drawn = second.evaluate(f"() => document.querySelector('{LOSS}').dataset.drawn")
    assert int(drawn) < int(whole), "what nobody sees is not drawn"
    second.evaluate(SHOW_AGAIN)
    second.wait_for_function(
        f"() => document.querySelector('{LOSS}').dataset.drawn === '{whole}'",
    )
    n.goto(first)  # once more, after the end
    n.wait_for(LOSS, "points", int(whole))
    assert n.read(LOSS, "points") == whole
    n.wait_for(LOSS, "drawn", whole)
    n.wait_for(HEAD, "state", "stopped")


def test_a_killed_trainer_is_resumed_and_a_new_kernel_attaches_to_the_run(notebook, start, run):
    n = notebook(start(), SHOW)
    n.run_all()
    n.wait_for(LOSS, "points", 3 * 50)
    os.kill(run.read_status().pid, signal.SIGKILL)
    n.wait_for(HEAD, "state", "gone")
    died = "its trainer died without a word (killed by signal 9)"
    trouble = n.page.locator(".distill-trouble", has_text=died)
    trouble.wait_for()
    assert "resume() goes on from the last checkpoint" in trouble.inner_text()
    n.picture("gone")
    press(n, "resume")
    n.wait_for(HEAD, "state", "running")
    n.wait_for(LOSS, "points", 3 * 60)
    assert n.page.locator(".distill-trouble").is_hidden()
    n.page.locator(".distill-log", has_text="taken up again").wait_for()
    n.server.api(f"kernels/{n.kernel_id()}/restart", "POST")
    told = run.events_bytes
    n.until(lambda: run.events_bytes > told)  # the training goes on without its kernel
    assert run.read_state() == "running"
    again = notebook(
        f"import distill_widgets\nd = distill_widgets.TrainingDashboard({str(run.path)!r})\nd"
    )
    again.run_all()
    points = int(again.wait_for(LOSS, "points", 30))
    again.wait_for(LOSS, "points", points + 10)
    press(again, "stop")
    again.wait_for(HEAD, "state", "stopped")


def test_a_failed_run_says_why(notebook, start, run, tmp_path):
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "noise.wav").write_bytes(b"no sound")
    n = notebook(
        f"""
        import distill, distill_widgets
        runner = distill.TrainingRunner()
        runner.start_vqvae(
            distill.VQVAEConfig(max_steps=5), {str(tmp_path / "sounds")!r}, {str(run.path)!r}, "cpu"
        )
        """,
        SHOW,
    )
    n.run_all()
    n.wait_for(HEAD, "state", "failed")
    n.page.locator(".distill-trouble", has_text="none of 1 files is usable").wait_for()
    n.picture("failed")


def compare_sounds(n) -> None:
    """They are fetched when they are played, and both sides are heard at one position."""
    n.wait_for(PLAYER, "rows", 2)
    n.wait_for(PLAYER, "stages", 2)  # a state arrives sooner than the last preview
    row = n.page.locator(".distill-sound").first
    assert row.get_attribute("data-duration") is None
    n.page.locator(".distill-player .distill-toggle", has_text="loop").click()  # it is that short
    row.locator(".distill-play").click()
    n.wait_for(".distill-sound", "status", "playing")
    assert float(n.read(".distill-sound", "duration")) > 0.2
    n.wait_for(".distill-sound", "mels", 2)
    row.locator(".distill-toggle", has_text="reconstruction").click()
    muted = AUDIO.format("muted")
    assert n.page.evaluate(muted) == [True, False]
    a, b = n.page.evaluate(AUDIO.format("currentTime"))
    apart = abs(a - b)  # round the loop: one may have begun anew; a busy machine is a moment late
    assert min(apart, float(n.read(".distill-sound", "duration")) - apart) < 0.2
    row.focus()
    n.page.keyboard.press("x")
    assert n.page.evaluate(muted) == [False, True]
    n.page.keyboard.press(" ")
    n.wait_for(".distill-sound", "status", "paused")
    assert n.page.locator(".jp-Notebook .jp-Cell").count() == 2  # the keys were not the notebook's
    slider = n.page.locator(".distill-player input[type=range]")
    newest = n.read(PLAYER, "stage")
    slider.evaluate("e => { e.value = 0; e.dispatchEvent(new Event('input')); }")
    assert n.read(PLAYER, "stage") != newest
    row.locator(".distill-play").click()
    n.wait_for(".distill-sound", "status", "playing")
    n.picture("playing")


def look_in_both_themes(n) -> None:
    n.wait_for(LEVELS, "drawn", 12)
    n.theme("Light")  # whatever an earlier page has left
    ink = "() => getComputedStyle(document.querySelector('.distill-name')).color"
    tick = f"() => getComputedStyle(document.querySelector('{LOSS} .xtick text')).fill"
    before = n.page.evaluate(ink), n.page.evaluate(tick)
    n.theme("Dark")
    after = n.page.evaluate(ink), n.page.evaluate(tick)
    n.picture("dark")
    n.theme("Light")
    assert before[0] != after[0]
    assert before[1] != after[1]


def drag(notebook, event: str, file: Path | None) -> None:
    """What a browser says when somebody drags a file, or something else, over the dashboard."""
    data = base64.b64encode(file.read_bytes()).decode() if file else ""
    transfer = notebook.page.evaluate_handle(
        """([name, data]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            if (name) transfer.items.add(new File([bytes], name));
            else transfer.setData('text/plain', 'kick.wav');
            return transfer;
        }""",
        [file.name if file else "", data],
    )
    drop = notebook.page.locator(".distill-trial .distill-drop")
    drop.dispatch_event(event, {"dataTransfer": transfer})


def test_a_file_of_ones_own_is_heard_through_the_weights_of_this_moment(
    notebook, start, run, drums, tmp_path
):
    trial = ".distill-trial"
    bad_news = f"{trial} .distill-bad-news"
    mine, note = tmp_path / "<b>mine.wav", tmp_path / "note.wav"
    shutil.copy(drums[0], mine)
    note.write_text("no sound")
    n = notebook(start(), SHOW)
    n.run_all()
    n.wait_for(LOSS, "points", 30)
    assert n.page.locator(trial).count() == 0
    n.page.locator(".distill-fold").click()
    drag(n, "drop", None)
    n.page.locator(bad_news, has_text="That was no file").wait_for()
    n.page.locator(f"{trial} input[type=file]").set_input_files(note)
    n.page.locator(bad_news, has_text="note.wav: ").wait_for()
    drag(n, "dragover", mine)
    n.wait_for(f"{trial} .distill-drop", "over", "true")
    drag(n, "drop", mine)
    n.wait_for(trial, "heardMs")
    assert n.read(f"{trial} .distill-drop", "over") == "false"
    assert n.page.locator(f"{trial} .distill-sound-name").inner_text() == "<b>mine.wav"
    said = n.page.locator(f"{trial} .distill-sound-note", has_text="mel ")
    said.wait_for()  # it is measured once it is heard
    assert "floor" in said.inner_text() and "kept" not in said.inner_text()
    drag(n, "drop", note)
    n.page.locator(bad_news, has_text="note.wav: ").wait_for()
    assert n.read(trial, "stage").endswith("/made")
    assert n.read(f"{trial} .distill-sound", "side") == "reconstruction"
    n.picture("try-a-sound")
    press(n, "pause")
    n.wait_for(HEAD, "state", "paused")
    n.page.locator(f"{trial} input[type=search]").fill(Path(drums[1]).stem)
    n.wait_for(trial, "found", "1")
    n.page.locator(f"{trial} select").select_option(index=0)
    n.page.locator(f"{trial} button", has_text="Try it").click()
    n.page.locator(f"{trial} .distill-sound-name", has_text=Path(drums[1]).name).wait_for()
    n.wait_for(trial, "busy", "false")


def test_close_leaves_nothing(notebook, start, run):
    n = notebook(
        start(steps=20, epoch=10),
        SHOW,
        """
        import threading, ipywidgets
        runner.wait(progress=False)
        dashboard.close()
        runner.close()
        left = [t.name for t in threading.enumerate() if t.name.startswith("distill")]
        comms = get_ipython().kernel.comm_manager.comms
        print("left", left, [type(c).__name__ for c in comms.values()])
        """,
        fresh=True,
    )
    n.run_all()
    n.page.wait_for_function("() => document.body.innerText.includes('left [')")
    assert "left [] []" in n.output()
    assert n.page.locator(LOSS).count() == 0


def test_a_reopened_notebook_shows_what_was(notebook, server, drums, run):
    """Saved with its widgets' state, as nbconvert does; opened by a kernel that knows nothing."""
    config = VQVAEConfig(**TINY, max_steps=20, min_steps_per_epoch=10)
    train_vqvae(config, AudioCorpus.scan(drums, progress=False), run.path, "cpu")
    cells = [
        f"import distill_widgets\nd = distill_widgets.TrainingDashboard({str(run.path)!r})\nd",
        f"distill_widgets.report({str(run.path)!r})",
    ]
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(document, timeout=120, kernel_name="python3").execute()
    NotebookNotary(data_dir=str(server.folder.parent / "data")).sign(document)  # it is one's own
    nbformat.write(document, server.folder / "reopened.ipynb")
    n = notebook(name="reopened.ipynb", fresh=True)
    n.wait_for(LOSS, "status", "snapshot")
    assert n.page.locator(f"{LOSS} img.distill-snapshot").count() == 1
    assert n.page.get_by_text("waiting for the first").first.is_hidden()
    assert n.read(HEAD, "state") == "finished"
    assert n.page.locator(".distill-health tbody tr").count() >= 3
    n.picture("reopened", ".jp-Notebook")
