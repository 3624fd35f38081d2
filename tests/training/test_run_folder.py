from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill import CheckpointEvent, RunFolder, WarningEvent
from distill.errors import RunFolderError
from distill.training import RunStatus
from distill.training.run.preparation import announce_trainer, begin_run, extend_run
from distill.training.run.writer import hold_run
from distill.training.watch.event_lines import event_to_line

REQUEST = {"name": "a run"}


def warning(number: int) -> WarningEvent:
    return WarningEvent(0, number, "disk", f"ü {number}")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    begin_run(tmp_path / "run", REQUEST)
    return tmp_path / "run"


def status(state: str, **fields: object) -> RunStatus:
    values = {
        "state": state, "pid": os.getpid(), "host": platform.node(), "heartbeat": time.time(),
        "epoch": 2, "step": 150, "session": 1, "acknowledged": 0,
    }  # fmt: skip
    return RunStatus(**{**values, **fields})  # type: ignore[arg-type]


def other_process(code: str) -> subprocess.CompletedProcess[str]:
    lines = f"import os, sys\nfrom pathlib import Path\n{code}"
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)


def test_events_are_read_once_in_order_and_from_anywhere(run: Path) -> None:
    with hold_run(run) as writer:
        for number in range(3):
            writer.append(warning(number))
        events, offset = RunFolder(run).read_events()
        assert events == [warning(number) for number in range(3)]
        assert RunFolder(run).read_events(offset) == ([], offset)
        writer.append(warning(3))
        assert RunFolder(run).read_events(offset)[0] == [warning(3)]


