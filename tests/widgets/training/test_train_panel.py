"""The panel without a page: what follows from what, every sentence, and real trainings."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch

from distill import (
    ConvVQVAE,
    RunFolder,
    TrainingRunner,
    VQVAEConfig,
    get_adaptive_vqvae_config,
    save_model,
)
from distill.errors import RunFolderError
from distill.training.run.preparation import begin_run
from distill_widgets import TrainPanel
from distill_widgets.page import controls
from distill_widgets.page.controls import Sentence
from distill_widgets.training import corpus_reader, run_names, train_panel
from distill_widgets.training.corpus_reader import Reading
from distill_widgets.training.runs_list import RunsList
from distill_widgets.training.train_settings import TrainSettings

Open = Callable[..., TrainPanel]
TINY = VQVAEConfig(
    width=8, latent_dim=4, levels=2, codebook_size=4, batch_size=2, segment_frames=16,
    min_steps_per_epoch=2, preview_every_epochs=0, max_epochs=1,
)  # fmt: skip


@pytest.fixture
def takes(sounds_dir: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "takes"
    folder.mkdir()
    for path in sounds_dir.glob("drum-0*.wav"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def open_panel(takes: Path, runs: Path) -> Iterator[Open]:
    opened: list[TrainPanel] = []

    def make(folder: Any = takes, *, wait: bool = True) -> TrainPanel:
        panel = TrainPanel(folder, runs)
        opened.append(panel)
        ends = time.monotonic() + 60
        while wait and panel.chooser.folder and panel.chooser.reading is None:
            assert time.monotonic() < ends
            time.sleep(0.01)
        return panel

    yield make
    for panel in opened:
        panel.close()
    for path in runs.glob("*"):
        if RunFolder(path).is_run and RunFolder(path).read_state() in ("starting", "running"):
            runner = TrainingRunner.attach(path)
            runner.stop(now=True)
            runner.wait(60, progress=False)
            runner.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What trainings were asked for; tiny ones begin in a thread instead."""
    asked: list[tuple[Any, ...]] = []
    start = TrainingRunner.start_vqvae

    def start_tiny(runner: TrainingRunner, *arguments: Any, **options: Any) -> TrainingRunner:
        asked.append(arguments)
        runner._backend = "thread"
        return start(runner, TINY, *arguments[1:], **options)

    monkeypatch.setattr(TrainingRunner, "start_vqvae", start_tiny)
    return asked


def test_it_fits_itself_to_the_sounds(open_panel: Open, takes: Path, runs: Path) -> None:
    panel = open_panel()
    assert panel.settings.codebook.options[0] == ("automatic (64)", "auto")
    assert panel.settings.budget.value == 1.1
    assert panel.name.name == "takes"
    assert panel.name.says.text == f"The run goes into {runs / 'takes'}."
    assert "9" in panel.chooser.report.value
    assert repr(panel) == f"TrainPanel: {takes}, not started"


def test_start_begins_what_is_set_and_becomes_the_dashboard(
    open_panel: Open, takes: Path, runs: Path, started: list[tuple[Any, ...]]
) -> None:
    panel = open_panel()
    panel.settings.levels.value = 2
    panel.settings.commitment.value = 0.5
    panel.settings.unit.value = "epochs"
    panel.settings.budget.value = 7
    read = panel.chooser.reading.corpus
    panel.start.click()
    panel.start.click()  # the page may have sent it twice before it saw the dashboard
    config, sounds, place, device = started.pop()
    assert started == []
    assert config == get_adaptive_vqvae_config(
        9, panel.chooser.reading.seconds, levels=2, commitment_weight=0.5, max_epochs=7
    )
    assert (place, device) == (runs / "takes", "auto")
    assert sounds is read and sounds.places == (takes,)  # what was read is not read again
    assert panel.chooser.reading.corpus is None and panel.chooser.reading.files == 9
    assert panel.runner is not None and panel.dashboard is not None
    assert panel.children[-1] is panel.dashboard
    assert panel.dashboard.runner is panel.runner
    assert panel.runner.wait(60, progress=False).epochs == 1
    assert repr(panel).startswith("TrainPanel: TrainingDashboard: takes")


