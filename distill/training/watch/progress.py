"""A progress bar over the budget of a run, in a terminal or a notebook."""

from __future__ import annotations

import time
from typing import Any

from tqdm.auto import tqdm

from distill.training.watch.history import MetricsHistory

_MOMENT_S = 0.5


class ProgressBar:
    """A bar that appears where there is something to wait for, if it is to be shown at all."""

    def __init__(self, *, shown: bool) -> None:
        self._due = time.monotonic() + (_MOMENT_S if shown else float("inf"))
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, history: MetricsHistory) -> None:
        """Moves the bar to where the run is."""
        if self._bar is None:
            if time.monotonic() < self._due:
                return
            self._bar = tqdm(total=100, bar_format="{desc} {percentage:3.0f}%|{bar}|")
        if (last := history.last_step) is not None:
            self._bar.set_description_str(
                f"epoch {last.epoch + 1}, step {last.step + 1}, loss {last.loss:.3f}", refresh=False
            )
        self._bar.n = round(100 * history.progress)
        self._bar.refresh()
