"""A progress bar over the budget of a run, in a terminal or a notebook."""

from __future__ import annotations

from tqdm.auto import tqdm

from distill.training.history import VQMetricsHistory


class ProgressBar:
    """A bar, or nothing where it is not to be shown."""

    def __init__(self, *, shown: bool) -> None:
        self._bar = tqdm(
            total=100, unit="%", disable=not shown, bar_format="{desc} {percentage:3.0f}%|{bar}|"
        )

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, history: VQMetricsHistory) -> None:
        """Moves the bar to where the run is."""
        last = history.last_step
        if last is not None:
            self._bar.set_description_str(
                f"epoch {last.epoch + 1}, step {last.step + 1}, loss {last.loss:.3f}"
            )
        self._bar.n = round(100 * history.progress)
        self._bar.refresh()
