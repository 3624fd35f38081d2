"""From a folder to a dashboard by clicking, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distill import RunFolder, TrainingRunner, make_demo_corpus

PANEL, HEAD = ".distill-panel", ".distill-head"

SHOW = """
import distill_widgets
panel = distill_widgets.TrainPanel({folder!r}, {runs!r})
panel
"""
BLOCK = "import time\nprint('blocked')\ntime.sleep(600)"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    make_demo_corpus(folder / "takes")
    for path in (folder / "takes").glob("[!d]*.wav"):
        path.unlink()
    (folder / "<b>notes").mkdir()
    (folder / "takes" / "plan.txt").write_text("not a sound")
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """Where the panel keeps its runs; whatever trains there is stopped at the end."""
    folder = tmp_path / "runs"
    yield folder
    for path in folder.glob("*"):
        if RunFolder(path).is_run and TrainingRunner.attach(path).is_running:
            runner = TrainingRunner.attach(path)
            runner.stop(now=True)
            runner.wait(180, progress=False)
            runner.close()


def _fill(notebook, label: str, text: str) -> None:
    field = notebook.page.locator(f"{PANEL} input").and_(notebook.page.get_by_label(label))
    field.fill(text)
    field.press("Enter")


def _press(notebook, label: str, times: int = 1) -> None:
    button = notebook.page.locator(f"{PANEL} button", has_text=label).first
    button.click(click_count=times)


def _reads(notebook, text: str) -> None:
    notebook.page.locator(PANEL).get_by_text(text).first.wait_for()


def test_a_folder_is_chosen_and_trained_on(notebook, music, runs):
    n = notebook(SHOW.format(folder=str(music), runs=str(runs)))
    n.run_all()
    _reads(n, "10 sounds")
    _reads(n, "mono (10)")
    n.picture("panel-folders", PANEL)
    n.page.locator(f"{PANEL} select[size]").select_option(index=1)
    _reads(n, "plan.txt: a .txt file, not sound")
    _reads(n, f"The run goes into {runs / 'takes'}.")
    n.picture("panel", PANEL)
    _fill(n, "Budget", "2")
    _press(n, "Start training", times=2)
    n.wait_for(HEAD, "state", "running")
    n.wait_for(HEAD, "step", 3)
    assert n.page.locator(HEAD).count() == 1
    assert [path.name for path in runs.iterdir()] == ["takes"]
    n.picture("panel-started", PANEL)
    n.save()
    n.goto(n.page)
    n.wait_for(HEAD, "state", "running")
    _press(n, "Stop and keep")
    n.wait_for(HEAD, "state", "stopped")
    _press(n, "New training")
    _reads(n, f"The run goes into {runs / 'takes-2'}.")
    n.picture("panel-again", PANEL)
    _fill(n, "Name", "takes")
    _reads(n, f"takes: a run of that name is in {runs} already; takes-2 is free.")
    n.picture("panel-taken", PANEL)
    _press(n, "Use takes-2")
    _reads(n, f"The run goes into {runs / 'takes-2'}.")
    _press(n, "Attach")
    n.wait_for(HEAD, "state", "stopped")


def test_what_is_wrong_is_said_beside_it(notebook, music, runs):
    (music / "run.json").write_text("{}")
    n = notebook(SHOW.format(folder=str(music / "nowhere"), runs=str(runs)))
    n.run_all()
    _reads(n, "no such folder")
    _press(n, "Start training")
    _reads(n, "Choose a folder of recordings first.")
    _fill(n, "Folder", str(music))
    _reads(n, "a distill run, not recordings; choose the folder of its sounds.")
    _fill(n, "Folder", str(music / "<b>notes"))
    _reads(n, "no files there; expected recordings")
    _fill(n, "Name", "a/b")
    _reads(n, "cannot be part of a name")
    n.theme("Dark")
    n.picture("panel-wrong-dark", PANEL)
    _fill(n, "Folder", str(music / "takes"))
    _fill(n, "Name", "takes")
    _reads(n, "mono (10)")
    n.picture("panel-dark", PANEL)
    _fill(n, "Folder", str(music.parent))
    _reads(n, "music   a run")
    n.picture("panel-folders-dark", PANEL)


def test_it_works_while_a_cell_blocks_the_kernel(notebook, music, runs):
    cell = SHOW.format(folder=str(music), runs=str(runs))
    n = notebook(cell, BLOCK, front="notebook", fresh=True)
    n.run_all()
    n.page.get_by_text("blocked", exact=True).last.wait_for()
    _fill(n, "Folder", str(music / "takes"))
    _press(n, "Start training")  # while the sounds are being read
    n.wait_for(HEAD, "state", "running")
    n.wait_for(HEAD, "step", 3)
    _press(n, "New training")
    _reads(n, "running")
    _press(n, "Attach")
    n.wait_for(HEAD, "step", 4)
