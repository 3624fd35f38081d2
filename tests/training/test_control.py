from __future__ import annotations

import threading
from pathlib import Path

import pytest

from distill.errors import RunFolderError
from distill.training.run.control import Control, change_control, read_control


def test_no_request_of_many_threads_is_lost(tmp_path: Path) -> None:
    def press() -> None:
        for _ in range(25):
            change_control(tmp_path, preview=True)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_control(tmp_path) == Control(serial=200, wanted="run", previews=200, saves=0)


def test_no_requests_yet(tmp_path: Path) -> None:
    assert read_control(tmp_path) == Control()


@pytest.mark.parametrize("text", ["", "{", '{"nonsense": 1}', "[]"])
def test_a_file_damaged_by_a_power_cut_is_taken_for_none(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "control.json").write_text(text)
    assert read_control(tmp_path) == Control()
    assert "control.json: damaged" in caplog.text
    assert change_control(tmp_path, wanted="pause") == 1
    assert read_control(tmp_path).wanted == "pause"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="the command could not be written"):
        change_control(tmp_path / "none", wanted="stop")
