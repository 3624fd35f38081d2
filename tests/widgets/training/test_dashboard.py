from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from distill import RunFolder, RunFolderError, TrainingRunner, VQMetricsHistory
from distill.training.run.control import read_control
from distill.training.run.marks import Mark
from distill.training.run.states import ACTIVE, NOT_ANSWERING as NOT
from distill.training.run.status_file import StatusFile
from distill.training.watch.event_lines import (
    PreviewEvent,
    PreviewPair,
    ResumeEvent,
    TrainingFailedEvent,
    WarningEvent,
)
from distill_widgets import ModelCard, TrainingDashboard, report
from distill_widgets.page.page_code import page_styles
from distill_widgets.training.publisher import IDLE_PERIODS
from distill_widgets.training.runs_list import RunsList
from tests.families import FAMILIES

from ..node_page import NodePage, say


@pytest.fixture
def dashboard(trainer):
    trainer.steps(5)
    made = TrainingDashboard(trainer.path)
    yield made
    made.close()


def until(condition, timeout_s: float = 10) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def ticks(dashboard, count: int) -> None:
    """Returns once the dashboard has polled so many times more."""
    publisher, seen = dashboard._publisher, []
    tick = publisher._tick
    publisher._tick = lambda: seen.append(tick()) or seen[-1]
    until(lambda: len(seen) >= count, 30)
    publisher._tick = tick


@pytest.fixture
def watch(open_page) -> Callable[..., NodePage]:
    """Shows a dashboard's losses on a page."""

    def open_loss(dashboard) -> NodePage:
        page = open_page(dashboard.loss)
        page.sync()
        page.take_all()
        return page

    return open_loss


def test_it_shows_what_the_run_folder_holds(dashboard, trainer, watch):
    page = watch(dashboard)
    assert page.x[0] == [1, 2, 3, 4, 5]
    trainer.steps(3)
    trainer.finish_epoch()
    trainer.preview()
    until(lambda: dashboard.player.rows)
    until(lambda: page.take_all() or page.x[0][-1] == 8)
    assert page.x[1] == [8]
    assert dashboard.levels.points == [1] * 12
    state = dashboard.head.state
    assert state["name"] == "drums & bass"
    assert (state["word"], state["epoch"], state["step"]) == ("running", 1, 8)
    assert "Structure" in dashboard.health.value
    assert "kick <b>" in [row["name"] for row in dashboard.player.rows]


def test_the_best_epoch_and_resumes_are_marked(dashboard, trainer, watch):
    page = watch(dashboard)
    trainer.finish_epoch()
    trainer.report(ResumeEvent(1, 5, 2))
    until(lambda: len(dashboard.runner.history.resumes) == 1)
    until(lambda: page.take_all() or len(page.layout.get("shapes", ())) == 2)
    assert [s["label"]["text"] for s in page.layout["shapes"]] == ["resumed", "best, epoch 1"]


def shown(dashboard) -> dict[str, object]:
    """All that a dashboard has a page show."""
    return {
        "losses": dashboard.loss.chart.figure(),
        "bottleneck": dashboard.levels.chart.figure(),
        "health": dashboard.health.value,
        "warnings": dashboard.warnings.value,
        "journal": dashboard.journal.value,
        "sounds": (dashboard.player.rows, dashboard.player.stages),
        "head": (dashboard.head.state, dashboard.head.buttons),
        "text": repr(dashboard),
    }


@pytest.mark.parametrize("trainer", FAMILIES, indirect=True)
def test_a_replayed_dashboard_equals_one_that_watched_live(dashboard, trainer, watch):
    kind = trainer.family.health_warning
    page = watch(dashboard)
    for used in (10, 2, 1):
        trainer.steps(50)
        trainer.finish_epoch(is_best=used == 10, used=used)
        trainer.preview()
        until(lambda: dashboard.runner.history.step_count == trainer.step, 60)
        page.sync()
        page.take_all()
    trainer.report(WarningEvent(1, trainer.step, kind, "<few> are used", 0))
    trainer.report(ResumeEvent(3, trainer.step, 2))
    trainer.end()
    until(lambda: dashboard.loss.snapshot and dashboard.levels.snapshot, 60)
    replayed = TrainingDashboard(trainer.path)
    try:
        live, again = shown(dashboard), shown(replayed)
        for part, value in live.items():
            assert value == again[part], part
        assert len(replayed.player.stages) == 3 and "finished" in repr(replayed)
        other = watch(replayed)
        until(lambda: page.take_all() or len(page.x[0]) == trainer.step, 60)
        assert (page.x, page.y) == (other.x, other.y)
    finally:
        replayed.close()


