"""What the head of a dashboard says, worked out from a runner."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from distill.errors import ConfigError, DistillError
from distill.markup import plain
from distill.models.device import choose_device
from distill.training.run import states
from distill.training.runner import TrainingRunner
from distill.training.watch.history import MetricsHistory
from distill.training.watched_run import RunSnapshot
from distill_widgets.training.run_head import PAUSE, PREVIEW, RESUME, SAVE, STOP

WORDS = {
    states.IDLE: ("no run yet", "still"),
    states.STARTING: ("starting…", "live"),
    states.RUNNING: ("running", "live"),
    states.PAUSED: ("paused", "wait"),
    states.STOPPING: ("stopping…", "wait"),
    states.NOT_ANSWERING: ("not answering", "wait"),
    states.FINISHED: ("finished", "good"),
    states.STOPPED: ("stopped", "good"),
    states.FAILED: ("failed", "bad"),
    states.GONE: ("trainer gone", "bad"),
}
"""What people read of a state, and the tone it is said in; see `style.css`."""
_NOT_ANSWERING = (
    "Its trainer holds the run, but has given no sign of life for seconds: it was suspended, or "
    "its machine or disk is stuck. What is asked of it now is done once it answers again."
)
_LONGEST_NAME = 300
_PACE_WINDOW_S = 10.0
_COMMAND_PATIENCE_S = 60.0


class RunState:
    """A runner's state in the words of its dashboard, and the commands under way."""

    def __init__(self, runner: TrainingRunner) -> None:
        self._runner = runner
        request = runner.folder.read_request() if runner.folder else {}
        self._name = plain(request.get("name", ""), _LONGEST_NAME)
        self._device = plain(_device(str(request.get("device", "auto"))), _LONGEST_NAME)
        self._paces: deque[tuple[float, int]] = deque(maxlen=256)
        self._under_way: dict[str, tuple[float, Callable[[RunSnapshot], bool]]] = {}
        self._refused = ""
        self._error: tuple[object, BaseException | None] = (None, None)

    def press(self, button: str) -> None:
        """Does what a button is for; a refusal is reported in the next `now`."""
        runner, self._refused = self._runner, ""
        history = runner.history
        try:
            if button == PAUSE:
                self._until(button, runner.pause())
            elif button == RESUME:
                runner.resume()
            elif button == STOP:
                self._until(button, runner.stop())
            elif button == PREVIEW:
                seen = len(history.previews)
                runner.request_preview()
                self._until_true(button, lambda run: len(run.history.previews) > seen)
            elif button == SAVE:
                self._until(button, runner.request_save())
        except (DistillError, OSError) as error:
            self._refused = str(error)

    def now(self, run: RunSnapshot) -> dict[str, Any]:
        """Everything the head shows; JSON-ready."""
        state, history = run.state, run.history
        word, tone = WORDS.get(state, (state, "bad"))
        last = history.last_step
        moving = state == states.RUNNING and last is not None
        troubles = self._trouble(run), missing(self._runner)
        eta = history.eta_s if state in states.ACTIVE else None
        return {
            "name": self._name,
            "state": state,
            "word": word,
            "tone": tone,
            "moving": moving,
            "progress": history.progress,
            "epoch": _epoch(history, state),
            "step": last.step + 1 if last else None,
            "elapsed_s": _tenth(history.elapsed_s),
            "eta_s": _tenth(eta),
            "pace": self._pace(history) if state in states.ACTIVE else _mean_pace(history),
            "device": self._device,
            "plateau": _plateau(history, state),
            "trouble": plain("\n".join(filter(None, troubles))),
        }

    def buttons(self, run: RunSnapshot) -> list[dict[str, Any]]:
        """What may be asked of the run now."""
        state = run.state
        running, active = state == states.RUNNING, state in (states.RUNNING, states.PAUSED)
        resumable = state in (states.PAUSED, states.STOPPED, states.FAILED, states.GONE)
        busy = self._busy(run)
        first = (
            _button(RESUME, "Resume", "resuming…", "goes on from where it is", resumable)
            if resumable
            else _button(PAUSE, "Pause", "pausing…", "waits after this step", running)
        )
        stoppable = state in (
            states.STARTING, states.RUNNING, states.PAUSED, states.NOT_ANSWERING,
        )  # fmt: skip
        buttons = [
            first,
            _button(STOP, "Stop and keep", "stopping…", "ends the run, keeps the model", stoppable),
            _button(PREVIEW, "Preview now", "listening…", "makes sounds to listen to", active),
            _button(SAVE, "Save now", "saving…", "writes model and checkpoint", active),
        ]
        for button in buttons:
            if button["does"] in busy:
                button |= {"enabled": False, "label": button["busy_label"]}
        return buttons

    def _busy(self, run: RunSnapshot) -> set[str]:
        now = time.monotonic()
        over = [
            key
            for key, (since, is_done) in self._under_way.items()
            if run.state not in states.ACTIVE or now - since > _COMMAND_PATIENCE_S or is_done(run)
        ]
        for key in over:
            del self._under_way[key]
        return set(self._under_way)

    def _until(self, button: str, serial: int) -> None:
        self._until_true(button, lambda run: _acknowledged(run, serial))

    def _until_true(self, button: str, is_done: Callable[[RunSnapshot], bool]) -> None:
        self._under_way[button] = (time.monotonic(), is_done)

    def _pace(self, history: MetricsHistory) -> float | None:
        last = history.last_step
        if last is None:
            return None
        if self._paces and last.step < self._paces[-1][1]:
            self._paces.clear()  # resumed from before
        self._paces.append((last.elapsed_s, last.step))
        while len(self._paces) > 2 and last.elapsed_s - self._paces[0][0] > _PACE_WINDOW_S:
            self._paces.popleft()
        (began, first), (ended, newest) = self._paces[0], self._paces[-1]
        return (newest - first) / (ended - began) if ended > began else _mean_pace(history)

    def _trouble(self, run: RunSnapshot) -> str:
        state = run.state
        if self._refused:
            return self._refused
        if reason := unreadable(self._runner):
            return f"This run cannot be followed any more: {reason}"
        if state == states.NOT_ANSWERING:
            return _NOT_ANSWERING
        if state not in (states.FAILED, states.GONE):
            return ""
        if state == states.FAILED and run.history.outcome is None:
            return ""  # the reason is on its way
        error = self._error_of(run)
        way_out = "Resume tries again, from the last checkpoint where there is one."
        return f"{error}\n{way_out}" if error and state == states.FAILED else str(error or "")

    def _error_of(self, run: RunSnapshot) -> BaseException | None:
        """What ended the run: looked up once, not at every glance at it."""
        ending = run.state, run.status, run.history.outcome, str(run.history.gaps)
        if self._error[0] != ending:
            self._error = ending, self._runner.last_error
        return self._error[1]


