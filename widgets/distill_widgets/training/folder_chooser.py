"""FolderChooser: find a folder of recordings by clicking, and see what is in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from distill.markup import Markup
from distill.names import printable
from distill_widgets.page.controls import (
    Html,
    Sentence,
    button,
    labelled,
    named,
    row,
    set_options,
    style_sheet,
    with_class,
)
from distill_widgets.page.view import View
from distill_widgets.training.corpus_reader import CorpusReader, Reading
from distill_widgets.training.folders import FolderView, nearest_above, view_of

_ROWS_SHOWN = 6
_REPORT_HEIGHT = "120px"


class FolderChooser(View):
    """A path, a way up, the folders below with their sounds, and the report of what is there.

    Args:
        folder: to start at; default the current folder.

    Example:
        chooser = FolderChooser("recordings")
        chooser.observe(lambda change: ..., "reading")
    """

    folder = traitlets.Instance(Path, allow_none=True)
    """The folder chosen; None while there is none of that name."""
    reading = traitlets.Instance(Reading, allow_none=True)
    """What its sounds are; None while they are being read."""

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._lock = threading.RLock()
        self._showing = False
        self._reader = CorpusReader(self._show_corpus, self._lock)
        self.path = labelled(ipywidgets.Text, "Folder", continuous_update=False)
        self.path.layout.flex, self.path.layout.width = "1 1 auto", "auto"
        self.up = button("Up", self._go_up, hint="the folder above")
        self.subfolders = named(
            ipywidgets.Select(rows=_ROWS_SHOWN, layout=ipywidgets.Layout(width="auto")),
            "folders in this folder",
        )
        self.hint = Sentence("Click a folder to go into it; what is in it at every depth is used.")
        self.says = Sentence()
        self.read_all = button("Read them", self._read_all)
        self.report = with_class(Html(), "distill-report")
        below = with_class(
            ipywidgets.VBox([self.says, self.subfolders, self.hint, self.read_all, self.report]),
            "distill-below",
        )
        super().__init__([style_sheet(), row(self.path, self.up), below], "distill-chooser")
        self.path.observe(self._on_path, "value")
        self.subfolders.observe(self._on_subfolder, "value")
        self.go_to(Path.cwd() if folder is None else folder)

    def go_to(self, folder: str | os.PathLike[str]) -> None:
        """Shows a folder and reads its sounds; what is wrong with it is said beside it."""
        with self._lock:
            view = view_of(folder)
            self._at = view.path
            self._show(view)
            self.reading = None
            self.folder = None if view.trouble else view.path
            if view.trouble:
                self._reader.cancel()
                self.says.say(view.trouble, "bad")
                return
            self._read(view.path)

    def let_go_of_sounds(self) -> None:
        """Frees the memory that the sounds take; what is known of them stays."""
        with self._lock:
            if self.reading is not None:
                self.reading = self.reading.without_sounds()

    def close(self) -> None:
        """Ends it on every page; no thread of it is left."""
        self._reader.close()
        self.let_go_of_sounds()
        super().close()

    def _show(self, view: FolderView) -> None:
        self._showing = True
        try:
            self.path.value = printable(view.path)
            options = [(item.label, item.path) for item in view.subfolders]
            set_options(self.subfolders, options, None)
        finally:
            self._showing = False
        shown = "" if view.subfolders else "none"
        self.subfolders.layout.display = self.hint.layout.display = shown
        self.up.disabled = view.path.parent == view.path
        self.report.value, self.report.layout.min_height = Markup(""), None
        self.read_all.layout.display = "none"

    def _show_corpus(self, reading: Reading) -> None:
        self.report.layout.min_height = None
        if reading.trouble:
            self.says.say(reading.trouble, "bad")
        elif reading.question:
            self.says.say(reading.question)
            self.read_all.layout.display = ""
        else:
            self.says.say("")
            self.report.value = reading.report
        self.reading = reading

    def _read(self, folder: Path, *, however_large: bool = False) -> None:
        self.says.say("Reading sounds…")
        self.read_all.layout.display = "none"
        self.report.layout.min_height = _REPORT_HEIGHT  # what is below stays where it is
        self._reader.read(folder, however_large=however_large)

    def _read_all(self) -> None:
        with self._lock:
            if self.folder is not None:
                self._read(self.folder, however_large=True)

    def _go_up(self) -> None:
        with self._lock:
            self.go_to(nearest_above(self._at))

    def _on_path(self, change: Any) -> None:
        with self._lock:
            if not self._showing:
                self.go_to(change["new"].strip() or Path.cwd())

    def _on_subfolder(self, change: Any) -> None:
        with self._lock:
            if not self._showing and change["new"] is not None:
                self.go_to(change["new"])

    def __repr__(self) -> str:
        return f"FolderChooser({self.path.value})"
