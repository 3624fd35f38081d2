"""From a folder to a dashboard by clicking, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from distill import RunFolder, TrainingRunner, make_demo_corpus
from distill.audio.io import resample

from . import accessible

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
    accessible.check(n.page, "panel")


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


def likeness(part: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """How alike a part is to the best place of a sound that repeats, in [-1, 1]; how loud beside
    it.
    """
    whole = np.concatenate([whole, whole[: len(part)]])
    products = np.correlate(whole, part, "valid")
    energy = np.sqrt(np.convolve(whole**2, np.ones(len(part)), "valid"))
    found = products / (energy * np.linalg.norm(part))
    best = int(found.argmax())
    return float(found[best]), float(np.linalg.norm(part) / energy[best])


def test_what_the_microphone_hears_lies_in_a_new_file(notebook, music, runs, microphone):
    recorder = ".distill-recorder"
    n = notebook(SHOW.format(folder=str(music), runs=str(runs)))
    n.run_all()
    n.page.locator(".distill-fold", has_text="Record").click()
    button = n.page.locator(f"{recorder} button").first
    button.click()
    n.wait_for(recorder, "state", "recording")
    n.page.wait_for_function(
        f"() => Number(document.querySelector('{recorder}').dataset.seconds) > 2"
    )
    button.click()
    n.wait_for(recorder, "state", "recorded")
    n.page.locator(f"{recorder} input[type=range]").first.evaluate(
        "e => { e.value = 0.1; e.dispatchEvent(new Event('input')); }"
    )
    seconds = float(n.read(recorder, "seconds"))
    n.page.get_by_label("name of the recording").fill("my <b> take")
    save = n.page.locator(f"{recorder} button", has_text="Save in the folder")
    save.click()
    n.page.locator(recorder, has_text="cannot be part of a name").wait_for()
    n.page.get_by_label("name of the recording").fill("my take")
    save.click()
    n.wait_for(recorder, "used", "1")
    n.picture("recorder", PANEL)
    heard, rate = soundfile.read(music / "my take.wav")
    assert len(heard) == pytest.approx(seconds * rate, abs=0.01 * rate)
    played, played_rate = soundfile.read(microphone)
    heard = resample(torch.from_numpy(heard).float(), rate, played_rate).numpy()
    window = played_rate // 10  # a busy machine drops some of it: most of it is as it was
    places = range(0, len(heard) - window, window)
    found = [likeness(heard[at : at + window], played) for at in places]
    alike = [loudness for like, loudness in found if like > 0.95]
    assert len(alike) >= 3, found
    assert 0.8 < float(np.median(alike)) < 1.25
    save.click()
    n.page.locator(recorder, has_text="is there already, and stays; my take-2 is free").wait_for()
    n.page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => "
                    "Promise.reject(new DOMException('no', 'NotAllowedError')); }")  # fmt: skip
    button.click()
    n.page.locator(recorder, has_text="was not allowed to use the microphone").wait_for()
