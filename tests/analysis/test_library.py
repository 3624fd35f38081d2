from __future__ import annotations

import json
import os
import shutil
import threading
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from distill import (
    ConvVAE,
    ModelLibrary,
    VAEConfig,
    edit_metadata,
    load_model_v2,
    read_model_info,
    save_model,
    save_model_v2,
)
from distill.analysis import LibraryModel
from distill.analysis.library import library as library_module, trash as trash_module
from distill.errors import CorruptModelError, LibraryError, ModelFileError
from distill.training import TrainingResult
from distill.training.run.folder import acquire_lock


@pytest.fixture
def folder(trained: TrainingResult, tmp_path: Path) -> Path:
    """Three models (one in a run folder), one damaged file, one foreign, and other things."""
    path = tmp_path / "models"
    (path / "deep" / "er").mkdir(parents=True)
    model = trained.load()
    for place, name, tags, created in (
        ("choir.distill", "Choir", ["voice", "Warm"], "2024-05-01T12:00:00+00:00"),
        ("deep/er/drums.distill", "Drums", [], "2025-06-02T23:30:00+00:00"),
    ):
        facts = {"name": name, "tags": tags, "created": created, "description": f"of {name}s"}
        save_model_v2(path / place, model, metadata=facts)
    shutil.copytree(trained.model_path.parent, path / "run")
    data = trained.model_path.read_bytes()
    (path / "half.distill").write_bytes(data[: len(data) // 2])
    (path / "foreign.distill").write_text("not a model")
    (path / "notes.txt").write_text("nothing to see")
    (path / ".hidden").mkdir()
    shutil.copy(trained.model_path, path / ".hidden" / "x.distill")
    (path / ".model.distill.1234.tmp").write_bytes(b"left over")
    return path


@pytest.fixture
def library(folder: Path) -> ModelLibrary:
    return ModelLibrary(folder)


def named(library: ModelLibrary, name: str) -> LibraryModel:
    [found] = [model for model in library if model.name == name]
    return found


def test_models_are_found_at_every_depth_newest_first(library: ModelLibrary) -> None:
    assert [model.name for model in library] == ["trained", "Drums", "Choir"]
    assert [model.place for model in library] == [
        "run/model.distill",
        "deep/er/drums.distill",
        "choir.distill",
    ]
    assert len(library) == 3


def test_what_cannot_be_used_is_listed_with_its_reason(library: ModelLibrary) -> None:
    reasons = {refused.path.name: refused.reason for refused in library.refused}
    assert set(reasons) == {"half.distill", "foreign.distill"}
    assert "truncated or altered" in reasons["half.distill"]
    assert reasons["foreign.distill"] == "foreign.distill: not a .distill file"


def test_a_model_is_described_by_its_header(library: ModelLibrary, folder: Path) -> None:
    model, info = named(library, "Choir"), read_model_info(folder / "choir.distill")
    assert model.tags == ("voice", "Warm")
    assert model.created == datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    assert (model.levels, model.entries, model.bits_per_second) == (3, 16, 562.5)
    assert model.health == min(level.utilization for level in info.codebook_health)
    assert model.best_validation == min(info.loss_curves["val"])
    assert model.file_bytes == (folder / "choir.distill").stat().st_size
    assert model.parameters == info.parameters
    assert model.info == info


def test_weights_are_never_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    def never(*arguments: object, **more: object) -> None:
        raise AssertionError("weights were loaded")

    monkeypatch.setattr(safetensors.torch, "load", never)
    library = ModelLibrary(folder)
    library.rename(library.models[0], "other")
    library.tag(library.models[0], "x")


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["trained", "Drums", "Choir"]),
        ({"text": "CHOIR"}, ["Choir"]),
        ({"text": "of d"}, ["Drums"]),
        ({"text": "nothing"}, []),
        ({"tag": "warm"}, ["Choir"]),
        ({"tag": "war"}, []),
        ({"until": date(2025, 6, 4)}, ["Drums", "Choir"]),
        ({"since": datetime(2025, 6, 2, 23, 0, tzinfo=timezone.utc)}, ["trained", "Drums"]),
        (
            {
                "since": datetime(2024, 5, 1, 12, tzinfo=timezone.utc),
                "until": datetime(2024, 5, 1, 12, tzinfo=timezone.utc),
            },
            ["Choir"],
        ),
        ({"minimum_health": 0.0}, ["trained", "Drums", "Choir"]),
        ({"minimum_health": 1.01}, []),
        ({"text": "choir", "tag": "voice", "until": date(2024, 1, 1)}, []),
    ],
)
def test_models_are_searched(library: ModelLibrary, asked: dict, names: list[str]) -> None:  # type: ignore[type-arg]
    assert [model.name for model in library.search(**asked)] == names


