"""Whatever lies in a folder of models, the others are listed, and it is a row with its reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timezone
from pathlib import Path

import pytest

from distill import ModelLibrary
from distill.analysis.library import trash as trash_module
from distill.analysis.library.folder_walk import walk_folders
from distill.errors import LibraryError
from distill.training import TrainingResult

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")


@pytest.fixture
def folder(trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "models"
    path.mkdir()
    shutil.copy(trained.model_path, path / "good.distill")
    return path


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write((93_000_000).to_bytes(8, "little") + b'{"a":' + b"[" * 1000)
        file.truncate(93_000_100)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (lambda path: os.mkfifo(path), "a named pipe; expected a file"),
    "folder": (lambda path: path.mkdir(), "a folder; expected a file"),
    "loop": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "dangling": (lambda path: path.symlink_to("gone"), "cannot be read (No such file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device; expected a file"),
    "empty": (lambda path: path.write_bytes(b""), "not a .distill file"),
    "brackets": (huge, "a header of 93000000 bytes; expected at most 33554432"),
    "sparse": (lambda path: (path.touch(), os.truncate(path, 2**40)), "not a .distill file"),
}


@posix
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_a_row_with_its_reason(folder: Path, kind: str) -> None:
    make, reason = ODD[kind]
    make(folder / "odd.distill")
    library = ModelLibrary(folder)
    assert [model.path.name for model in library] == ["good.distill"]
    [refused] = library.refused
    assert refused.path == folder / "odd.distill" and reason in refused.reason
    assert reason in repr(library)
    library.refresh()
    assert len(library.refused) == len(library) == 1


@posix
def test_names_that_are_not_utf8_are_shown(folder: Path) -> None:
    (folder / "good.distill").rename(folder / os.fsdecode(b"g\xff.distill"))
    (folder / os.fsdecode(b"bad\xfe.distill")).write_bytes(b"x")
    below = folder / os.fsdecode(b"\xfd")
    below.mkdir()
    shutil.copy(folder / os.fsdecode(b"g\xff.distill"), below / "n.distill")
    library = ModelLibrary(folder)
    assert sorted(model.place for model in library) == [r"\xfd/n.distill", r"g\xff.distill"]
    assert library.refused[0].reason == r"bad\xfe.distill: not a .distill file"
    (repr(library) + library._repr_html_()).encode()
    renamed = library.rename(next(m for m in library if m.place.startswith("g")), "again")
    assert renamed.name == "again"


def test_a_folder_that_may_not_be_entered_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    library = ModelLibrary(folder)
    assert len(library) == 1
    assert library.refused[0].reason.endswith("closed: cannot be looked into (Permission denied)")


@posix
def test_folders_may_be_deeper_than_python_calls(folder: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
    try:
        assert len(ModelLibrary(folder)) == 1
    finally:  # deeper than what clears up after tests can go
        for seen in reversed(list(walk_folders(folder / "d"))):
            seen.path.rmdir()


@pytest.mark.parametrize("time_s", [-(10**11), 10**15, 0])
def test_files_of_absurd_times_are_sorted_and_shown(folder: Path, time_s: int) -> None:
    from distill import edit_metadata

    path = folder / "good.distill"
    edit_metadata(path, created="0001-01-01T00:00:00+14:00")
    try:
        os.utime(path, (time_s, time_s))
    except (OSError, OverflowError):
        pytest.skip("a disk that holds no such time")
    library = ModelLibrary(folder)
    assert 1970 <= library.models[0].created.astimezone(timezone.utc).year < 3000
    assert "good.distill" in repr(library)


def test_a_file_that_may_be_read_again_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distill.analysis.library import library as module
    from distill.errors import NotAModelError

    path, real = folder / "good.distill", module.read_model_info

    def refuse(path: Path) -> object:
        raise NotAModelError(f"{path}: cannot be read (Permission denied)")

    monkeypatch.setattr(module, "read_model_info", refuse)
    library = ModelLibrary(folder)
    assert len(library.refused) == 1
    monkeypatch.setattr(module, "read_model_info", real)
    path.chmod(0o600)
    library.refresh()
    assert len(library) == 1


@posix
def test_a_trash_that_is_a_link_takes_nothing_out(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = outside / "20250101T000000.000000Z"
    inside.mkdir(parents=True)
    (inside / "theirs.distill").write_bytes(b"theirs")
    library = ModelLibrary(folder)
    for target in (outside, tmp_path / "gone"):
        (folder / ".trash").symlink_to(target)
        with pytest.raises(LibraryError, match=r"\.trash: a link; move it away"):
            library.delete("good.distill")
        assert library.trash == ()
        (folder / ".trash").unlink()
    (folder / ".trash").mkdir()
    (folder / ".trash" / inside.name).symlink_to(inside)
    assert library.trash == ()
    assert list(outside.rglob("*.distill")) == [inside / "theirs.distill"]


def test_a_restore_that_was_killed_midway_is_resumed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ModelLibrary(folder)
    trashed = library.delete("good.distill")

    def killed(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trash_module.Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        library.restore(trashed)
    monkeypatch.undo()
    assert trashed.path.exists() and trashed.original.exists()
    again = ModelLibrary(folder)
    assert again.restore(again.trash[0]) == trashed.original
    assert again.trash == () and len(again) == 1 and not (folder / ".trash").exists()


def test_a_restore_into_a_folder_that_is_gone_says_so(folder: Path) -> None:
    (folder / "deep").mkdir()
    shutil.copy(folder / "good.distill", folder / "deep" / "a.distill")
    library = ModelLibrary(folder)
    trashed = library.delete("deep/a.distill")
    moved = trash_module.TrashedModel(
        trashed.path, folder / "elsewhere" / "a.distill", trashed.deleted
    )
    with pytest.raises(LibraryError, match="elsewhere: no longer there; make that folder again"):
        library.restore(moved)
    assert library.restore(trashed).exists()
