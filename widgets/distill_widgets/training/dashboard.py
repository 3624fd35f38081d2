"""TrainingDashboard: what a person sees while a model learns."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path

from distill.errors import RunFolderError
from distill.markup import joined
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.runner import TrainingRunner
from distill.training.watch.normal import NormalRuns, left_band
from distill.training.watched_run import RunSnapshot
from distill_widgets.charts.curves import Curves, health_chart, loss_chart
from distill_widgets.charts.drawing import draw, to_svg
from distill_widgets.charts.live_chart import LiveChart
from distill_widgets.page import markup
from distill_widgets.page.controls import Html
from distill_widgets.page.fold import Fold
from distill_widgets.page.live_widget import in_colab
from distill_widgets.page.view import View
from distill_widgets.sounds.previews import Previews
from distill_widgets.training.publisher import (
    IDLE_PERIODS,
    PERIOD_S,
    Publisher,
    periods_to_rest,
)
from distill_widgets.training.run_head import RunHead
from distill_widgets.training.run_state import RunState, missing
from distill_widgets.training.sound_trial import SoundTrial

_FRESH_S = 0.2
_TRY_HINT = "any sound of yours, through the weights of this moment"


class TrainingDashboard(View):
    """A run, live: state and buttons, losses, health, sounds, and what happened.

    Everything it shows comes from the run folder. Any number of dashboards, pages and kernels may
    show the same run; closing one, or the page, harms no training.

    Args:
        run: a runner that has a run, or the folder of a run.

    Raises:
        RunFolderError: no run is there.
    """

    _own_runner = False  # until the constructor has come that far, there is nothing to close
    _publisher: Publisher | None = None
    trying: Fold | None = None
    """Where a sound is tried; None for a run that learns codes, which takes no sound."""

    def __init__(self, run: TrainingRunner | RunFolder | str | Path) -> None:
        self.runner = runner_of(run)
        self._own_runner = self.runner is not run
        folder = self.runner.folder
        if folder is None:
            raise RunFolderError("there is no run yet: start one, or name the folder of a run")
        request = RunRequest.from_dict(folder.read_request())
        self._family, config = request.family, request.config
        self._state = RunState(self.runner)
        self._presses: queue.SimpleQueue[tuple[str, Callable[[], None]]] = queue.SimpleQueue()
        self._ended_with: object = None
        self._was_watched, self._calm_since = False, time.monotonic()
        self.head = RunHead()
        self._normal = NormalRuns(folder)
        self.loss = LiveChart(loss_chart(self._family, self._normal.like))
        self.levels = LiveChart(health_chart(self._family, config, self._normal.like))
        self.health, self.warnings, self.journal = (Html() for _ in range(3))
        about = self._family, config, self._normal
        self._curves = Curves(self.loss.chart, self.levels.chart, *about)
        self._previews = Previews(folder)
        self.player = self._previews.player
        charts = self.loss, self.levels, self.health
        if self._family.of_codec is None:
            self.trying = Fold("Try a sound", lambda: SoundTrial(folder), hint=_TRY_HINT)
        tried = [self.trying] if self.trying else []
        parts = self.head, *charts, self.warnings, self.player, *tried, self.journal
        super().__init__(parts, "distill-dashboard")
        self.head.on_press = self._on_press
        self._live = (self.head, self.loss, self.levels, self.player)
        self._refresh(self.runner.poll())
        if not in_colab():  # there the page asks, and only an answer arrives
            self._publisher = Publisher(self._tick, period_s=PERIOD_S)
            self._publisher.start()
        for widget in self._live:
            widget.before_answer = self._refresh_if_due

    def close(self) -> None:
        """Ends the dashboard on every page; the run goes on."""
        if self._publisher is not None:
            self._publisher.close()
        if self._own_runner:
            self.runner.close()
        if self.trying:
            self.trying.finish()
        super().close()

    def _on_press(self, button: str, done: Callable[[], None]) -> None:
        self._presses.put((button, done))
        if self._publisher is not None:
            self._publisher.wake()
        else:
            self._work_off_presses()

    def _work_off_presses(self) -> None:
        while not self._presses.empty():
            button, done = self._presses.get()
            self._calm_since = time.monotonic()
            try:
                self._state.press(button)
                self._show_state(self.runner.poll())
            finally:
                done()

    def _refresh_if_due(self) -> None:
        """Has a page that asks find what is new; questions that have waited together are one."""
        age = time.monotonic() - self._refreshed_at
        if self._publisher is None and age > _FRESH_S:
            self._refresh(self.runner.poll())
        elif self._publisher is not None and not self._was_watched:
            self._publisher.wake()

    def _tick(self) -> float:
        """How many periods may pass until the next one."""
        self._work_off_presses()
        watched = self._was_watched = any(widget.is_watched for widget in self._live)
        run = self.runner.poll()
        if watched or self._has_just_ended(run):
            self._refresh(run)
            self.loss.push()
            self.levels.push()
        if not watched or run.state != states.RUNNING:
            self._calm_since = time.monotonic()
        calm_s = time.monotonic() - self._calm_since
        return periods_to_rest(calm_s) if watched else IDLE_PERIODS

    def _has_just_ended(self, run: RunSnapshot) -> bool:
        """Whether the run has ended, and its history has the end: the state is there sooner."""
        is_over = run.state in states.ENDED and run.is_caught_up
        return is_over and _ending(run) != self._ended_with

    def _refresh(self, run: RunSnapshot) -> None:
        """Shows what is new in the run folder."""
        self._refreshed_at = time.monotonic()
        history = run.history
        self._curves.update(history)
        kind, parts = self._family.health_warning, self._family.health_type.parts
        measured = history.measured.health if history.measured else ()
        self.health.value = markup.run_health(history, kind, parts)
        warnings = markup.warning_list(history.warnings, measured, kind=kind)
        left = left_band(self._normal.beside(history.epochs), history.epochs)
        self.warnings.value = joined([warnings, *([markup.paragraph(left)] if left else [])])
        self.journal.value = markup.log_list(history)
        self._previews.update(history)
        self._show_state(run)
        if self._has_just_ended(run):
            self._ended_with = _ending(run)
            self._keep_pictures()

    def _show_state(self, run: RunSnapshot) -> None:
        self.head.buttons = self._state.buttons(run)
        self.head.state = self._state.now(run)

    def _keep_pictures(self) -> None:
        """What a notebook shows of the charts when it is opened without a kernel."""
        for chart in (self.loss, self.levels):
            chart.snapshot = to_svg(draw(chart.chart, note=missing(self.runner)))

    def __repr__(self) -> str:
        folder = self.runner.folder
        return (
            f"TrainingDashboard: {self.head.state['name']}, {self.head.state['word']}\n"
            f"{self.runner.history!r}\n{folder.path if folder else ''}"
        )


def _ending(run: RunSnapshot) -> object:
    return (run.history.outcome, run.history.step_count)


def runner_of(run: TrainingRunner | RunFolder | str | Path) -> TrainingRunner:
    """A runner for whatever names a run.

    Raises:
        RunFolderError: no run is there.
    """
    if isinstance(run, TrainingRunner):
        return run
    return TrainingRunner.attach(run.path if isinstance(run, RunFolder) else run)
