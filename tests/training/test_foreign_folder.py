"""A run folder that somebody sent: whatever is in it, nothing outside is touched or waited for."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from distill import RunFolder, TrainingRunner, VQVAEConfig, WarningEvent
from distill.errors import DistillError, ForeignEntryError, RunFolderError
from distill.training import RunStatus
from distill.training.run.layout import OWN_FILES
from distill.training.run.marks import change_mark
from distill.training.run.preparation import announce_trainer, begin_run, extend_run
from distill.training.run.request import RunRequest
from distill.training.run.writer import hold_run

FILES = ("run.json", "status.json", "control.json", "events.jsonl", "worker.log", "model.distill",
         "codec.safetensors", "weights.safetensors", "marks.json",
         ".lock", ".control.lock", ".reserve")  # fmt: skip
FOLDERS = ("checkpoints", "previews")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with everything that a run would replace, cut or delete in it."""
    place = tmp_path / "outside"
    for name in ("epoch-0001", "step-000001", "holiday"):
        (place / name).mkdir(parents=True)
        (place / name / "00-original.wav").write_bytes(b"mine")
    for name in ("file", "step-000009.ckpt", ".step-000009.ckpt.0123abcd.tmp", "run.json"):
        (place / name).write_bytes(b"mine, and longer than nothing\n")
    return place


@pytest.fixture
def run(tmp_path: Path) -> Path:
    request = RunRequest.of(VQVAEConfig(max_steps=3), [], name="sent", device="cpu")
    begin_run(tmp_path / "run", request.to_dict())
    with hold_run(tmp_path / "run") as writer:
        writer.append(WarningEvent(0, 0, "disk", "one"))
    return tmp_path / "run"


def snapshot(place: Path) -> list[tuple[str, int, bytes]]:
    return sorted(
        (str(path), path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in place.rglob("*")
    )


def trains(run: Path) -> None:
    """What a trainer does to the folder of a run it resumes."""
    extend_run(run, {})
    announce_trainer(run, os.getpid())
    with hold_run(run) as writer:
        writer.append(WarningEvent(0, 0, "disk", "two"))
        writer.rewind_events(0)
        writer.forget_previews(set())
        writer.write_status(RunStatus.now("stopped", pid=os.getpid(), epoch=0, step=0, session=1))


def holds(run: Path) -> None:
    with hold_run(run):
        pass


DEEDS: dict[str, Callable[[Path], object]] = {
    "resumed": trains,
    "held": holds,
    "begun anew": lambda run: begin_run(run, {"name": "new"}, overwrite=True),
    "extended": lambda run: extend_run(run, {"max_steps": 9}),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", ["link", "dangling", "relative", "hard"])
@pytest.mark.parametrize("name", FILES)
def test_nothing_outside_is_written_cut_or_made_through_a_file(
    name: str, kind: str, deed: str, run: Path, outside: Path
) -> None:
    place, target = run / name, outside / "file"
    original = place.read_bytes() if place.exists() else b""
    if name == "run.json":  # one that can be read, or nothing would be done at all
        target.write_bytes(original)
    place.unlink(missing_ok=True)
    if kind == "hard":
        place.hardlink_to(target)
    else:
        links = {
            "link": target, "dangling": outside / "new", "relative": Path("..", "outside", "file"),
        }  # fmt: skip
        place.symlink_to(links[kind])
    before = snapshot(outside)
    if kind == "hard":
        DEEDS[deed](run)
    else:
        with pytest.raises(RunFolderError, match=f"{name}|no run there"):
            DEEDS[deed](run)
        assert place.is_symlink()
    assert snapshot(outside) == before


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", ["link", "dangling", "to the folder above"])
@pytest.mark.parametrize("name", FOLDERS)
def test_nothing_outside_is_deleted_or_made_through_a_folder(
    name: str, kind: str, deed: str, run: Path, outside: Path
) -> None:
    links = {"link": outside, "dangling": outside / "new", "to the folder above": Path("..")}
    (run / name).symlink_to(links[kind])
    before = snapshot(outside)
    with pytest.raises(ForeignEntryError, match=rf"{name}: a link where distill keeps a folder"):
        DEEDS[deed](run)
    assert snapshot(outside) == before
    assert sorted(path.name for path in run.parent.iterdir()) == ["outside", "run"]


def test_links_deeper_down_are_left_alone(run: Path, outside: Path) -> None:
    for name in ("previews", "checkpoints"):
        (run / name).mkdir()
    (run / "previews" / "epoch-0001").symlink_to(outside / "epoch-0001")
    (run / "previews" / "epoch-0002").mkdir()
    (run / "previews" / "epoch-0002" / "00-original.wav").symlink_to(outside / "file")
    (run / "checkpoints" / ".step-000009.ckpt.0123abcd.tmp").symlink_to(outside / "file")
    before = snapshot(outside)
    trains(run)
    begin_run(run, {"name": "new"}, overwrite=True)
    assert snapshot(outside) == before


def test_only_what_a_run_can_have_made_is_removed(run: Path) -> None:
    kept = ("previews/.DS_Store", "previews/notes.txt", "previews/holiday/00-original.wav",
            "previews/epoch-0002/mine.wav", "checkpoints/mine.ckpt", "checkpoints/.DS_Store",
            "checkpoints/step-1.ckpt.bak", "notes.txt", ".notes.0123abcd.tmp")  # fmt: skip
    ours = ("previews/epoch-0001/00-original.wav", "previews/step-000004/00-reconstruction.wav",
            "previews/epoch-0001/.00-original.wav.0123abcd.tmp", "model.distill", "worker.log",
            "checkpoints/step-000001.ckpt", "checkpoints/step-000002.damaged",
            "checkpoints/.step-000003.ckpt.0123abcd.tmp", ".status.json.0123abcd.tmp")  # fmt: skip
    for name in (*kept, *ours):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"x")
    with hold_run(run) as writer:
        writer.forget_previews({"previews/step-000004"})
        assert (run / "previews" / "step-000004").is_dir()
        assert not (run / "previews" / "epoch-0001").exists()
    begin_run(run, {"name": "new"}, overwrite=True)
    for name in kept:
        assert (run / name).read_bytes() == b"x", name
    assert [name for name in ours if (run / name).exists()] == []
    with hold_run(run) as writer:  # and the run goes on with them there
        writer.forget_previews(set())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_nobody_waits_for_a_pipe_in_the_place_of_a_file(name: str, kind: str, run: Path) -> None:
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name) if kind == "pipe" else (run / name).mkdir()
    said: list[object] = []

    def everything() -> None:
        folder = RunFolder(run)
        reads = [
            folder.read_request, folder.read_status, folder.read_state, folder.read_events,
            lambda: folder.check_free(overwrite=True), lambda: folder.events_bytes,
            lambda: TrainingRunner.list(run), lambda: TrainingRunner.list(run.parent),
            lambda: TrainingRunner.attach(run).close(), lambda: folder.marks,
            lambda: change_mark(run, "kick", "good"),
        ]  # fmt: skip
        for read in [*reads, *(functools.partial(deed, run) for deed in DEEDS.values())]:
            try:
                read()
            except DistillError as error:
                said.append(error)

    thread = threading.Thread(target=everything, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "somebody waits"
    assert said or name in ("worker.log", "model.distill")


def test_every_file_that_a_new_run_replaces_is_known() -> None:
    assert set(OWN_FILES) <= {*FILES, *FOLDERS}