def _acknowledged(run: RunSnapshot, serial: int) -> bool:
    """Whether the trainer has received a command."""
    return run.status is not None and run.status.acknowledged >= serial


def missing(runner: TrainingRunner) -> str:
    """What is not shown of a run, in a sentence; empty where all of it is."""
    gaps = runner.history.gaps
    return f"Not all of this run is shown: {gaps}." if gaps else ""


def unreadable(runner: TrainingRunner) -> str:
    """Why a run is not followed any more; empty where it is, or where only lines are missing."""
    trouble, gaps = runner.trouble, runner.history.gaps
    if trouble is None or (gaps and str(trouble).endswith(str(gaps))):
        return ""
    return str(trouble)


def _button(does: str, label: str, busy: str, hint: str, enabled: bool) -> dict[str, Any]:
    return {"does": does, "label": label, "busy_label": busy, "hint": hint, "enabled": enabled}


def _epoch(history: MetricsHistory, state: str) -> int | None:
    last = history.last_step
    done = last.epoch if last and state in states.ACTIVE else len(history.epochs)
    return states.shown_epoch(done, state) if last else None


def _plateau(history: MetricsHistory, state: str) -> str:
    """What stopping now loses, where that is nothing."""
    plateau = history.plateau if state in (states.RUNNING, states.PAUSED) else None
    return f"{plateau.while_running}." if plateau else ""


def _mean_pace(history: MetricsHistory) -> float | None:
    if history.last_step is None or not history.elapsed_s:
        return None
    return (history.last_step.step + 1) / history.elapsed_s


def _tenth(seconds: float | None) -> float | None:
    return None if seconds is None or not math.isfinite(seconds) else round(seconds, 1)


def _device(name: str) -> str:
    try:
        device = str(choose_device(name))
    except ConfigError:  # trained on another machine
        return name
    return f"cpu, {os.cpu_count()} cores" if device == "cpu" else device