def test_a_date_means_its_whole_day(library: ModelLibrary) -> None:
    day = named(library, "Drums").created.astimezone().date()
    found = library.search(since=day, until=day)
    assert [model.name for model in found] == ["Drums"]
    assert not library.search(since=day + timedelta(days=1), until=day + timedelta(days=1))


def test_a_model_of_unknown_health_is_not_healthy(trained: TrainingResult, tmp_path: Path) -> None:
    save_model_v2(tmp_path / "a.distill", trained.load().model)
    library = ModelLibrary(tmp_path)
    assert library.models[0].health is None and library.models[0].best_validation is None
    assert library.search(minimum_health=0.1) == ()
    assert "a.distill" in repr(library)


def test_a_header_that_says_odd_things_is_shown_all_the_same(
    trained: TrainingResult, tmp_path: Path
) -> None:
    path = tmp_path / "odd.distill"
    odd = {"tags": "voice", "created": "yesterday", "name": 7, "corpus": [1]}
    save_model_v2(path, trained.load(), metadata=odd)
    [model] = ModelLibrary(tmp_path)
    assert (model.name, model.tags) == ("7", ())
    assert abs(model.created.timestamp() - path.stat().st_mtime) < 1
    assert "odd.distill" in ModelLibrary(tmp_path)._repr_html_()


def test_renaming_keeps_the_file_and_every_weight(library: ModelLibrary, folder: Path) -> None:
    before = load_model_v2(folder / "choir.distill")
    renamed = library.rename(named(library, "Choir"), "  Grand choir ")
    assert renamed.name == "Grand choir" and renamed.path == folder / "choir.distill"
    assert named(library, "Grand choir").tags == ("voice", "Warm")
    after = load_model_v2(renamed.path)
    assert after.metadata == {**before.metadata, "name": "Grand choir"}
    for name, value in before.model.state_dict().items():
        assert value.equal(after.model.state_dict()[name]), name


def test_tags_come_and_go(library: ModelLibrary) -> None:
    assert library.tag("deep/er/drums.distill", "loud", "loud ", "fast").tags == ("loud", "fast")
    assert library.untag(named(library, "Drums"), "loud", "never there").tags == ("fast",)
    assert library.search(tag="fast")[0].name == "Drums"


def test_tags_are_added_to_what_the_file_says_now(library: ModelLibrary, folder: Path) -> None:
    stale = named(library, "Choir")
    edit_metadata(folder / "choir.distill", tags=["voice", "elsewhere"])
    assert library.tag(stale, "new").tags == ("voice", "elsewhere", "new")


def test_a_deleted_model_can_be_restored(library: ModelLibrary, folder: Path) -> None:
    data = (folder / "choir.distill").read_bytes()
    trashed = library.delete(named(library, "Choir"))
    assert [model.name for model in library] == ["trained", "Drums"]
    assert not (folder / "choir.distill").exists()
    assert trashed.path.read_bytes() == data
    assert trashed.path.parent.parent == folder / ".trash"
    assert library.trash == (trashed,)
    assert library.restore(trashed) == folder / "choir.distill"
    assert (folder / "choir.distill").read_bytes() == data
    assert [model.name for model in library] == ["trained", "Drums", "Choir"]
    assert library.trash == () and not (folder / ".trash").exists()


def test_nothing_is_ever_overwritten(library: ModelLibrary, folder: Path) -> None:
    path = folder / "choir.distill"
    data = path.read_bytes()
    first = library.delete(path)
    path.write_bytes(data + b"other")
    second = library.delete(path)
    assert [item.path for item in library.trash] == [second.path, first.path]
    path.write_bytes(b"a third")
    with pytest.raises(LibraryError, match=r"choir\.distill: another file is there now; move it"):
        library.restore(first)
    assert path.read_bytes() == b"a third"
    assert first.path.read_bytes() == data
    path.unlink()
    library.restore(first)
    with pytest.raises(LibraryError, match=r"choir\.distill: no longer in the trash"):
        library.restore(first)
    assert [item.path for item in library.trash] == [second.path]


def test_nor_where_a_disk_knows_no_hard_links(
    library: ModelLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(trash_module.os, "link", refused)
    path = folder / "choir.distill"
    trashed = library.delete(path)
    path.write_bytes(b"other")
    with pytest.raises(LibraryError, match="another file is there now"):
        library.restore(trashed)
    path.unlink()
    assert library.restore(trashed) == path


def test_damaged_files_can_be_deleted_too(library: ModelLibrary) -> None:
    for refused in library.refused:
        library.delete(refused)
    assert library.refused == ()
    assert len(library.trash) == 2


def test_strange_things_in_the_trash_are_let_be(library: ModelLibrary, folder: Path) -> None:
    library.delete("choir.distill")
    (folder / ".trash" / "mine").mkdir()
    (folder / ".trash" / "mine" / "x.distill").write_text("")
    assert [item.original.name for item in library.trash] == ["choir.distill"]
    library.restore(library.trash[0])
    assert (folder / ".trash" / "mine" / "x.distill").exists()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda lib: lib.rename("choir.distill", "  "), "an empty name: expected one that people"),
        (lambda lib: lib.tag("choir.distill"), "an empty tag: expected one or more words"),
        (lambda lib: lib.tag("choir.distill", "a", " "), "an empty tag"),
        (lambda lib: lib.rename("gone.distill", "x"), "gone.distill: no model file below "),
        (lambda lib: lib.delete("notes.txt"), "notes.txt: no model file below "),
        (lambda lib: lib.delete("/etc/passwd"), "/etc/passwd: no model file below "),
    ],
)
def test_what_cannot_be_done_is_named(library: ModelLibrary, ask, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LibraryError, match=message):
        ask(library)


