"""TrainPanel: from a folder of recordings to a training and its dashboard, by clicking."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from distill.errors import CorpusError, DistillError
from distill.training.runner import TrainingRunner
from distill_widgets.page.controls import (
    Sentence,
    button,
    close_all,
    receiving,
    row,
    section,
    style_sheet,
    with_class,
)
from distill_widgets.page.fold import Fold
from distill_widgets.page.typed_path import typed_path
from distill_widgets.page.view import View
from distill_widgets.sounds.recorder import Recorder, Recording
from distill_widgets.training.corpus_reader import Reading
from distill_widgets.training.dashboard import TrainingDashboard
from distill_widgets.training.folder_chooser import FolderChooser
from distill_widgets.training.name_field import NameField
from distill_widgets.training.recorded_files import save_recording
from distill_widgets.training.runs_list import RunsList
from distill_widgets.training.train_settings import TrainSettings


class TrainPanel(View):
    """Choose sounds, set what matters, press Start; then it is the dashboard of that run.

    It also lists the runs there are, and shows any of them. A run needs no panel: closing it, or
    the page, harms no training.

    Args:
        folder: of recordings, to start at; default the current folder.
        runs_folder: where runs are kept, each in a folder of its own; made when needed.

    Example:
        TrainPanel("recordings")
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        runs_folder: str | os.PathLike[str] = "runs",
    ) -> None:
        self.runner: TrainingRunner | None = None
        """Of the run that is shown."""
        self.dashboard: TrainingDashboard | None = None
        """What is shown once there is a run."""
        self._runs_folder = typed_path(runs_folder)
        self._turn = threading.Lock()  # one press at a time: a second Start finds the first's run
        self._start_is_due = False  # Start was pressed while the sounds were being read
        self.chooser = FolderChooser(folder)
        self.recording = Fold(
            "Record a sound",
            lambda: Recorder(self._save, action="Save in the folder"),
            hint="the browser's microphone, as a new WAV file",
        )
        self.settings = TrainSettings()
        self.name = NameField(self._runs_folder)
        self.start = button("Start training", self._press(self._start), "distill-primary")
        self.says = Sentence()
        self.runs = RunsList(self._runs_folder, self._attach)
        self.back = button("New training", self._press(self._go_back))
        self.look_again = button("Look again", self.runs.refresh, hint="reads the states anew")
        self._sheet, self._bar = style_sheet(), with_class(row(self.back), "distill-panel-bar")
        self._form = self._lay_out()
        super().__init__([self._sheet, self._form], "distill-panel")
        self.chooser.observe(self._on_folder, "folder")
        self.chooser.observe(self._on_reading, "reading")
        self._suggest_name()
        self._fit()
        receiving(self._bar)

    def close(self) -> None:
        """Ends the panel on every page, and its threads; runs go on."""
        self._start_is_due = False
        self._let_go()
        self.chooser.close()
        self.recording.finish()
        close_all([self._form, self._bar])  # one of them is not shown
        super().close()

    def _lay_out(self) -> ipywidgets.VBox:
        start = with_class(row(self.start, self.says), "distill-start")
        runs = with_class(section("Runs", self.runs, self.look_again), "distill-earlier")
        return ipywidgets.VBox([
            section("Sounds", self.chooser, self.recording),
            section("Training", self.settings, self.name, start),
            runs,
        ])  # fmt: skip

    # --- what somebody presses ---------------------------------------------------------------

    def _press(self, act: Callable[[], None]) -> Callable[[], None]:
        def pressed() -> None:
            with self._turn:
                act()

        return pressed

    def _start(self) -> None:
        if self.dashboard is not None:
            return
        self._start_is_due = self.chooser.folder is not None  # first: a reading may end right now
        reading = self.chooser.reading
        if self._start_is_due and reading is None:
            self.says.say("Starts as soon as the sounds are read.")
            return
        self._start_is_due = False
        trouble = self._missing(reading)
        if trouble or reading is None:
            self.says.say(trouble, "bad")
            return
        self.start.disabled = True
        self.says.say("Starting…")
        try:
            self._begin(reading)
            self.says.say("")
        except (DistillError, OSError) as error:
            self.says.say(_capital(str(error)), "bad")
            self.runs.refresh()  # somebody else may have begun the run of that name
        finally:
            self.start.disabled = False

    def _start_if_due(self) -> None:
        if self._start_is_due:
            self._start()

    def _begin(self, reading: Reading) -> None:
        config, device = self.settings.config(reading), self.settings.device.value
        runner = TrainingRunner()
        sounds, start = reading.corpus or reading.folder, self.settings.start_from
        runner.start_vqvae(config, sounds, self.name.place, device, start=start)
        self.chooser.let_go_of_sounds()
        self._show(runner)

    def _save(self, recording: Recording) -> str:
        """Writes what was recorded among the sounds, which are read again."""
        folder = self.chooser.folder
        if folder is None:
            raise CorpusError("choose a folder of sounds first: recordings are saved in it")
        said = save_recording(folder, recording)
        self.chooser.go_to(folder)
        return said

    def _attach(self, path: Path) -> None:
        with self._turn:
            if self.dashboard is not None:
                return
            try:
                self._show(TrainingRunner.attach(path))
            except (DistillError, OSError) as error:
                self.runs.says.say(_capital(str(error)), "bad")

    def _go_back(self) -> None:
        self.children = [self._sheet, self._form]
        self._let_go()
        self.runs.refresh()
        self.name.take_free_name()  # the old one may have become a run

    def _show(self, runner: TrainingRunner) -> None:
        try:
            dashboard = TrainingDashboard(runner)
        except BaseException:
            runner.close()
            raise
        self.runner, self.dashboard = runner, dashboard
        self.children = [self._sheet, self._bar, dashboard]

    def _let_go(self) -> None:
        if self.dashboard is not None:
            self.dashboard.close()
        if self.runner is not None:
            self.runner.close()
        self.runner = self.dashboard = None

    # --- what follows from what --------------------------------------------------------------

    def _missing(self, reading: Reading | None) -> str:
        """Why there can be no start yet."""
        if self.chooser.folder is None or reading is None:
            return "Choose a folder of recordings first."
        if reading.question:
            return "The sounds have not been read yet: press Read them, or choose fewer."
        if reading.trouble:
            return "There is no sound to learn from in this folder; choose another."
        return "" if self.name.judge() else "Choose another name."

    def _on_folder(self, _change: Any) -> None:
        self._start_is_due = False  # Start was pressed for the one before
        self.says.say("")
        self._suggest_name()

    def _on_reading(self, _change: Any) -> None:
        self.says.say("")
        self._fit()
        if self.chooser.reading is not None and self._start_is_due:
            # As a press of its own: whoever reports a reading holds the chooser's lock.
            start = self._press(self._start_if_due)
            threading.Thread(target=start, name="distill-start", daemon=True).start()

    def _fit(self) -> None:
        reading = self.chooser.reading
        if reading is not None and reading.files:  # until then nothing jumps
            self.settings.fit(reading)

    def _suggest_name(self) -> None:
        if self.chooser.folder is not None:
            self.name.suggest(self.chooser.folder)

    def __repr__(self) -> str:
        if self.dashboard is not None:
            return f"TrainPanel: {self.dashboard!r}"
        return f"TrainPanel: {self.chooser.path.value}, not started"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
