"""The event log after a power cut, of a stranger, of a later version: whole, or said not to be."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from distill import (
    CheckpointEvent,
    RunFolder,
    TrainingCompleteEvent,
    TrainingRunner,
    VQStepMetrics,
    WarningEvent,
)
from distill.errors import ForeignEntryError, RunFolderError, TrainingError
from distill.training import RunStatus
from distill.training.run import log_lines
from distill.training.run.log_lines import TOO_LONG, read_lines
from distill.training.run.preparation import begin_run
from distill.training.run.writer import hold_run
from distill.training.watch.event_lines import Event, event_to_line

LONG = 5 << 20


def step(number: int) -> VQStepMetrics:
    return VQStepMetrics(0, number, 1.0, 0.9, 0.1, 1e-3, 1.0, 0.5, float(number))


NOTE = CheckpointEvent(0, 3, "checkpoints/step-000003.ckpt", True)
DONE = TrainingCompleteEvent("max_steps", "model.distill", 0, 0.5, 1, 3, 5.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    begin_run(tmp_path / "run", {"name": "run"})
    return tmp_path / "run"


def finished(run: Path, lines: list[bytes]) -> Path:
    with hold_run(run) as writer:
        (run / "events.jsonl").write_bytes(b"".join(lines))
        writer.write_status(RunStatus.now("finished", pid=1, epoch=1, step=3, session=1))
    return run


TAILS: dict[str, bytes] = {
    "a hole": bytes(5000),
    "a hole and a line": bytes(100) + b"\n" + event_to_line(step(9)),
    "garbage": b"\xff\xfe\x00garbage\n",
    "half an event": event_to_line(step(3))[:-9],
    "half a note of the checkpoint": event_to_line(NOTE)[:-5],
    "events": b"".join(event_to_line(step(number)) for number in (3, 4)),
    "garbage before events": b"{\n" + event_to_line(step(3)),
    "a long line": b"x" * LONG,
    "nothing": b"",
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
@pytest.mark.parametrize("noted", [True, False])
def test_whatever_follows_a_checkpoint_is_cut_there(tail: bytes, noted: bool, run: Path) -> None:
    with hold_run(run) as writer:
        for number in range(3):
            writer.append(step(number))
        size = writer.sync_events()
    note = event_to_line(NOTE) if noted else b""
    with (run / "events.jsonl").open("ab") as log:
        log.write(note + tail)
    with hold_run(run) as writer:
        assert writer.rewind_events(size) == ""
        writer.append(step(3))
    expected: list[Event] = [step(0), step(1), step(2)]
    expected += [NOTE] if noted else []
    folder = RunFolder(run)
    assert folder.read_events()[0] == [*expected, step(3)]
    assert folder.events_bytes == size + len(note) + len(event_to_line(step(3)))


@pytest.mark.parametrize("left", [0, 1, 40, 200])
def test_a_log_shorter_than_its_checkpoint_is_said_so_and_not_filled_up(
    left: int, run: Path
) -> None:
    with hold_run(run) as writer:
        for number in range(3):
            writer.append(step(number))
        size = writer.sync_events()
    os.truncate(run / "events.jsonl", left)
    with hold_run(run) as writer:
        said = writer.rewind_events(size)
        writer.append(step(3))
    expected = "was deleted" if not left else f"has {left} bytes of {size}"
    assert said.startswith(f"events.jsonl {expected} since the checkpoint")
    data = (run / "events.jsonl").read_bytes()
    assert b"\0" not in data and data.endswith(event_to_line(step(3)))
    assert len(data) <= left + 1 + len(event_to_line(step(3)))
    assert step(3) in RunFolder(run).read_events()[0]


def test_a_log_that_another_program_has_changed_is_ended_at_a_line(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(step(0))
        assert writer.rewind_events(20) == ""
        writer.append(step(1))
    assert RunFolder(run).read_events()[0] == [step(1)]


def read(run: Path) -> TrainingRunner:
    runner = TrainingRunner.attach(run)
    runner.close()
    return runner


ODD: dict[str, bytes] = {
    "null": b"null\n", "deep": b"[" * 200_000 + b"\n", "a hole": bytes(300) + b"\n",
    "garbage": b"\xff\xfe\n", "no end of a number": b'{"event":"WarningEvent","epoch":1e999}\n',
    "another type": event_to_line(step(1)).replace(b'"step":1', b'"step":"1"'),
    "a long line": b"y" * LONG + b"\n", "a carriage return": b"a\rb\n",
    "a long step": event_to_line(step(1))[:-2] + b',"z":"' + b"z" * LONG + b'"}\n',
    "half a line": event_to_line(step(1))[:30] + event_to_line(step(2)),
}  # fmt: skip


@pytest.mark.parametrize("line", ODD.values(), ids=ODD)
def test_the_rest_of_a_log_with_an_odd_line_is_shown_and_said_to_be_a_rest(
    line: bytes, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finished(run, [event_to_line(step(0)), line, event_to_line(step(5)), event_to_line(DONE)])
    got: list[Event] = []
    runner = TrainingRunner.attach(run, got.append)
    result = runner.wait(30, progress=False)
    runner.close()
    assert result is not None and result.reason == "max_steps"
    assert runner.last_error is None and runner.state == "finished"
    assert list(runner.history.steps["step"]) == [0, 5]
    assert got == [step(0), step(5), DONE]
    assert runner.history.gaps.unreadable == 1
    assert isinstance(runner.trouble, RunFolderError)
    assert "1 line of the events cannot be read" in str(runner.trouble)
    caplog.clear()
    assert RunFolder(run).read_events()[0] == [step(0), step(5), DONE]
    assert "1 line of the events cannot be read" in caplog.text


def test_a_later_versions_events_are_named(run: Path) -> None:
    finished(run, [b'{"event":"Weather"}\n', event_to_line(step(0)), event_to_line(DONE)])
    runner = read(run)
    assert runner.result is not None
    assert "1 kind of events of a later version not shown: Weather" in str(runner.trouble)


def test_nothing_is_missing_of_a_whole_log(run: Path) -> None:
    finished(run, [event_to_line(step(0)), event_to_line(DONE)])
    assert read(run).trouble is None


def test_a_run_that_ended_well_stays_so_when_its_last_event_is_lost(run: Path) -> None:
    finished(run, [event_to_line(step(0)), b"{\n"])
    runner = read(run)
    assert runner.last_error is None
    result = runner.result
    assert result is not None and (result.reason, result.steps) == ("finished", 3)
    assert "cannot be read" in str(runner.trouble)


@pytest.mark.parametrize("kind", ["a pipe", "a link", "a folder"])
def test_a_log_that_is_none_is_trouble_with_a_name(kind: str, run: Path) -> None:
    finished(run, [])
    log = run / "events.jsonl"
    log.unlink()
    if kind == "a pipe":
        os.mkfifo(log)
    elif kind == "a link":
        log.symlink_to("/etc/passwd")
    else:
        log.mkdir()
    runner = read(run)
    assert isinstance(runner.trouble, ForeignEntryError)
    assert f"events.jsonl: {kind} where distill keeps a file" in str(runner.trouble)
    with pytest.raises(TrainingError, match="cannot be followed"):
        runner.wait(30, progress=False)


def test_lines_of_any_length_take_little_memory(run: Path) -> None:
    log = run / "events.jsonl"
    log.write_bytes(event_to_line(step(0)))
    os.truncate(log, 200 << 20)  # a hole of 200 MB, without an end
    with log.open("ab") as file:
        file.write(b"\n" + event_to_line(step(1)))
    folder = RunFolder(run)
    tracemalloc.start()
    try:
        lines, offset = folder.read_lines(0, 4 << 20)
        found = list(lines)
        while lines:
            lines, offset = folder.read_lines(offset, 4 << 20)
            found += lines
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [event_to_line(step(0))[:-1], TOO_LONG, event_to_line(step(1))[:-1]]
    assert peak < 20 << 20


def test_a_hole_of_terabytes_is_passed_over_without_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no room on a disk, and hours to be read."""
    monkeypatch.setattr(log_lines, "LONGEST_LINE_BYTES", 4 << 20)
    log = tmp_path / "events.jsonl"
    log.write_bytes(event_to_line(step(0)))
    try:
        os.truncate(log, 1 << 40)
    except OSError:
        pytest.skip("no file can be so large here")
    with log.open("rb") as file:
        lines, offset = read_lines(file, 0, 1 << 20)
        assert lines == [event_to_line(step(0))[:-1]]
        assert read_lines(file, offset, 1 << 20) == ([TOO_LONG], 1 << 40)
        assert read_lines(file, 1 << 40, 1 << 20) == ([], 1 << 40)


