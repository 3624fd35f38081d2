"""What is read of a status is what stands in its file, however it came there and whenever."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from hypothesis import given, strategies as st

from distill.training import RunStatus
from distill.training.run import status_file
from distill.training.run.status import status_to_json
from distill.training.run.status_file import StatusFile

OLD = time.time() - 3600
MOMENTS = st.sampled_from([None, OLD, OLD + 1, time.time() + 3600])


def step(number: int) -> RunStatus:
    return RunStatus("running", 1, "here", 0.0, 0, number, 1, 0)


def replace(path: Path, data: bytes, at: float | None) -> None:
    """As a trainer does; `at` is when its file system says it was."""
    path.with_name("new").write_bytes(data)
    path.with_name("new").replace(path)
    if at is not None:
        os.utime(path, (at, at))


@given(st.lists(st.tuples(st.sampled_from(["write", "harm", "delete", "link", "read"]), MOMENTS)))
def test_it_is_read_as_it_is_now(things: list[tuple[str, float | None]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        folder, watcher = Path(home), StatusFile()
        path = folder / "status.json"
        elsewhere = folder / "elsewhere.json"
        elsewhere.write_bytes(status_to_json(step(1000)))
        for number, (what, at) in enumerate(things):
            if what == "write":
                replace(path, status_to_json(step(number)), at)
            elif what == "harm":
                replace(path, b"{", at)
            elif what in ("delete", "link"):
                path.unlink(missing_ok=True)
                if what == "link":
                    path.symlink_to(elsewhere)
            assert watcher.read(folder) == StatusFile().read(folder)


def test_a_file_that_is_as_it_was_is_not_opened_again(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    opened = []

    def counted(*place):  # type: ignore[no-untyped-def]
        opened.append(place)
        return open_to_read(*place)

    open_to_read = status_file.open_to_read
    monkeypatch.setattr(status_file, "open_to_read", counted)
    watcher = StatusFile()
    replace(tmp_path / "status.json", status_to_json(step(1)), OLD)
    assert [watcher.read(tmp_path)[0] for _ in range(3)] == [step(1)] * 3
    assert len(opened) == 1
    replace(tmp_path / "status.json", status_to_json(step(2)), None)  # a moment ago: not settled
    assert [watcher.read(tmp_path)[0] for _ in range(3)] == [step(2)] * 3
    assert len(opened) == 4
