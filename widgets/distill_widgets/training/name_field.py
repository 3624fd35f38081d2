"""NameField: what a new run is called, with a free name always at hand."""

from __future__ import annotations

from pathlib import Path

import ipywidgets

from distill_widgets.page.controls import Sentence, button, labelled
from distill_widgets.page.view import View
from distill_widgets.training.run_names import suggest_name, what_is_wrong


class NameField(View):
    """A name, where the run of that name goes, and what is wrong with it."""

    def __init__(self, runs_folder: Path) -> None:
        self._runs_folder = runs_folder
        self._suggested = ""
        self.text = labelled(ipywidgets.Text, "Name", continuous_update=False)
        self.says = Sentence()
        self.use_free = button("", self.take_free_name, "distill-offer")
        super().__init__([self.text, self.says, self.use_free], "distill-settings")
        self.text.observe(lambda _: self.judge(), "value")
        self.judge()

    @property
    def name(self) -> str:
        """As it will be used."""
        return str(self.text.value).strip()

    @property
    def place(self) -> Path:
        """The run folder of that name."""
        return self._runs_folder / self.name

    def suggest(self, sounds: Path) -> None:
        """Names the run after a folder of sounds, unless somebody has named it."""
        if self.name in ("", self._suggested):
            self._suggested = suggest_name(sounds, self._runs_folder)
            self.text.value = self._suggested
        self.judge()

    def judge(self) -> bool:
        """Checks whether a run can have the name, and says it."""
        trouble, free = what_is_wrong(self.name, self._runs_folder)
        if trouble:
            self.says.say(trouble, "bad")
        else:
            self.says.say(f"The run goes into {self.place}.")
        self.use_free.description = f"Use {free}"
        self.use_free.layout.display = "" if free else "none"
        return not trouble

    def take_free_name(self) -> None:
        """In place of a name that is taken, the next that is free."""
        _, free = what_is_wrong(self.name, self._runs_folder)
        if free:
            was_suggested = self.name == self._suggested
            self._suggested = free if was_suggested else self._suggested
            self.text.value = free
        self.judge()
