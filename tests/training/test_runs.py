from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distill import RunFolder, TrainingRunner, VQVAEConfig
from distill.errors import RunFolderError
from distill.training import RunStatus
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.runs import list_runs
from distill.training.run.writer import hold_run


def status(**fields: object) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": "finished", "pid": 1, "host": "elsewhere", "heartbeat": 1e9, "epoch": 2,
        "step": 150, "session": 1, "acknowledged": 0,
    }  # fmt: skip
    return values | fields


def make(path: Path, **fields: object) -> Path:
    request = RunRequest.of(VQVAEConfig(max_steps=3), [], name=path.name, device="cpu")
    begin_run(path, request.to_dict())
    (path / "status.json").write_text(json.dumps(status(**fields)))
    return path


def test_a_run_that_learns_the_codes_of_a_model_is_named_by_both(tmp_path: Path) -> None:
    place = make(tmp_path / "drums")
    request = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps({**request, "codec": "0" * 64}))
    assert [run.name for run in list_runs(tmp_path)] == ["drums prior"]


ODD_STATUS: dict[str, Any] = {
    "a list": [], "null": None, "nothing in it": {}, "deep": None,
    "pid a text": status(pid="x"), "pid huge": status(pid=10**400), "pid below 0": status(pid=-1),
    "heartbeat a text": status(heartbeat="now"), "heartbeat huge": status(heartbeat=1e308),
    "heartbeat below 0": status(heartbeat=-1e12), "another state": status(state="dancing"),
    "state a list": status(state=["running"]), "epoch a text": status(epoch="2"),
    "epoch huge": status(epoch=10**30), "step null": status(step=None),
    "session a fraction": status(session=1.5), "host a number": status(host=5),
    "acknowledged true": status(acknowledged=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ODD_STATUS, "a folder", "a pipe", "a link", "1 GB", "no UTF-8"])
def test_a_run_with_an_odd_status_is_a_row_with_its_reason(kind: str, tmp_path: Path) -> None:
    make(tmp_path / "good")
    place = make(tmp_path / "odd") / "status.json"
    if kind in ODD_STATUS:
        text = "[" * 100_000 if kind == "deep" else json.dumps(ODD_STATUS[kind])
        place.write_text(text)
    elif kind == "no UTF-8":
        place.write_bytes(b'{"state":"\xff"}')
    elif kind == "1 GB":
        os.truncate(place, 1 << 30)
    else:
        place.unlink()
        if kind == "a folder":
            place.mkdir()
        elif kind == "a pipe":
            os.mkfifo(place)
        else:
            place.symlink_to(tmp_path / "good" / "status.json")
    runs = list_runs(tmp_path)
    assert [(run.name, run.state) for run in runs] == [("good", "finished"), ("odd", "gone")]
    assert not runs[0].problem and "status.json" in runs[1].problem
    assert runs[1].problem in repr(runs) and "problem" in runs._repr_html_()
    assert RunFolder(tmp_path / "odd").status_problem
    runner = TrainingRunner.attach(tmp_path / "odd")  # it can be watched all the same
    assert runner.state == "gone"
    runner.close()


ODD_REQUEST = {
    "a list": "[]", "null": "null", "half": '{"name":', "deep": '{"a":' * 100_000,
    "a number": "1" * 500, "config a list": None,
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ODD_REQUEST, "a folder", "a pipe", "a link", "dangling"])
def test_a_run_with_an_odd_request_is_a_row_with_its_reason(kind: str, tmp_path: Path) -> None:
    make(tmp_path / "good")
    place = make(tmp_path / "odd") / "run.json"
    if kind == "config a list":
        place.write_text(json.dumps({**json.loads(place.read_text()), "config": []}))
    elif kind in ODD_REQUEST:
        place.write_text(ODD_REQUEST[kind])
    else:
        place.unlink()
        if kind == "a folder":
            place.mkdir()
        elif kind == "a pipe":
            os.mkfifo(place)
        else:
            place.symlink_to(tmp_path / ("good/run.json" if kind == "a link" else "none"))
    runs = {run.name: run for run in TrainingRunner.list(tmp_path)}
    assert (runs["good"].state, runs["odd"].state) == ("finished", "damaged")
    assert "run.json" in runs["odd"].problem