def test_it_learns_on_from_a_model_that_is_named(
    open_panel: Open, runs: Path, started: list[tuple[Any, ...]], mel: torch.Tensor, tmp_path: Path
) -> None:
    model = ConvVQVAE(TINY).train()
    model.initialise(mel)
    path = save_model(tmp_path / "own.distill", model)
    panel = open_panel()
    assert panel.settings.start_from is None
    panel.settings.start.value = f"{path}s"
    panel.start.click()
    assert "own.distills: cannot be read" in panel.says.text and not runs.exists()
    panel.settings.start.value = f" {path} "
    panel.start.click()
    assert len(started) == 2
    assert panel.runner is not None and panel.runner.wait(60, progress=False) is not None
    assert RunFolder(runs / "takes").read_request()["start"]["model"] == str(path)


def test_a_real_training_in_a_process_of_its_own(open_panel: Open, runs: Path) -> None:
    panel = open_panel()
    panel.settings.levels.value = 1
    panel.settings.budget.value = 0.05
    panel.start.click()
    assert panel.runner.wait(120, progress=False).model_path == runs / "takes" / "model.distill"
    assert panel.runner.folder.read_request()["config"]["max_seconds"] == 3.0


def test_a_start_in_another_thread_starts_once(
    open_panel: Open, started: list[tuple[Any, ...]]
) -> None:
    panel = open_panel()
    presses = [threading.Thread(target=panel.start.click) for _ in range(4)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert len(started) == 1
    panel.runner.wait(60, progress=False)


def test_new_training_leads_back_and_attach_to_the_run(
    open_panel: Open, runs: Path, started: list[tuple[Any, ...]], comms: Any
) -> None:
    panel = open_panel()
    form = panel.children[-1]
    panel.start.click()
    panel.runner.wait(60, progress=False)
    panel.back.click()
    assert (panel.runner, panel.dashboard, panel.children[-1]) == (None, None, form)
    assert panel.name.name == "takes-2"
    (row,) = panel.runs.rows.children
    about, attach = row.children
    assert ">takes<" in about.value
    assert 'data-tone="good">finished<' in about.value
    assert ">epoch 1<" in about.value
    before = len([comm for comm in comms if comm.is_open])
    attach.click()
    assert panel.runner.folder.path == runs / "takes"
    assert panel.dashboard.head.state["state"] == "finished"
    attach.click()  # a second press of a button that is gone
    panel.start.click()
    assert len(started) == 1
    panel.back.click()
    assert len([comm for comm in comms if comm.is_open]) == before
    panel.look_again.click()
    assert len([comm for comm in comms if comm.is_open]) == before


def test_what_is_missing_is_said(
    open_panel: Open, takes: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        panel.start.click()
        assert panel.says.tone == "bad"
        return panel.says.text

    panel = open_panel(tmp_path / "nowhere")
    assert said() == "Choose a folder of recordings first."
    assert panel.name.says.text == f"The run needs a name: it becomes a folder in {runs}."
    panel.chooser.folder = takes
    panel.chooser.reading = Reading(takes, question="so many")
    assert said() == "The sounds have not been read yet: press Read them, or choose fewer."
    panel.chooser.reading = Reading(takes, trouble="nothing")
    assert said() == "There is no sound to learn from in this folder; choose another."
    panel.chooser.reading = Reading(takes, files=1, seconds=2.0)
    panel.name.text.value = "a/b"
    assert said() == "Choose another name."
    panel.name.text.value = "ab"
    panel.settings.budget.value = 0
    assert said() == "A budget of 0 minutes: expected more than 0"
    panel.settings.budget.value = 1
    panel.settings.commitment.value = -1
    assert said() == "A commitment of -1: expected a number from 0 to 100"
    panel.settings.commitment.value = 0.25
    shutil.rmtree(takes)
    assert said() == f"{takes}: no such file or folder; the current folder is {Path.cwd()}"
    assert not panel.start.disabled
    assert panel.dashboard is None
    assert not runs.exists()


@pytest.fixture
def may_read(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until it is set, sounds are being read."""
    event, read = threading.Event(), corpus_reader.read_folder

    def read_later(*arguments: Any, **options: Any) -> Reading:
        assert event.wait(60)
        return read(*arguments, **options)

    monkeypatch.setattr(corpus_reader, "read_folder", read_later)
    return event


def test_start_waits_for_the_sounds(
    open_panel: Open, may_read: threading.Event, runs: Path, started: list[tuple[Any, ...]]
) -> None:
    panel = open_panel(wait=False)
    panel.start.click()
    panel.start.click()
    assert panel.says.text == "Starts as soon as the sounds are read."
    assert not started
    may_read.set()
    _until(lambda: panel.dashboard is not None)
    panel.start.click()
    assert [arguments[2] for arguments in started] == [runs / "takes"]


def test_a_start_that_waits_is_for_the_folder_it_was_pressed_at(
    open_panel: Open, takes: Path, may_read: threading.Event, started: list[tuple[Any, ...]]
) -> None:
    panel = open_panel(wait=False)
    panel.start.click()
    panel.chooser.go_to(takes.parent)
    assert panel.says.text == ""
    may_read.set()
    _until(lambda: panel.chooser.reading is not None)
    assert [t for t in threading.enumerate() if t.name == "distill-start"] == []
    assert panel.dashboard is None and not started


def test_a_start_that_waits_says_what_is_wrong(
    open_panel: Open, takes: Path, may_read: threading.Event, started: list[tuple[Any, ...]]
) -> None:
    for path in takes.iterdir():
        path.write_bytes(b"")
    panel = open_panel(wait=False)
    panel.start.click()
    may_read.set()
    _until(lambda: panel.says.tone == "bad")
    assert panel.says.text == "There is no sound to learn from in this folder; choose another."
    assert panel.dashboard is None and not started


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


def test_a_run_whose_dashboard_fails_is_let_go_of(
    open_panel: Open, started: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_runner: Any) -> None:
        raise RunFolderError("the folder has gone")

    monkeypatch.setattr(train_panel, "TrainingDashboard", fail)
    panel = open_panel()
    panel.start.click()
    assert panel.says.text == "The folder has gone"
    assert (panel.runner, panel.dashboard) == (None, None)
    (row,) = panel.runs.rows.children
    row.children[1].click()
    assert panel.runs.says.text == "The folder has gone"


def test_a_taken_name_is_said_and_another_offered(open_panel: Open, runs: Path) -> None:
    begin_run(runs / "takes", {"name": "takes"})
    panel = open_panel()
    assert panel.name.name == "takes-2"  # suggestions are free
    assert panel.name.use_free.layout.display == "none"
    panel.name.text.value = "takes"
    assert panel.name.says.text == (
        f"takes: a run of that name is in {runs} already; takes-2 is free."
    )
    assert panel.name.use_free.description == "Use takes-2"
    panel.name.use_free.click()
    assert panel.name.name == "takes-2"
    assert panel.name.says.text == f"The run goes into {runs / 'takes-2'}."


def test_a_name_given_by_hand_stays(open_panel: Open, takes: Path, tmp_path: Path) -> None:
    panel = open_panel()
    panel.chooser.go_to(tmp_path)
    assert panel.name.name == tmp_path.name
    panel.name.text.value = " mine "
    panel.chooser.go_to(takes)
    assert (panel.name.name, panel.name.place.name) == ("mine", "mine")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "The run needs a name: it becomes a folder in {runs}."),
        ("a/b", "'a/b': '/' cannot be part of a name; use letters, digits, - and _."),
        ("a\tb", "'a\\tb': '\\t' cannot be part of a name; use letters, digits, - and _."),
        ("..", "'..': a name neither begins nor ends with a dot."),
        ("x" * 61, "xxxxxxxxxxxxxxxxxxxx…: a name has at most 60 letters."),
        ("notes", "notes: something else of that name is in {runs} already; notes-2 is free."),
        ("free", ""),
        ("empty", ""),
    ],
)
def test_names_are_judged(name: str, words: str, runs: Path) -> None:
    (runs / "empty").mkdir(parents=True)
    (runs / "notes").mkdir()
    (runs / "notes" / "a.txt").touch()
    assert run_names.what_is_wrong(name, runs)[0] == words.format(runs=runs)


def test_names_when_the_folder_cannot_be_looked_at(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(RunFolder, "check_free", refuse)
    said = run_names.what_is_wrong("a", runs)
    assert said == (f"{runs / 'a'}: cannot be looked at (Permission denied).", "")
    assert run_names.next_free("a", runs) == "a"


def test_suggestions_are_free_and_can_be_folders(runs: Path) -> None:
    for name in ("takes", "takes-2", "take-9"):
        begin_run(runs / name, {})
    assert run_names.next_free("takes", runs) == "takes-3"
    assert run_names.next_free("take-9", runs) == "take-10"
    assert run_names.suggest_name(Path("/music/My takes (2024)!"), runs) == "My-takes-2024"
    assert run_names.suggest_name(Path("/"), runs) == "run"
    assert run_names.suggest_name(Path("/größe 音"), runs) == "größe-音"
    assert len(run_names.suggest_name(Path("x" * 200), runs)) < 60


def test_a_preset_sets_what_can_then_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distill.training.run.start.DEFAULT_START", "base")
    settings, reading = TrainSettings(), Reading(Path("x"), files=40, seconds=200.0)
    settings.fit(reading)
    labels = [label for label, _ in settings.preset.options]
    assert labels == [
        "as set below", "draft: 750 bit/s", "balanced: 1,125 bit/s", "fine: 3,000 bit/s",
        "finest: 6,000 bit/s",
    ]  # fmt: skip
    for name in VQVAEConfig.presets:
        settings.preset.value = name
        config = settings.config(reading)
        assert {k: getattr(config, k) for k in VQVAEConfig.preset(name)} == VQVAEConfig.preset(name)
        assert settings.trade.text.startswith(f"{config.bits_per_second:,.0f} bit/s = ")
        assert (settings.levels.value, settings.codebook.value) == (config.levels, 256)
        said = settings.start_remark.text
        assert not said  # each has a base
    short_steps = {"levels": 8, "codebook_size": 256, "stride": 1}
    monkeypatch.setattr(VQVAEConfig, "presets", {**VQVAEConfig.presets, "odd": short_steps})
    settings.preset.options = [*settings.preset.options, ("odd", "odd")]
    settings.preset.value = "odd"
    assert settings.start_remark.text.startswith("So it starts from nothing: ")
    settings.start.value = "none"
    assert not settings.start_remark.text  # nobody asks for the base
    settings.start.value = "base"
    assert "stride 4, here 1" in settings.start_remark.text
    settings.preset.value = "finest"
    settings.start.value = "~nobody-of-this-name/model.distill"  # said where it is opened
    assert settings.start_from == "~nobody-of-this-name/model.distill"
    settings.fit(Reading(Path("y"), files=400, seconds=900.0))
    settings.fit(reading)
    assert settings.preset.value == "finest" and settings.config(reading).stride == 2
    settings.levels.value = 2
    assert settings.preset.value == ""
    assert (settings.config(reading).stride, settings.config(reading).levels) == (4, 2)
    assert settings.codebook.value == 256


def test_the_settings_say_what_levels_trade() -> None:
    settings = TrainSettings()
    settings.fit(Reading(Path(), 40, 60.0))
    assert settings.trade.text == (
        "984 bit/s = 6 × 7 bits × 23.4 steps a second. Structure, Timbre, Texture, Detail, Detail "
        "2, Detail 3: finer detail for more bits; a small corpus may leave the last levels unused."
    )
    settings.levels.value = 1
    assert settings.trade.text == (
        "164 bit/s = 1 × 7 bits × 23.4 steps a second. Structure: the smallest codes, and a rough "
        "sketch of the sound."
    )
    settings.levels.value = 4
    settings.codebook.value = 1024
    assert settings.trade.text.startswith("938 bit/s = 4 × 10 bits × 23.4 steps a second.")
    assert "easy to look into" in settings.trade.text
    settings.levels.value = 8
    assert "fine detail and many bits" in settings.trade.text
    settings.levels.value = 16
    assert "the finest detail and the most bits" in settings.trade.text


def test_what_is_set_by_hand_stays_when_the_sounds_change() -> None:
    small, large = Reading(Path(), 5, 8.0), Reading(Path(), 300, 600.0)
    settings = TrainSettings()
    settings.fit(small)
    assert settings.config(small).codebook_size == 64
    assert settings.budget.value == 1.1
    settings.fit(large)
    assert settings.codebook.options[0][0] == "automatic (256)"
    assert settings.budget.value == 5.0
    settings.codebook.value, settings.budget.value = 32, 2.5
    settings.fit(small)
    config = settings.config(small)
    assert (config.codebook_size, config.max_seconds, config.batch_size) == (32, 150.0, 16)
    assert settings.codebook.options[0][0] == "automatic (64)"
    settings.unit.value = "epochs"
    assert settings.budget.value == 100
    settings.budget.value = 3
    assert (settings.config(small).max_epochs, settings.config(small).max_seconds) == (3, None)
    settings.unit.value = "minutes"
    assert settings.budget.value == 2.5


@pytest.mark.parametrize(
    ("unit", "amount", "words"),
    [
        ("minutes", -1.0, "a budget of -1 minutes: expected more than 0"),
        ("minutes", float("nan"), "a budget of nan minutes: expected more than 0"),
        ("epochs", 2.5, "a budget of 2.5 epochs: expected a whole number"),
        ("epochs", float("inf"), "a budget of inf epochs: expected more than 0"),
    ],
)
def test_budgets_that_cannot_be_are_said(unit: str, amount: float, words: str) -> None:
    settings = TrainSettings()
    settings.unit.value = unit
    settings.budget.value = amount
    with pytest.raises(ValueError, match=f"^{words}$"):
        settings.config(Reading(Path(), 5, 8.0))


def test_devices_are_those_of_the_machine() -> None:
    options = TrainSettings().device.options
    assert options[0][0].startswith("automatic (") and options[0][1] == "auto"
    assert options[-1] == ("cpu", "cpu")


def test_the_list_shows_the_newest_runs_and_escapes_names(runs: Path) -> None:
    listed = RunsList(runs, lambda _: None)
    assert listed.says.text == f"No runs in {runs} yet."
    for number in range(10):
        begin_run(runs / f"r{number}", {"name": f"<b>{number}"})
    (runs / "r0" / "run.json").write_text("not json")
    listed.refresh()
    assert len(listed.rows.children) == 8
    assert listed.says.text == f"2 older in {runs} not shown."
    about, attach = listed.rows.children[0].children
    assert ">r0<" in about.value and ">damaged<" in about.value
    assert attach.disabled
    about, attach = listed.rows.children[1].children
    assert "&lt;b&gt;1" in about.value and ">trainer gone<" in about.value
    assert not attach.disabled


def test_a_list_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.touch()
    listed = RunsList(path, lambda _: None)
    assert (listed.says.text, listed.says.tone) == (f"{path}: no such folder", "bad")


def test_a_sentence_is_escaped_and_takes_no_room_when_empty() -> None:
    sentence = Sentence()
    assert sentence.layout.display == "none"
    sentence.say("<script>", "bad")
    assert "&lt;script&gt;" in sentence.value and 'role="alert"' in sentence.value
    assert sentence.layout.display == ""


def test_every_control_works_while_a_cell_runs(
    open_panel: Open, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_run(runs / "old", {"name": "old"})
    asked: list[Any] = []
    monkeypatch.setattr(controls, "receive_while_a_cell_runs", asked.append)
    panel = open_panel()
    controlled = (ipywidgets.Button, ipywidgets.Text, ipywidgets.Select, ipywidgets.Dropdown,
                  ipywidgets.IntSlider, ipywidgets.FloatText)  # fmt: skip
    inside = [w for w in controls._tree(panel) if isinstance(w, controlled)]
    assert len(inside) >= 12
    assert set(map(id, [*inside, panel.back])) <= set(map(id, asked))


def test_nothing_is_left_when_it_is_closed(
    open_panel: Open, started: list[tuple[Any, ...]], comms: Any
) -> None:
    panel = open_panel()
    panel.start.click()
    panel.runner.wait(60, progress=False)
    panel.close()
    panel.close()
    assert [comm for comm in comms if comm.is_open] == []
    assert [t.name for t in threading.enumerate() if t.name.startswith("distill")] == []


def test_closing_waits_for_a_reading(open_panel: Open) -> None:
    panel = open_panel(wait=False)
    panel.close()
    assert [t.name for t in threading.enumerate() if t.name.startswith("distill")] == []