def test_nothing_is_worked_out_while_nobody_watches(dashboard, trainer):
    trainer.steps(20)
    until(lambda: dashboard.runner.history.step_count == 25)
    ticks(dashboard, 3)
    assert dashboard.loss.points[0] == 5
    assert dashboard.loss.comm.custom == []


def test_what_goes_on_calmly_is_sent_less_often_until_somebody_presses(dashboard, trainer, watch):
    dashboard._publisher.close()
    assert dashboard._tick() == IDLE_PERIODS  # nobody watches
    watch(dashboard)
    dashboard._calm_since -= 3600
    assert dashboard._tick() == 3.0
    dashboard._presses.put(("preview", lambda: None))
    assert dashboard._tick() == 1.0
    dashboard._calm_since -= 3600
    trainer.state("paused")
    assert dashboard._tick() == 1.0
    trainer.state("running")
    assert dashboard._tick() == 1.0


def test_a_page_that_comes_back_is_shown_at_once_what_is_new(dashboard, monkeypatch):
    woken = []
    dashboard._publisher.close()
    monkeypatch.setattr(dashboard._publisher, "wake", lambda: woken.append(1))
    dashboard._tick()
    dashboard._refresh_if_due()
    assert woken == [1]
    dashboard._was_watched = True  # the publisher's own pace serves
    dashboard._refresh_if_due()
    assert woken == [1]


def test_the_end_is_kept_for_a_notebook_without_a_kernel(dashboard, trainer):
    trainer.finish_epoch()
    trainer.end()
    until(lambda: dashboard.loss.snapshot and dashboard.levels.snapshot)
    assert dashboard.loss.snapshot.startswith("<svg")
    assert "currentColor" in dashboard.loss.snapshot
    assert len(dashboard.loss.snapshot) < 60_000
    assert ">0.25<" in dashboard.levels.snapshot  # churn: coordinates are rounded, words are not
    assert dashboard.head.state["word"] == "finished"


def test_presses_become_commands_and_are_answered(dashboard, trainer, watch):
    page = watch(dashboard)
    say(dashboard.head, {"type": "press", "button": "pause", "press": 1, "client": "c"})
    until(lambda: read_control(trainer.path).wanted == "pause")
    until(lambda: dashboard.head.comm.custom)
    assert dashboard.head.comm.custom[0][0] == {
        "type": "done", "button": "pause", "press": 1, "client": "c",
    }  # fmt: skip
    assert dashboard.head.buttons[0]["label"] == "pausing…"
    trainer.writer.write_status(_status(trainer, "paused", acknowledged=1))
    until(lambda: dashboard.head.state["word"] == "paused")
    assert dashboard.head.buttons[0]["label"] == "Resume"
    for button, counter in (("preview", "previews"), ("save", "saves")):
        say(dashboard.head, {"type": "press", "button": button, "press": 2, "client": "c"})
        until(lambda counter=counter: getattr(read_control(trainer.path), counter) == 1)
    say(dashboard.head, {"type": "press", "button": "stop", "press": 4, "client": "c"})
    until(lambda: read_control(trainer.path).wanted == "stop")
    page.sync()


