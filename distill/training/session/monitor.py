"""Monitor: the trainer's heartbeat, and what receives its commands.

A thread, so that a run answers within a quarter of a second also while it reads sounds, validates
or saves; it costs a training step nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import replace

from distill.errors import ForeignEntryError, RunFolderError, RunLostError
from distill.training.run import states
from distill.training.run.control import CONTROL_FILE, PAUSE, STOP, STOP_NOW, Control, read_control
from distill.training.run.status import HEARTBEAT_PERIOD_S, RunStatus
from distill.training.run.writer import RunWriter
from distill.training.session.signals import Cancel, StopSignals

_log = logging.getLogger(__name__)
_BEATS_TO_BE_GONE = 3  # a disk far away may be silent for a moment


class Monitor:
    """Writes status.json, reads control.json.

    Args:
        folder: of the run, held by the caller.
        cancel_event: asks for a stop, as do the signals.
        signals: those that came so far.
        fallback: the state in which the run is left where this session cannot begin; until
            `begin_session` the session before is reported. None: this session begins at once.
        period_s: from one heartbeat to the next.
    """

    def __init__(
        self,
        folder: RunWriter,
        cancel_event: Cancel | None = None,
        *,
        signals: StopSignals | None = None,
        fallback: str | None = None,
        period_s: float = HEARTBEAT_PERIOD_S,
    ) -> None:
        self._folder, self._cancel, self._period_s = folder, cancel_event, period_s
        self.signals = signals or StopSignals()
        self._lock = threading.Lock()
        before = folder.read_status()
        self._state = states.STARTING
        self._epoch, self._step = (before.epoch, before.step) if before else (0, 0)
        self._seen_before = (before.seen_before or before.heartbeat) if before and fallback else 0.0
        self.lost: RunLostError | None = None
        """Where the run folder was moved, deleted or taken away: what to end with."""
        self._beats_gone = 0
        self.session = folder.session - (fallback is not None)
        """What is reported as the session's number."""
        self.fallback = fallback or states.FAILED
        """The state in which a run ends that is left in none of its own."""
        self._control = Control()
        self._seen_control: object = None  # what changes with their file
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
                self._state = self.fallback
        self._report(is_last=True)

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
    def no_time(self) -> Cancel:
        """Whether even what was begun is to be left, such as reading sounds."""
        return _NoTime(self)

    @property
    def wants_pause(self) -> bool:
        """Whether the run is to wait."""
        return self._control.wanted == PAUSE and not self.wants_stop

    def move(self, epoch: int, step: int) -> None:
        """Where training is; reported with the next heartbeat."""
        self._epoch, self._step = epoch, step

    def enter(self, state: str) -> bool:
        """Enters a state and reports it at once; False where it may not follow the present one, as
        when somebody asked for a stop a moment ago.
        """
        with self._lock:
            if not states.may_follow(self._state, state):
                return False
            self._state = state
        self._report()
        return True

    def wait_for_change(self, timeout_s: float) -> None:
        """Sleeps until a command arrives or the time is over."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def look(self) -> None:
        """Polls the commands where there are new ones: what a step can do without being slower."""
        with contextlib.suppress(OSError, ForeignEntryError):  # the heartbeat reports it
            found = self._folder.files.stat(CONTROL_FILE)
            stamp = found and (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._seen_control:
                self._seen_control = stamp
                self._poll_control()

    def beat(self) -> None:
        """Polls the folder and its commands, and reports where the run is."""
        self._check_folder()
        self._poll_control()
        with self._lock:
            if self.wants_stop and self._state in (states.STARTING, states.RUNNING):
                self._state = states.STOPPING
        self._report()

    def _run(self) -> None:
        while not self._closing.wait(self._period_s):
            self.beat()

    def begin_session(self) -> None:
        """Reports the session of this trainer: watchers read the events anew."""
        self.session, self.fallback = self._folder.session, states.FAILED
        self._seen_before = 0.0
        self._report()

    def _check_folder(self) -> None:
        if self.lost:
            return
        before = self._folder.path
        try:
            place = self._folder.follow_move()
        except RunFolderError as error:
            self._beats_gone += 1
            if self._beats_gone >= _BEATS_TO_BE_GONE:
                self.lost = RunLostError(str(error))
        else:
            self._beats_gone = 0
            if place is not None:
                self.lost = RunLostError(
                    f"{before}: the run folder was moved to {place} while it was trained; resume "
                    "it there: it goes on from the step at which this was noticed"
                )
        if self.lost:
            self._changed.set()

    def _poll_control(self) -> None:
        try:
            seen = read_control(self._folder.files)
        except (OSError, RunFolderError) as error:
            _log.warning("the commands for the run cannot be read: %s", error)
            return
        if seen != self._control:
            self._control = seen
            self._changed.set()

    def _report(self, *, is_last: bool = False) -> None:
        with self._lock:
            status = RunStatus.now(
                self._state,
                pid=os.getpid(),
                epoch=self._epoch,
                step=self._step,
                session=self.session,
                acknowledged=self._control.serial,
            )
            if is_last and self._seen_before:  # this session did not begin: all is as it was
                status = replace(status, heartbeat=self._seen_before)
            else:
                status = replace(status, seen_before=self._seen_before)
            try:
                self._folder.write_status(status)
            except OSError as error:  # a full disk must not end a run
                _log.warning("the status of the run cannot be written: %s", error)


class _NoTime:
    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def is_set(self) -> bool:
        return self._monitor.signals.want_now or self._monitor.lost is not None
