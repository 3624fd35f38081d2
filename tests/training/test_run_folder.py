from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distill import RunFolder, WarningEvent
from distill.errors import RunFolderError


def warning(number: int) -> WarningEvent:
    return WarningEvent(0, number, "disk", f"ü {number}")


def test_events_are_read_once_in_order_and_from_anywhere(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path / "run") as writer:
        for number in range(3):
            writer.append(warning(number))
        reader = RunFolder(tmp_path / "run")
        events, offset = reader.read_events()
        assert events == [warning(number) for number in range(3)]
        assert reader.read_events(offset) == ([], offset)
        writer.append(warning(3))
        assert reader.read_events(offset)[0] == [warning(3)]


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path) as writer:
        writer.append(warning(0))
    log = tmp_path / "events.jsonl"
    line = log.read_bytes()
    log.write_bytes(line + line[:10])
    events, offset = RunFolder(tmp_path).read_events()
    assert events == [warning(0)]
    log.write_bytes(line + line)
    assert RunFolder(tmp_path).read_events(offset)[0] == [warning(0)]


def test_no_run_yet_reads_as_empty(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "none")
    assert folder.read_events() == ([], 0)
    assert folder.read_status() is None
    with pytest.raises(RunFolderError, match=r"no run there \(expected run\.json\)"):
        folder.read_request()


def test_status_says_who_and_where(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path) as writer:
        writer.write_status("running", 2, 150)
        writer.write_status("running", 2, 151, now=False)  # too soon to be worth a write
    status = RunFolder(tmp_path).read_status()
    assert status is not None
    assert (status.state, status.pid, status.epoch, status.step) == (
        "running", os.getpid(), 2, 150,
    )  # fmt: skip


def test_two_trainers_never_share_a_folder(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path) as writer:
        writer.write_status("running", 0, 0)
        with (
            pytest.raises(RunFolderError, match=rf"running there \(process {os.getpid()}\)"),
            RunFolder.trainer(tmp_path),
        ):
            pass
        code = (
            "import sys\nfrom distill import RunFolder\n"
            f"with RunFolder.trainer({str(tmp_path)!r}): pass"
        )
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "another training is running there" in other.stderr
    with RunFolder.trainer(tmp_path):
        pass


def test_a_crashed_trainer_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os\nfrom distill import RunFolder\n"
        f"with RunFolder.trainer({str(tmp_path)!r}): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    with RunFolder.trainer(tmp_path) as writer:
        writer.append(warning(1))


def test_an_earlier_run_is_only_replaced_when_asked(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path) as writer:
        writer.write_request({"name": "first"})
        writer.append(warning(0))
    (tmp_path / "notes.txt").write_text("mine")
    with (
        pytest.raises(RunFolderError, match="holds an earlier run; choose another folder"),
        RunFolder.trainer(tmp_path),
    ):
        pass
    assert RunFolder(tmp_path).read_request() == {"name": "first"}
    with RunFolder.trainer(tmp_path, overwrite=True):
        pass
    assert RunFolder(tmp_path).read_events() == ([], 0)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_recordings_is_never_turned_into_a_run(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "kick.wav").write_bytes(b"RIFF")
    with (
        pytest.raises(RunFolderError, match=r"holds 'kick\.wav' and is no run folder"),
        RunFolder.trainer(tmp_path, overwrite=overwrite),
    ):
        pass
    assert (tmp_path / "kick.wav").exists()


def test_places_that_cannot_hold_a_run_are_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RunFolderError, match="a file; a run needs a folder"):
        RunFolder(file).check_free()
    with (
        pytest.raises(RunFolderError, match=r"cannot be written \(Not a directory\)"),
        RunFolder.trainer(file / "run"),
    ):
        pass


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"run\.json: damaged"):
        RunFolder(tmp_path).read_request()


def test_events_that_met_a_full_disk_are_written_later(tmp_path: Path) -> None:
    with RunFolder.trainer(tmp_path) as writer:
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
        with pytest.raises(OSError, match="No space left"):
            writer.append(warning(1))
        writer._events = real
        assert RunFolder(tmp_path).read_events()[0] == [warning(0)]
        writer.append(warning(2))
    assert RunFolder(tmp_path).read_events()[0] == [warning(0), warning(1), warning(2)]