def test_names_are_printable_and_short(tmp_path: Path) -> None:
    place = make(tmp_path / "run") / "run.json"
    name = "two\nlines\x1b[31m" + "x" * 1000
    place.write_text(json.dumps({"name": name}))
    [run] = list_runs(tmp_path)
    assert len(run.name) == 200 and "\n" not in run.name and "\x1b" not in repr(list_runs(tmp_path))


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(self: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(RunFolderError, match=r"cannot be read \(Permission denied\)"):
        list_runs(tmp_path)


@pytest.mark.parametrize("host", ["here", "elsewhere"])
@pytest.mark.parametrize("seconds", [-1e6, -60.0, 60.0, 1e6])
def test_another_clock_makes_no_dead_run_alive(host: str, seconds: float, tmp_path: Path) -> None:
    name = platform.node() if host == "here" else host
    beat = time.time() + seconds
    for number in range(3):
        make(tmp_path / f"{number}", state="running", pid=os.getpid(), host=name, heartbeat=beat)
    assert {run.state for run in list_runs(tmp_path)} == {"gone"}


def test_a_live_run_of_a_machine_with_another_clock_is_running(tmp_path: Path) -> None:
    beat = time.time() - 3600
    place = make(tmp_path / "run", state="running", host="elsewhere", heartbeat=beat)
    folder = RunFolder(place)
    assert folder.read_state(may_wait=False) == "not answering"  # once: nobody can know yet
    (place / "status.json").write_text(json.dumps(status(state="running", heartbeat=beat + 0.25)))
    assert folder.read_state() == "running"


def test_a_trainer_that_holds_its_run_and_is_silent_does_not_answer(tmp_path: Path) -> None:
    begin_run(tmp_path / "run", {"name": "run"})
    with hold_run(tmp_path / "run") as writer:
        old = time.time() - 60
        here = platform.node()
        writer.write_status(RunStatus("running", os.getpid(), here, old, 1, 5, 1, 0))
        os.utime(tmp_path / "run" / "status.json", (old, old))
        [run] = list_runs(tmp_path)
        assert run.state == "not answering" and "not answering" in repr(list_runs(tmp_path))
        runner = TrainingRunner.attach(tmp_path / "run")
        assert runner.is_running and "not answering" in repr(runner)
        writer.write_status(RunStatus.now("running", pid=os.getpid(), epoch=1, step=6, session=1))
        assert runner.state == "running"
        runner.close()


READ = """
import os, sys
from pathlib import Path
from distill import RunFolder, TrainingRunner
from distill.errors import DistillError
from distill.family import family
family("vqvae")  # nobody may be kept out of the folder that the packages lie in as well
if os.geteuid() == 0:
    os.setegid(65534); os.seteuid(65534)
home = Path(sys.argv[1])
for name in ("dead", "finished", "locked"):
    runner = TrainingRunner.attach(home / name)
    print(name, runner.state, RunFolder(home / name).read_state(), runner.history.step_count)
    runner.close()
print(sorted((run.name, run.state) for run in TrainingRunner.list(home)))
try:
    TrainingRunner.attach(home / "dead").resume()
except DistillError as error:
    print(error)
"""


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A folder that others may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made) / "runs"
        for path in (Path(made), *Path(made).rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)


def test_rights_to_read_are_enough_to_watch(open_home: Path) -> None:
    """As one who may not write: a dead run, one that has ended, one whose trainer is silent."""
    home, here, old = open_home, platform.node(), time.time() - 60
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, text=True, check=True)  # fmt: skip
    make(home / "dead", state="running", host=here, pid=int(ended.stdout))
    make(home / "finished", host=here)
    make(home / "locked", state="running", host=here, pid=os.getpid(), heartbeat=old)
    os.utime(home / "locked" / "status.json", (old, old))
    with hold_run(home / "locked"):
        for path in (*home.rglob("*"), home):
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run([sys.executable, "-c", READ, str(home)],
                                capture_output=True, text=True)  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "dead gone gone 0",
        "finished finished finished 0",
        "locked not answering not answering 0",
        "[('dead', 'gone'), ('finished', 'finished'), ('locked', 'not answering')]",
    ], done.stderr
    assert "cannot be written (Permission denied)" in lines[4]