def test_a_plateau_is_said_while_there_is_something_to_stop(dashboard, trainer, watch):
    watch(dashboard)
    for number in range(4):
        trainer.finish_epoch(is_best=number == 0)
    until(lambda: len(dashboard.runner.history.epochs) == 4)
    assert dashboard.head.state["plateau"] == ""
    trainer.finish_epoch(is_best=False)
    until(lambda: dashboard.head.state["plateau"])
    said = dashboard.head.state["plateau"]
    assert said.startswith("no better for 4 epochs; stopping now loses nothing: the weights of epo")
    assert said[:-1] in repr(report(trainer.path))
    trainer.end()
    until(lambda: dashboard.head.state["word"] == "finished")
    assert dashboard.head.state["plateau"] == ""
    assert "no better in its last 4 epochs; the weights of epoch 1" in repr(report(trainer.path))


def _status(trainer, word, **changes):
    import dataclasses
    import os

    from distill.training.run.status import RunStatus

    status = RunStatus.now(word, pid=os.getpid(), epoch=0, step=5, session=trainer.writer.session)
    return dataclasses.replace(status, **changes)


def test_a_refused_command_is_reported(dashboard, trainer, watch):
    watch(dashboard)
    trainer.finish_epoch()
    trainer.end()
    until(lambda: dashboard.head.state["word"] == "finished")
    say(dashboard.head, {"type": "press", "button": "pause", "press": 1, "client": "c"})
    until(lambda: "is not training, it is finished" in dashboard.head.state["trouble"])
    assert not any(button["enabled"] for button in dashboard.head.buttons)


def test_a_failure_is_reported_with_the_way_out(dashboard, trainer, watch):
    watch(dashboard)
    trainer.report(WarningEvent(0, 5, "disk", "the disk is <full>"))
    trainer.report(TrainingFailedEvent("NonFiniteError", "the loss is NaN"))
    trainer.state("failed")
    trainer.close()
    until(lambda: dashboard.head.state["state"] == "failed")
    until(lambda: dashboard.head.state["trouble"])
    assert dashboard.head.state["trouble"] == (
        "the loss is NaN\nResume tries again, from the last checkpoint where there is one."
    )
    assert "epoch 1</span>The disk is &lt;full&gt;" in dashboard.warnings.value
    assert dashboard.head.buttons[0]["does"] == "resume"


def marks(player, **command):
    """What a page receives when somebody marks a sound."""
    before = len(player.comm.custom)
    say(player, {"type": "mark", "key": json.dumps({"act": str(before), **command})})
    return player.comm.custom[before][0]


def test_marks_are_kept_with_the_run_and_shown_in_every_dashboard(dashboard, trainer, watch):
    watch(dashboard)
    trainer.finish_epoch()
    trainer.preview()
    until(lambda: dashboard.player.rows)
    other = TrainingDashboard(trainer.path)
    watch(other)
    heard = {"name": "kick <b>", "stage": "previews/epoch-0001"}
    assert "error" not in marks(dashboard.player, mark="bad", **heard)
    assert RunFolder(trainer.path).marks == {"kick <b>": Mark("bad", 0)}
    expected = {"kick <b>": {"mark": "bad", "epoch": 0}}
    assert dashboard.player.marks == expected
    until(lambda: other.player.marks == expected)
    assert "by ear, bad: kick <b> (epoch 1)" in repr(report(trainer.path))
    assert "kick &lt;b&gt; (epoch 1)" in report(trainer.path).outputs()[0]["text/html"]
    assert "expected 'good'" in marks(dashboard.player, mark="fine", **heard)["error"]
    marks(other.player, mark=None, **heard)
    until(lambda: dashboard.player.marks == {})
    (trainer.path / "marks.json").write_text("{")
    assert "the mark is not kept" in marks(dashboard.player, mark="good", **heard)["error"]
    assert dashboard.player.marks == {}
    other.close()


