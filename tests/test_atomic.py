from __future__ import annotations

import os
from pathlib import Path

import pytest

from distill.atomic import write_atomically


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a.bin") as file:
        file.write(b"one")
        file.write(b"two")
    assert (tmp_path / "a.bin").read_bytes() == b"onetwo"
    assert _names(tmp_path) == ["a.bin"]


def test_until_the_end_the_old_file_is_what_others_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with write_atomically(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_meanwhile_only_a_hidden_neighbour_exists(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a.bin") as file:
        (name,) = _names(tmp_path)
        assert name.startswith(".a.bin.") and name.endswith(".tmp")
        file.write(b"x")


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, b"old"])
def test_an_error_leaves_everything_as_it_was(
    error: type[BaseException], before: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(error), write_atomically(path) as file:
        file.write(b"half")
        raise error
    assert _names(tmp_path) == ([] if before is None else ["a.bin"])
    assert before is None or path.read_bytes() == before


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"), write_atomically(path) as file:
        file.write(b"new")
    assert (_names(tmp_path), path.read_bytes()) == (["a.bin"], b"old")


def test_bytes_reach_the_disk_before_the_name_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_sync(descriptor: int) -> None:
        order.append("sync")
        fsync(descriptor)

    def noted_rename(source: Path, target: Path) -> Path:
        order.append("rename")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    with write_atomically(tmp_path / "a.bin") as file:
        file.write(b"x")
    expected = ["sync", "rename"] if os.name == "nt" else ["sync", "rename", "sync"]
    assert order == expected


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with write_atomically(path) as one, write_atomically(path) as other:
        one.write(b"1" * 10)
        other.write(b"2" * 5)
    assert path.read_bytes() == b"1" * 10
    assert _names(tmp_path) == ["a.bin"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="No such file or directory"),
        write_atomically(tmp_path / "gone" / "a.bin"),
    ):
        pytest.fail("the block must not run")


def test_a_folder_in_the_place_of_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(OSError), write_atomically(tmp_path / "a.bin") as file:
        file.write(b"x")
    assert _names(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").is_dir()