def test_a_folder_that_is_deleted_keeps_what_was_seen_of_it(run: Path, tmp_path: Path) -> None:
    from distill.training.watch.follower import Follower

    ended = [False]
    with hold_run(run) as writer:
        writer.append(step(0))
        follower = Follower(RunFolder(run), None, trainer_ended=lambda: ended[0])
        follower.start()
        follower.wait_until_caught_up()
        writer.append(step(1))
        run.rename(tmp_path / "moved")
        writer.append(step(2))
        ended[0] = True
        assert follower.wait(30)
    assert follower.history.step_count == 3 and follower.error is None


_pieces = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"\n", b"\0" * 40, b"null\n", b"[[[[", *map(event_to_line, (step(1), NOTE))]),
    st.integers(0, 200).map(lambda size: event_to_line(WarningEvent(0, 1, "disk", "ü"))[:size]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(_pieces, max_size=4), after=st.lists(_pieces, max_size=6))
@example(before=[], after=[])
def test_any_tail_is_cut_and_any_log_is_read(
    before: list[bytes], after: list[bytes], run: Path
) -> None:
    """Whatever lies after the checkpoint is gone, what lies before is read or counted."""
    head = b"".join(before)
    head += b"" if head.endswith(b"\n") or not head else b"\n"
    (run / "events.jsonl").write_bytes(head + b"".join(after))
    with hold_run(run) as writer:
        assert writer.rewind_events(len(head)) == ""
        writer.append(step(7))
    data = (run / "events.jsonl").read_bytes()
    assert data.startswith(head) and data.endswith(event_to_line(step(7)))
    runner = read(run)
    shown = runner.history.step_count + len(runner.history.checkpoints)
    shown += len(runner.history.warnings)
    gaps = runner.history.gaps
    assert shown + gaps.unreadable + sum(gaps.later.values()) == data.count(b"\n")
    assert bool(gaps) == (runner.trouble is not None)