def test_sounds_come_from_the_run_folder_only(dashboard, trainer, watch):
    watch(dashboard)
    trainer.finish_epoch()
    trainer.preview()
    until(lambda: dashboard.player.rows)
    [row] = dashboard.player.rows
    [stage] = dashboard.player.stages
    note = "mel 2.00 (floor 1.00), STFT 3.00 (floor 1.50)"
    assert stage == {
        "key": "previews/epoch-0001", "label": "epoch 1", "notes": [note], "distances": [2.0],
    }  # fmt: skip
    key = row["keys"][1].replace("{stage}", stage["key"])
    for kind in ("sound", "peaks", "mel"):
        say(dashboard.player, {"type": kind, "key": key})
    answers = dashboard.player.comm.custom
    assert [message["type"] for message, _ in answers] == ["sound", "peaks", "mel"]
    assert answers[0][1][0][:4] == b"RIFF"
    assert len(answers[1][1][0]) < 2000
    assert answers[2][0]["shape"][0] == 48
    outside = trainer.path.parent / "secret.wav"
    outside.write_bytes(answers[0][1][0])
    say(dashboard.player, {"type": "sound", "key": "previews/../../secret.wav"})
    say(dashboard.player, {"type": "sound", "key": "previews/epoch-0001/99-original.wav"})
    say(dashboard.player, {"type": "sound", "key": str(outside)})
    (trainer.path / "previews" / "epoch-0001" / "link.wav").symlink_to(outside)
    say(dashboard.player, {"type": "sound", "key": "previews/epoch-0001/link.wav"})
    os.mkfifo(trainer.path / "previews" / "epoch-0001" / "pipe.wav")
    say(dashboard.player, {"type": "sound", "key": "previews/epoch-0001/pipe.wav"})
    said = dashboard.player.comm.custom[3:]
    assert len(said) == 5
    for message, buffers in said:
        assert message["error"]
        assert buffers == []


def test_a_log_that_names_files_outside_plays_and_draws_none(trainer, monkeypatch):
    secret = trainer.path.parent / "secret.wav"
    trainer.finish_epoch()
    trainer.preview()
    shutil.copy(trainer.path / "previews" / "epoch-0001" / "00-original.wav", secret)
    for named in (str(secret), "../secret.wav", "previews/../../secret.wav", "run.json", ""):
        pair = PreviewPair("outside", 0.5, named, named)
        trainer.report(PreviewEvent(0, trainer.step, "previews/epoch-0001", (pair,)))
    dashboard = TrainingDashboard(trainer.path)
    for key in [key for row in dashboard.player.rows for key in row["keys"]]:
        say(dashboard.player, {"type": "sound", "key": key.replace("{stage}", "previews")})
    assert len(report(trainer.path).outputs()) == 3  # no picture of what lies outside
    dashboard.close()


def test_a_run_that_goes_back_is_drawn_anew(dashboard, trainer, watch):
    page = watch(dashboard)
    epoch = page.epoch
    trainer.writer.write_status(_status(trainer, "running", session=9))
    until(lambda: page.take_all() or page.epoch != epoch)
    until(lambda: page.take_all() or page.x[0] == [1, 2, 3, 4, 5])


def test_close_leaves_no_comm_and_no_thread(trainer, comms):
    for _ in range(3):
        dashboard = TrainingDashboard(trainer.path)
        dashboard.close()
    assert not [comm for comm in comms if comm.is_open]
    assert not [t for t in threading.enumerate() if t.name.startswith("distill")]


def test_a_runner_of_somebody_else_is_left_alone(trainer):
    runner = TrainingRunner.attach(trainer.path)
    TrainingDashboard(runner).close()
    trainer.steps(3)
    until(lambda: runner.history.step_count == 3)
    runner.close()


def test_two_dashboards_on_one_run(trainer):
    trainer.steps(4)
    runner = TrainingRunner.attach(trainer.path)
    one, two = TrainingDashboard(runner), TrainingDashboard(runner)
    assert one.loss.points == two.loss.points == [4, 0, 4, 0, 4, 0, 0]
    one.close()
    two.close()
    runner.close()


def test_no_run_is_an_error(tmp_path):
    with pytest.raises(RunFolderError, match=r"no run there \(expected run.json\)"):
        TrainingDashboard(tmp_path)
    with pytest.raises(RunFolderError, match="there is no run yet: start one, or name the folder"):
        TrainingDashboard(TrainingRunner())


def test_repr_says_where_the_run_is(dashboard, trainer):
    text = repr(dashboard)
    assert text.startswith("TrainingDashboard: drums & bass, running\nVQMetricsHistory(5 steps")
    assert str(trainer.path) in text