def test_a_torn_last_line_waits_for_its_end(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(warning(0))
    log = run / "events.jsonl"
    line = log.read_bytes()
    log.write_bytes(line + line[:10])
    events, offset = RunFolder(run).read_events()
    assert events == [warning(0)]
    log.write_bytes(line + line)
    assert RunFolder(run).read_events(offset)[0] == [warning(0)]


def test_rewinding_forgets_what_came_after_a_checkpoint_but_not_its_note(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(warning(0))
        size = writer.sync_events()
        note = CheckpointEvent(0, 1, "checkpoints/step-000001.ckpt", True)
        writer.append(note)
        writer.append(warning(2))
        writer.rewind_events(size)
        assert writer.read_events()[0] == [warning(0), note]
        writer.append(warning(3))
    assert RunFolder(run).read_events()[0] == [warning(0), note, warning(3)]


def test_rewinding_over_a_torn_line_and_no_note(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(warning(0))
        size = writer.sync_events()
        writer.append(warning(1))
    with (run / "events.jsonl").open("ab") as log:
        log.write(b'{"event":"Warn')
    with hold_run(run) as writer:
        writer.rewind_events(size)
    assert RunFolder(run).read_events()[0] == [warning(0)]


def test_no_run_yet_reads_as_empty(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "none")
    assert folder.read_events() == ([], 0)
    assert folder.read_status() is None
    assert not folder.is_run
    with pytest.raises(RunFolderError, match=r"no run there \(expected run\.json\)"):
        folder.read_request()
    with pytest.raises(RunFolderError, match="no run there"), hold_run(tmp_path / "none"):
        pass


def test_two_trainers_never_share_a_folder(run: Path) -> None:
    with hold_run(run) as writer:
        writer.write_status(status("running"))
        with (
            pytest.raises(RunFolderError, match=rf"running there \(process {os.getpid()}\)"),
            hold_run(run),
        ):
            pass
        with pytest.raises(RunFolderError, match="another training is running there"):
            begin_run(run, REQUEST, overwrite=True)
        answer = other_process(
            "from distill.training.run.writer import hold_run\n"
            f"with hold_run(Path({str(run)!r})): pass"
        )
        assert "another training is running there" in answer.stderr
    with hold_run(run):
        pass


def test_a_crashed_trainer_leaves_no_lock_and_no_temporary_file(run: Path) -> None:
    answer = other_process(
        "from distill.training.run.writer import hold_run\n"
        "from distill import atomic\n"
        "from distill.atomic import write_atomically\n"
        "atomic._UNNAMED = 0\n"  # as where a system has no files without names
        f"with hold_run(Path({str(run)!r})) as w, write_atomically(w.model_path) as f:\n"
        "    f.write(b'half'); f.flush(); os._exit(9)"
    )
    assert answer.returncode == 9, answer.stderr
    assert [path.name for path in run.glob(".model.distill*")]
    with hold_run(run) as writer:
        writer.append(warning(1))
    assert not list(run.glob(".model.distill*"))


def test_an_earlier_run_is_only_replaced_when_asked(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(warning(0))
    (run / "notes.txt").write_text("mine")
    with pytest.raises(
        RunFolderError, match="holds an earlier run; attach to it, resume it, overwrite"
    ):
        begin_run(run, {"name": "second"})
    assert RunFolder(run).read_request() == REQUEST
    begin_run(run, {"name": "second"}, overwrite=True)
    assert RunFolder(run).read_request() == {"name": "second"}
    assert RunFolder(run).read_events() == ([], 0)
    assert (run / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_recordings_is_never_turned_into_a_run(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "kick.wav").write_bytes(b"RIFF")
    with pytest.raises(RunFolderError, match=r"holds 'kick\.wav' and is no run folder"):
        begin_run(tmp_path, REQUEST, overwrite=overwrite)
    assert (tmp_path / "kick.wav").exists()


def test_places_that_cannot_hold_a_run_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RunFolderError, match="a file; a run needs a folder"):
        RunFolder(file).check_free()
    with pytest.raises(RunFolderError, match=r"cannot be written \(Not a directory\)"):
        begin_run(file / "run", REQUEST)


def test_a_damaged_request_is_named(run: Path) -> None:
    (run / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"run\.json: damaged"):
        RunFolder(run).read_request()


@pytest.mark.parametrize("text", ["", "{", '{"state": "running"}'])
def test_a_status_damaged_by_a_power_cut_is_taken_for_none(run: Path, text: str) -> None:
    with hold_run(run) as writer:
        writer.write_status(status("running"))
    (run / "status.json").write_text(text)
    assert RunFolder(run).read_status() is None
    assert RunFolder(run).read_state() == "gone"
    with hold_run(run):
        pass


def test_a_run_that_is_starting_is_not_wiped_or_started_twice(run: Path) -> None:
    announce_trainer(run, os.getppid())
    with pytest.raises(RunFolderError, match="another training is starting there; attach to it"):
        begin_run(run, {"name": "second"}, overwrite=True)
    with pytest.raises(RunFolderError, match="another training is starting there"):
        extend_run(run, {"max_steps": 10})
    assert RunFolder(run).read_state() == "starting"


def test_a_start_of_this_process_that_found_no_room_to_say_its_end_is_no_other(run: Path) -> None:
    announce_trainer(run, os.getpid())
    begin_run(run, {"name": "second"}, overwrite=True)
    assert RunFolder(run).read_request()["name"] == "second"


def test_events_that_never_found_room_are_written_from_the_reserve(run: Path) -> None:
    with hold_run(run) as writer:
        real = writer._events

        class FullUntilThereIsRoom:
            def write(self, data: bytes) -> int:
                if (run / ".reserve").exists():
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return real.write(data)

            def truncate(self, size: int) -> int:
                return real.truncate(size)

        writer._events = FullUntilThereIsRoom()  # type: ignore[assignment]
        writer.append(warning(1))
        writer._events = real
    assert RunFolder(run).read_events()[0] == [warning(1)]
    assert not (run / ".reserve").exists()


def test_a_checkpoint_never_counts_events_that_are_not_written(run: Path) -> None:
    with hold_run(run) as writer:
        writer._pending.append(event_to_line(warning(1)))
        assert writer.sync_events() == len(event_to_line(warning(1)))
    assert RunFolder(run).read_events()[0] == [warning(1)]


def test_events_that_met_a_full_disk_are_written_later(run: Path) -> None:
    with hold_run(run) as writer:
        writer.append(warning(0))
        real = writer._events

        class Full:
            """Takes half a line, then the disk is full; truncation still works."""

            def write(self, data: bytes) -> int:
                real.write(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            def truncate(self, size: int) -> int:
                return real.truncate(size)

        writer._events = Full()  # type: ignore[assignment]
        (run / ".reserve").unlink()
        with pytest.raises(OSError, match="No space left"):
            writer.append(warning(1))
        writer._events = real
        assert RunFolder(run).read_events()[0] == [warning(0)]
        writer.append(warning(2))
    assert RunFolder(run).read_events()[0] == [warning(0), warning(1), warning(2)]


def test_sessions_are_counted(run: Path) -> None:
    for expected in (1, 2):
        with hold_run(run) as writer:
            assert writer.session == expected
            writer.write_status(status("finished", session=writer.session))


def test_a_run_is_gone_when_its_trainer_is_dead(run: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, text=True)  # fmt: skip
    with hold_run(run) as writer:
        writer.write_status(status("running", pid=int(ended.stdout)))
    assert RunFolder(run).read_state() == "gone"


def test_a_run_is_gone_when_another_process_got_its_number(run: Path) -> None:
    stale = time.time() - 60
    with hold_run(run) as writer:
        writer.write_status(status("paused", heartbeat=stale))
        assert RunFolder(run).read_state() == "paused"  # it holds the lock, and has just written
        os.utime(run / "status.json", (stale, stale))
        assert RunFolder(run).read_state() == "not answering"
    assert RunFolder(run).read_state() == "gone"


def test_a_run_that_was_begun_but_has_no_trainer_yet(run: Path) -> None:
    assert RunFolder(run).read_state() == "gone"
    with hold_run(run) as writer:
        assert RunFolder(run).read_state() == "starting"
        writer.write_status(status("finished"))
    assert RunFolder(run).read_state() == "finished"