def test_files_outside_are_not_touched(library: ModelLibrary, trained: TrainingResult) -> None:
    with pytest.raises(LibraryError, match=r"model\.distill: no model file below"):
        library.delete(trained.model_path)
    outside = library.folder / ".." / "x.distill"
    shutil.copy(trained.model_path, outside)
    with pytest.raises(LibraryError, match="no model file below"):
        library.delete(outside)
    with pytest.raises(LibraryError, match="no model file below"):
        library.delete(".hidden/x.distill")


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="gone: no such folder"):
        ModelLibrary(tmp_path / "gone")


def test_a_damaged_file_is_not_blessed_by_renaming(library: ModelLibrary, folder: Path) -> None:
    path = folder / "choir.distill"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    library.refresh()  # its header is whole
    with pytest.raises(CorruptModelError, match="its checksum does not match"):
        library.rename("choir.distill", "x")
    assert path.read_bytes() == bytes(data)


def test_a_model_being_trained_is_left_alone(library: ModelLibrary, folder: Path) -> None:
    run = folder / "run"
    status = json.loads((run / "status.json").read_text())
    changed = {**status, "state": "running", "pid": os.getpid()}
    (run / "status.json").write_text(json.dumps(changed))
    lock = acquire_lock(run)
    try:
        message = "run: is being trained and will write its model again; stop it, or wait"
        with pytest.raises(LibraryError, match=message):
            library.delete("run/model.distill")
        with pytest.raises(LibraryError, match=message):
            library.tag("run/model.distill", "x")
    finally:
        lock.release()
    (run / "status.json").write_text(json.dumps(status))
    assert library.tag("run/model.distill", "x").tags == ("x",)


def test_only_what_changed_is_read_again(
    library: ModelLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = library_module.read_model_info

    def noted(path: Path) -> object:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(library_module, "read_model_info", noted)
    library.refresh()
    assert read == []
    edit_metadata(folder / "choir.distill", name="Chorus")
    (folder / "half.distill").unlink()
    library.refresh()
    assert read == ["choir.distill"]
    assert [model.name for model in library] == ["trained", "Drums", "Chorus"]
    assert [refused.path.name for refused in library.refused] == ["foreign.distill"]


def test_it_says_what_it_holds(library: ModelLibrary, folder: Path) -> None:
    text = repr(library)
    assert text.startswith(f"ModelLibrary: 3 models in {folder}\n")
    assert "voice, Warm" in text and "deep/er/drums.distill" in text
    assert "foreign.distill: not a .distill file" in text
    assert "<li>foreign.distill: not a .distill file</li>" in library._repr_html_()


def test_an_empty_folder_is_an_empty_library(tmp_path: Path) -> None:
    library = ModelLibrary(tmp_path)
    assert repr(library) == f"ModelLibrary: 0 models in {tmp_path}"
    assert "<table>" not in library._repr_html_()
    assert library.trash == ()


def test_two_who_rename_at_once_leave_a_whole_file(library: ModelLibrary, folder: Path) -> None:
    path, failed = folder / "choir.distill", []

    def rename(name: str) -> None:
        for _ in range(20):
            try:
                edit_metadata(path, name=name)
            except ModelFileError as error:
                failed.append(str(error))

    threads = [threading.Thread(target=rename, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load_model_v2(path).metadata["name"] in {"a", "b"}
    assert all("written by somebody else just now; try again" in message for message in failed)


def test_models_of_all_families_stand_side_by_side(trained: TrainingResult, tmp_path: Path) -> None:
    (tmp_path / "codes.distill").write_bytes(trained.model_path.read_bytes())
    vae = ConvVAE(VAEConfig(width=8, latent_dim=4))
    save_model(tmp_path / "wind.distill", vae)
    library = ModelLibrary(tmp_path)
    found = {model.place: model for model in library.models}
    assert library.refused == ()
    assert found["codes.distill"].bottleneck.startswith("3 × 16, ")
    assert found["wind.distill"].bottleneck == "4 dimensions, 46.9 steps/s"
    assert found["wind.distill"].levels is None and found["wind.distill"].health is None
    assert "wind.distill" in library._repr_html_()