def test_in_colab_only_answers_bring_news(trainer, monkeypatch, open_page):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    # No question waits with another.
    monkeypatch.setattr("distill_widgets.training.dashboard._FRESH_S", 0.0)
    dashboard = TrainingDashboard(trainer.path)
    assert not [t for t in threading.enumerate() if t.name == "distill-publisher"]
    assert dashboard.loss.poll_s == 1.0
    page = open_page(dashboard.loss)
    for count in (3, 6):
        trainer.steps(3)
        until(lambda count=count: dashboard.runner.history.step_count == count)
        assert page.arrived() == []
        page.sync()
        page.take_all()
        assert len(page.x[0]) == count
    say(dashboard.head, {"type": "press", "button": "stop", "press": 1, "client": "c"})
    assert read_control(trainer.path).wanted == "stop"
    assert dashboard.head.comm.custom[-1][0]["type"] == "done"
    dashboard.close()


def test_a_long_run_does_not_grow_what_is_shown(trainer):
    dashboard = TrainingDashboard(trainer.path)
    for _ in range(3):
        trainer.steps(4000)
        trainer.finish_epoch()
        until(lambda: dashboard.runner.history.step_count == trainer.step, 30)
        dashboard._refresh(dashboard.runner.poll())
    assert max(dashboard.loss.points) <= 4096
    assert len(json.dumps(dashboard.head.state)) < 2000
    dashboard.close()


def test_the_log_is_bounded(trainer):
    for _ in range(300):
        trainer.finish_epoch()
    dashboard = TrainingDashboard(trainer.path)
    assert dashboard.journal.value.count("<li>") == 200
    dashboard.close()


def test_what_cannot_be_read_is_said_and_the_rest_is_shown(dashboard, trainer, watch):
    watch(dashboard)
    with (trainer.path / "events.jsonl").open("ab") as log:
        log.write(b"nonsense\n")
        log.write(b'{"event":"Applause","epoch":0,"step":5}\n')
    trainer.steps(2)
    until(lambda: dashboard.loss.points[0] == 7)
    until(lambda: "Applause" in dashboard.head.state["trouble"])
    said = dashboard.head.state["trouble"]
    assert said.startswith("Not all of this run is shown: 1 line of the events cannot be read")
    assert "1 kind of events of a later version not shown: Applause" in said
    trainer.finish_epoch()
    trainer.end()
    until(lambda: dashboard.loss.snapshot)
    assert "Not all of this run is shown" in dashboard.loss.snapshot
    whole = report(trainer.path)
    assert "Not all of this run is shown" in repr(whole)
    assert "Not all of this run is shown" in whole.outputs()[0]["text/html"]
    assert "Applause" in dashboard.runner.history._repr_html_()


def test_a_log_that_cannot_be_read_is_said(dashboard, trainer, watch):
    watch(dashboard)
    (trainer.path / "events.jsonl").unlink()
    (trainer.path / "events.jsonl").mkdir()
    until(lambda: "cannot be followed any more" in dashboard.head.state["trouble"])
    ticks(dashboard, 3)
    assert dashboard.loss.points[0] == 5


def test_a_suspended_trainer_is_not_answering(dashboard, trainer, monkeypatch, watch):
    watch(dashboard)
    silent = "distill.training.run.folder.RunFolder.read_state_and_status"
    monkeypatch.setattr(silent, lambda *a, **k: (NOT, None))
    until(lambda: dashboard.head.state["word"] == "not answering")
    assert "no sign of life for seconds" in dashboard.head.state["trouble"]
    enabled = [button["does"] for button in dashboard.head.buttons if button["enabled"]]
    assert enabled == ["stop"]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="rights are others on Windows")
