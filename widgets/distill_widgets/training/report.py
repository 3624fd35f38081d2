"""report(run): a run as outputs that need no kernel, no widget and no network."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distill.errors import AudioFileError, RunFolderError
from distill.health_rows import Health, columns, rows
from distill.markup import joined, own_style, plain
from distill.tables import text_table
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.marks import marks_in_words
from distill.training.run.request import RunRequest
from distill.training.runner import TrainingRunner
from distill.training.watch.event_lines import TrainingCompleteEvent, TrainingFailedEvent
from distill.training.watch.history import MetricsHistory
from distill.training.watch.normal import NormalRuns, left_band
from distill.training.watch.preview_distances import distances_of
from distill.words import duration
from distill_widgets.charts.chart import Chart
from distill_widgets.charts.curves import Curves, health_chart, loss_chart
from distill_widgets.charts.drawing import draw, draw_pictures, printed, to_png
from distill_widgets.page import markup
from distill_widgets.page.page_code import page_styles
from distill_widgets.page.plotly_text import plotly_safe
from distill_widgets.sounds.pictures import mel_picture
from distill_widgets.sounds.previews import preview_sound
from distill_widgets.training.run_state import missing, unreadable

Bundle = dict[str, Any]

_PATIENCE_S = 10.0  # from the state of the end to its last event; a moment, on an idle machine
_MOST_PREVIEWS = 64  # no run makes more; a log may name any number
_PLOTLY = "application/vnd.plotly.v1+json"


def report(run: TrainingRunner | RunFolder | str | Path) -> Report:
    """The whole of a run as it is now, to stay in a saved notebook.

    Args:
        run: a runner that has a run, or the folder of a run.

    Returns:
        What a notebook shows as several outputs, state and codebooks as HTML and text, each chart
        as plotly JSON, PNG and text, the newest previews as a picture.

    Raises:
        RunFolderError: no run is there.
    """
    if isinstance(run, TrainingRunner):
        if run.folder is None:
            raise RunFolderError("there is no run yet: start one, or name the folder of a run")
        return _report_of(run, run.folder)
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    runner = TrainingRunner.attach(folder.path)
    try:
        return _report_of(runner, folder)
    finally:
        runner.close()


def _report_of(runner: TrainingRunner, folder: RunFolder) -> Report:
    """A report whose state and history fit: of a run that has ended, its end is there too."""
    state, ends = runner.state, time.monotonic() + _PATIENCE_S
    while state in states.ENDED and not runner.is_caught_up and time.monotonic() < ends:
        time.sleep(0.02)
    return Report(
        folder, runner.history, state, notes=[n for n in (missing(runner), _trouble(runner)) if n]
    )


def _trouble(runner: TrainingRunner) -> str:
    reason = unreadable(runner)
    return f"It could not be read to its end: {reason}" if reason else ""


class Report:
    """A run, as outputs of a notebook."""

    def __init__(
        self, folder: RunFolder, history: MetricsHistory, state: str, *, notes: Sequence[str] = ()
    ) -> None:
        self._folder, self._state, self._notes = folder, state, tuple(notes)
        self._history = history
        self._request = RunRequest.from_dict(folder.read_request())
        self._normal = NormalRuns(folder)

    def outputs(self) -> list[Bundle]:
        """MIME bundles, in the order they are shown."""
        return [self._summary(), *self._charts(), *self._previews()]

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only a notebook calls this

        for bundle in self.outputs():
            display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        lines = [self._headline, *self._plateau, *self._notes]
        if self._health:
            shown = columns(self._health, training=True), rows(self._health, training=True)
            lines.append(text_table(*shown))
        lines += [level.advice for level in self._health if level.advice]
        lines += [f"epoch {w.epoch + 1}: {w.message}" for w in self._history.warnings]
        lines += self._by_ear + self._left
        return plain("\n".join(lines))

    @property
    def _health(self) -> tuple[Health, ...]:
        measured = self._history.measured
        return measured.health if measured else ()

    @property
    def _headline(self) -> str:
        history, best = self._history, self._history.best
        said = [f"{self._request.name}: {self._state}"]
        said.append(f"{len(history.epochs)} epochs, {history.step_count:,} steps")
        said.append(duration(history.elapsed_s))
        if history.eta_s and self._state in states.ACTIVE:
            said.append(f"{duration(history.eta_s)} left")
        if best is not None:
            said.append(f"best validation {best.val_loss:.4f} in epoch {best.epoch + 1}")
        outcome = history.outcome
        if isinstance(outcome, TrainingCompleteEvent):
            said.append(f"model {self._folder.path / outcome.model_path}")
        elif isinstance(outcome, TrainingFailedEvent):
            said.append(outcome.message)
        return ", ".join(said)

    @property
    def _by_ear(self) -> list[str]:
        said = marks_in_words(self._folder.marks)
        return [f"by ear, {said}"] if said else []

    @property
    def _left(self) -> list[str]:
        said = left_band(self._normal.beside(self._history.epochs), self._history.epochs)
        return [said] if said else []

    @property
    def _plateau(self) -> list[str]:
        plateau = self._history.plateau
        if plateau is None:
            return []
        active = self._state in states.ACTIVE
        return [plateau.while_running if active else plateau.afterwards]

    def _summary(self) -> Bundle:
        warnings, family = self._history.warnings, self._request.family
        kind, parts_are = family.health_warning, family.health_type.parts
        style = own_style(page_styles("page/style.css", "training/head.css"))
        parts = [
            *map(markup.paragraph, (self._headline, *self._plateau, *self._notes)),
            markup.run_health(self._history, kind, parts_are),
            markup.warning_list(warnings, self._health, kind=kind),
            *map(markup.paragraph, self._by_ear + self._left),
        ]
        return {"text/html": str(joined([style, *parts])), "text/plain": repr(self)}

    def _charts(self) -> list[Bundle]:
        family, config, normal = self._request.family, self._request.config, self._normal
        charts = loss_chart(family, normal.like), health_chart(family, config, normal.like)
        Curves(*charts, family, config, normal).update(self._history)
        return [
            {
                _PLOTLY: _plain_plotly(chart),
                "image/png": base64.b64encode(
                    to_png(draw(chart, note=" ".join(self._notes)))
                ).decode(),
                "text/plain": f"{chart.name} of {self._headline}",
            }
            for chart in charts
        ]

    def _previews(self) -> list[Bundle]:
        if not self._history.previews:
            return []
        event, config = self._history.previews[-1], self._request.config.spectrogram
        rows = []
        for pair in event.pairs[:_MOST_PREVIEWS]:
            try:
                sounds = [
                    preview_sound(self._folder, path)[0]
                    for path in (pair.original, pair.reconstruction)
                ]
            except (
                AudioFileError,
                RunFolderError,
            ):  # somebody has tidied up: the rest is still worth showing
                continue
            rows.append((pair.name, [mel_picture(sound, config) for sound in sounds]))
        if not rows:
            return []
        title = f"originals and reconstructions, epoch {event.epoch + 1}"
        if len(event.pairs) > _MOST_PREVIEWS:
            title += f" (the first {_MOST_PREVIEWS} of {len(event.pairs)})"
        if said := distances_of(event.pairs):
            title += f", {said}"
        png = to_png(draw_pictures(rows, title))
        names = ", ".join(name for name, _ in rows)
        return [{"image/png": base64.b64encode(png).decode(), "text/plain": f"{title}: {names}"}]


def _plain_plotly(chart: Chart) -> dict[str, Any]:
    """A figure that plotly takes without this package's page: plain colours, no words of ours."""
    plain: dict[str, Any] = plotly_safe(printed(chart.figure()))
    for trace in plain["data"]:
        for ours in ("smooth", "mean", "weight"):
            trace.pop(ours, None)
    for axis in plain["layout"].values():
        if isinstance(axis, dict):
            axis.pop("loggable", None)
    plain["layout"] |= {"height": chart.spec["height"], "title": {"text": chart.name}}
    return plain
