"""RunsList: the runs of a folder, each with a button that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from distill.errors import RunFolderError
from distill.markup import joined, shortened, tag
from distill.tables import MOST_IN_A_CELL
from distill.training.run import states
from distill.training.run.runs import RunInfo, list_runs
from distill_widgets.page.controls import (
    Html,
    Sentence,
    button,
    close_all,
    receiving,
    row,
    with_class,
)
from distill_widgets.page.view import View
from distill_widgets.training.run_state import WORDS

MOST_SHOWN = 8
DAMAGED = "damaged"


class RunsList(View):
    """The newest runs of a folder: name, state, epoch, and Attach.

    Args:
        folder: of the runs; need not be there yet.
        attach: called with the folder of a run.
    """

    def __init__(self, folder: Path, attach: Callable[[Path], None]) -> None:
        self._folder, self._attach = folder, attach
        self.says = Sentence()
        self.rows = ipywidgets.VBox()
        super().__init__([self.rows, self.says], "distill-runs")
        self.refresh()

    def refresh(self) -> None:
        """Reads the states anew."""
        runs, says, tone = self._poll()
        before, self.rows.children = self.rows.children, [self._row(run) for run in runs]
        close_all(before)
        self.says.say(says, tone)
        receiving(self.rows)

    def _poll(self) -> tuple[list[RunInfo], str, str]:
        try:
            runs = list(list_runs(self._folder)) if self._folder.exists() else []
        except (RunFolderError, OSError) as error:
            return [], f"{error}", "bad"
        if not runs:
            return [], f"No runs in {self._folder} yet.", "quiet"
        older = len(runs) - MOST_SHOWN
        says = f"{older} older in {self._folder} not shown." if older > 0 else ""
        return runs[:MOST_SHOWN], says, "quiet"

    def _row(self, run: RunInfo) -> Any:
        word, tone = WORDS.get(run.state, (run.state, "bad"))
        epoch = states.shown_epoch(run.epoch, run.state)
        about = Html(
            joined(
                [
                    tag("span", shortened(run.name, MOST_IN_A_CELL), class_="distill-run-name"),
                    tag("span", word, class_="distill-state", data_tone=tone),
                    tag("span", f"epoch {epoch:,}", class_="distill-quiet"),
                ]
            )
        )
        attach = button("Attach", lambda: self._attach(run.path), hint=f"shows {run.path}")
        attach.disabled = run.state == DAMAGED
        return with_class(row(with_class(about, "distill-run"), attach), "distill-run-row")