def test_a_folder_one_may_only_read_is_shown(trainer, tmp_path):
    """As somebody who owns nothing of it: root is bound by no rights, so root becomes nobody."""
    trainer.finish_epoch()
    trainer.preview()
    trainer.end()
    # Drawn once before: nobody may be kept out of the folder that the packages lie in as well.
    TrainingDashboard(trainer.path).close()
    report(trainer.path).outputs()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        run = Path(shutil.copytree(trainer.path, Path(place) / "run"))
        for path in (run, *run.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            before = sorted(path.name for path in run.rglob("*"))
            dashboard = TrainingDashboard(run)
            assert dashboard.head.state["word"] == "finished"
            assert dashboard.loss.snapshot and dashboard.player.rows
            assert len(report(run).outputs()) == 4
            assert ModelCard(run).head.state["trouble"]  # this run has no model
            [row] = RunsList(run.parent, lambda _: None).rows.children
            assert "finished" in row.children[0].value
            dashboard.close()
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
        assert sorted(path.name for path in run.rglob("*")) == before
        for path in (run, *run.rglob("*")):
            path.chmod(0o755)


def test_a_run_begun_anew_in_the_same_folder_is_drawn_anew(dashboard, trainer, watch):
    watch(dashboard)
    (trainer.path / "events.jsonl").write_bytes(b"")
    until(lambda: dashboard.loss.points[0] == 0)
    trainer.step = 0
    trainer.steps(2)
    until(lambda: dashboard.loss.points[0] == 2)


def test_what_opens_is_small_and_what_it_needs_is_there(dashboard):
    limits = {dashboard.head: 30_000, dashboard.player: 33_000}  # marks and orders are 5 KB of it
    limits |= dict.fromkeys((dashboard.loss, dashboard.levels), 34_000)  # bands, 2 KB
    for widget, limit in limits.items():
        state = widget.get_state()
        state.pop("layout", None)
        size = len(json.dumps(state))
        assert size < limit, f"{widget!r}: {size} bytes"
    wanted = {"page/style.css": "distill-health", "charts/chart.css": "distill-chart-box"}
    for name, rule in wanted.items():
        assert rule in page_styles(name)


def test_no_picture_is_kept_before_the_end_has_arrived(dashboard, trainer, monkeypatch, watch):
    """A status says sooner that a run has ended than its events are read."""
    arrived, update = threading.Event(), VQMetricsHistory.update_lines

    def late(history, lines):
        if any(b"TrainingCompleteEvent" in line for line in lines):
            assert arrived.wait(60)
        update(history, lines)

    monkeypatch.setattr(VQMetricsHistory, "update_lines", late)
    kept = []
    monkeypatch.setattr(dashboard, "_keep_pictures", lambda: kept.append(dashboard.levels.points))
    watch(dashboard)
    trainer.finish_epoch()
    trainer.end()
    until(lambda: dashboard.head.state["word"] == "finished")
    dashboard._refresh(dashboard.runner.poll())
    assert kept == [] and not dashboard._has_just_ended(dashboard.runner.poll())
    arrived.set()
    until(lambda: kept)
    assert kept == [[1] * 12]


@pytest.mark.parametrize("state", ["running", "paused", "finished", "failed"])
def test_a_tick_reads_the_status_once(dashboard, trainer, monkeypatch, watch, state):
    """So state, history and commands are of one moment, and a slow share is asked once."""
    watch(dashboard)
    trainer.finish_epoch()
    if state == "finished":
        trainer.end()
    else:
        if state == "failed":
            trainer.report(TrainingFailedEvent("TrainingError", "the cable was pulled"))
        trainer.state(state)
    until(lambda: dashboard.head.state["state"] == state and dashboard.runner.history.epochs)
    until(lambda: state in ACTIVE or dashboard.runner.is_caught_up)
    dashboard._publisher.close()
    dashboard._tick()  # what ended the run is read once
    here, polls, read = threading.current_thread(), [], StatusFile.read

    def counted(status, folder):
        if threading.current_thread() is here:  # the follower polls for itself
            polls.append(folder)
        return read(status, folder)

    monkeypatch.setattr(StatusFile, "read", counted)
    assert dashboard._tick() < IDLE_PERIODS  # somebody watches
    assert polls == [trainer.path]
    assert ("the cable was pulled" in dashboard.head.state["trouble"]) == (state == "failed")
