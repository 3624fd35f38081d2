"""Monitor: the trainer's heartbeat, and its ear for commands.

A thread, so that a run answers within a quarter of a second also while it reads sounds, validates
or saves; it costs a training step nothing.
"""

from __future__ import annotations

import logging
import os
import threading

from distill.errors import RunFolderError
from distill.training import states
from distill.training.control import PAUSE, STOP, STOP_NOW, Control, read_control
from distill.training.run_folder import HEARTBEAT_PERIOD_S, RunStatus
from distill.training.run_writer import RunWriter
from distill.training.signals import Cancel, StopSignals

_log = logging.getLogger(__name__)


class Monitor:
    """Writes status.json, reads control.json."""

    def __init__(
        self,
        folder: RunWriter,
        cancel_event: Cancel | None = None,
        *,
        signals: StopSignals | None = None,
        period_s: float = HEARTBEAT_PERIOD_S,
    ) -> None:
        self._folder, self._cancel, self._period_s = folder, cancel_event, period_s
        self.signals = signals or StopSignals()
        self._lock = threading.Lock()
        self._state, self._epoch, self._step = states.STARTING, 0, 0
        self._control = Control()
        self._changed = threading.Event()  # something new to act on
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="distill-monitor", daemon=True)

    def __enter__(self) -> Monitor:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._changed.set()
        self._thread.join()
        with self._lock:
            if self._state in states.ACTIVE:  # interrupted before training could end in order
                self._state = states.FAILED
        self._tell()

    @property
    def control(self) -> Control:
        """What is wanted, as last seen."""
        return self._control

    @property
    def wants_stop(self) -> bool:
        """Whether somebody wants the run to end."""
        cancelled = self._cancel is not None and self._cancel.is_set()
        return cancelled or self.signals.is_set() or self._control.wanted in (STOP, STOP_NOW)

    @property
    def wants_stop_now(self) -> bool:
        """Whether the run is to end without validating."""
        return self._control.wanted == STOP_NOW or self.signals.want_now

    @property
    def wants_pause(self) -> bool:
        """Whether the run is to wait."""
        return self._control.wanted == PAUSE and not self.wants_stop

    def move(self, epoch: int, step: int) -> None:
        """Where training is; told with the next heartbeat."""
        self._epoch, self._step = epoch, step

    def enter(self, state: str) -> bool:
        """Enters a state and tells it at once; False where it may not follow the present one, as
        when somebody asked for a stop a moment ago.
        """
        with self._lock:
            if not states.may_follow(self._state, state):
                return False
            self._state = state
        self._tell()
        return True

    def wait_for_change(self, timeout_s: float) -> None:
        """Sleeps until a command arrives or the time is over."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def beat(self) -> None:
        """Looks for commands and tells where the run is."""
        self._look()
        with self._lock:
            if self.wants_stop and self._state in (states.STARTING, states.RUNNING):
                self._state = states.STOPPING
        self._tell()

    def _run(self) -> None:
        while not self._closing.wait(self._period_s):
            self.beat()

    def _look(self) -> None:
        try:
            seen = read_control(self._folder.files)
        except (OSError, RunFolderError) as error:
            _log.warning("the commands for the run cannot be read: %s", error)
            return
        if seen != self._control:
            self._control = seen
            self._changed.set()

    def _tell(self) -> None:
        with self._lock:
            status = RunStatus.now(
                self._state,
                pid=os.getpid(),
                epoch=self._epoch,
                step=self._step,
                session=self._folder.session,
                acknowledged=self._control.serial,
            )
            try:
                self._folder.write_status(status)
            except OSError as error:  # a full disk must not end a run
                _log.warning("the status of the run cannot be written: %s", error)
