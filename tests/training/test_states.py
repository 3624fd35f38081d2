"""States stay legal whatever watchers press, in whatever order."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from distill import RunFolder
from distill.errors import RunFolderError
from distill.training import RunStatus
from distill.training.run import states
from distill.training.run.control import RUN, STOP, STOP_NOW, change_control, read_control
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.writer import hold_run
from distill.training.session.monitor import Monitor


def test_every_state_has_its_followers_and_the_ended_ones_only_start_anew() -> None:
    assert set(states.TRANSITIONS) == states.ACTIVE | states.ENDED
    for state in states.ENDED:
        assert states.TRANSITIONS[state] == {states.STARTING}
    for state in states.ACTIVE:
        assert {states.FAILED, states.GONE} <= states.TRANSITIONS[state]
        assert states.STARTING not in states.TRANSITIONS[state]


class Run(RuleBasedStateMachine):
    """A trainer that obeys as the real one does, and watchers who press what they like.

    The monitor and the files are the real ones; only the training between two looks is missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.path = self.home / "run"
        begin_run(self.path, {"name": "run", "config": {}})
        self.folder = RunFolder(self.path)
        self.monitor: Monitor | None = None
        self.reported = [states.GONE]

    def teardown(self) -> None:
        if self.monitor:
            self.monitor.__exit__()
            self.hold.__exit__(None, None, None)
        shutil.rmtree(self.home)

    def is_alive(self) -> bool:
        return self.monitor is not None

    def end(self, state: str) -> None:
        assert self.monitor is not None
        self.monitor.enter(state)
        self.monitor.__exit__()
        self.hold.__exit__(None, None, None)
        self.monitor = None

    @precondition(lambda self: not self.is_alive())
    @rule()
    def somebody_resumes(self) -> None:
        if self.folder.read_state() == states.FINISHED:
            try:
                extend_run(self.path, {})
            except RunFolderError as error:
                assert "is finished" in str(error)
            change_control(self.path, reset=True)
        else:
            extend_run(self.path, {})
        self.hold = hold_run(self.path)
        writer = self.hold.__enter__()
        write = writer.write_status

        def written(status: RunStatus) -> None:
            self.reported.append(status.state)
            write(status)

        writer.write_status = written  # type: ignore[method-assign]
        self.monitor = Monitor(writer, period_s=1e6).__enter__()
        assert not self.monitor.wants_stop

    @precondition(lambda self: self.is_alive())
    @rule()
    def the_trainer_takes_a_step(self) -> None:
        assert self.monitor is not None
        self.monitor.beat()
        state = self.folder.read_state()
        if self.monitor.wants_stop:
            self.end(states.STOPPED)
        elif self.monitor.wants_pause and state == states.RUNNING:
            self.monitor.enter(states.PAUSED)
        elif state == states.STARTING or not self.monitor.wants_pause:
            self.monitor.enter(states.RUNNING)

    @precondition(lambda self: self.is_alive() and self.reported[-1] == states.RUNNING)
    @rule()
    def the_budget_ends(self) -> None:
        self.end(states.FINISHED)

    @precondition(lambda self: self.is_alive())
    @rule()
    def training_fails(self) -> None:
        self.end(states.FAILED)

    @rule(wanted=st.sampled_from(["run", "pause", "stop", "stop-now"]))
    def somebody_presses(self, wanted: str) -> None:
        before = read_control(self.path)
        serial = change_control(self.path, wanted=wanted)
        after = read_control(self.path)
        assert serial == after.serial == before.serial + 1
        if before.wanted in (STOP, STOP_NOW):  # a stop is never taken back
            assert after.wanted in (before.wanted, STOP_NOW)
        else:
            assert after.wanted == wanted

    @rule()
    def somebody_wants_a_preview_and_a_save(self) -> None:
        before = read_control(self.path)
        change_control(self.path, preview=True)
        change_control(self.path, save=True)
        after = read_control(self.path)
        assert (after.previews, after.saves) == (before.previews + 1, before.saves + 1)
        assert after.wanted == before.wanted

    @rule()
    def somebody_starts_into_the_same_folder(self) -> None:
        try:
            begin_run(self.path, {"name": "another"})
        except RunFolderError as error:
            assert "another training is running" in str(error) or "an earlier run" in str(error)
        assert self.folder.read_request()["name"] == "run"

    @invariant()
    def every_reported_state_is_legal(self) -> None:
        for before, after in itertools.pairwise(self.reported):
            assert states.may_follow(before, after), (before, after)

    @invariant()
    def a_watcher_sees_what_was_reported_last(self) -> None:
        state = self.folder.read_state()
        assert state == self.reported[-1]
        assert (state in states.ACTIVE) == self.is_alive()


Run.TestCase.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
TestRun = Run.TestCase


def test_a_new_start_wants_to_run_whatever_was_wanted_before(tmp_path: Path) -> None:
    change_control(tmp_path, wanted=STOP)
    serial = change_control(tmp_path, reset=True)
    control = read_control(tmp_path)
    assert (control.wanted, control.serial, control.previews) == (RUN, serial, 0)
