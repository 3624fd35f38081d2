from __future__ import annotations

import os
from pathlib import Path

import pytest

from distill import outputs
from distill.errors import OutputExistsError
from distill.outputs import check_free, new_file

THERE = r"is there already; name another place, or allow it to be replaced \(--overwrite, in Python"


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    with new_file(path, overwrite=overwrite) as file:
        file.write(data)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "take 1.wav"
    path.write_bytes(b"the only recording")
    return path


def only(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_a_file_of_somebody_else_stays(theirs: Path) -> None:
    with pytest.raises(OutputExistsError, match=THERE):
        write(theirs, b"other")
    with pytest.raises(FileExistsError, match=THERE):
        check_free(theirs)
    assert only(theirs.parent).read_bytes() == b"the only recording"


def test_it_is_replaced_where_that_is_asked_for(theirs: Path) -> None:
    check_free(theirs, overwrite=True)
    write(theirs, b"other", overwrite=True)
    assert only(theirs.parent).read_bytes() == b"other"


def test_the_very_same_bytes_need_no_permission(theirs: Path) -> None:
    before = theirs.stat()
    write(theirs, b"the only recording")
    assert os.path.samestat(theirs.stat(), before)
    assert only(theirs.parent) == theirs


def test_what_this_process_wrote_may_be_written_again_until_somebody_changes_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "codes.npz"
    write(path, b"one")
    check_free(path)
    write(path, b"two")
    assert path.read_bytes() == b"two"
    path.write_bytes(b"edited by hand")
    with pytest.raises(OutputExistsError, match=THERE):
        write(path, b"three")
    path.unlink()
    path.write_bytes(b"two")
    os.utime(path, (1, 1))
    with pytest.raises(OutputExistsError, match=THERE):
        check_free(path)


def test_what_appears_while_it_is_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(OutputExistsError, match=THERE), new_file(path) as file:
        file.write(b"ours")
        path.write_bytes(b"theirs")
    assert only(tmp_path).read_bytes() == b"theirs"


def test_a_disk_without_hard_links(monkeypatch: pytest.MonkeyPatch, theirs: Path) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(outputs.os, "link", refused)
    with pytest.raises(OutputExistsError, match=THERE):
        write(theirs, b"other")
    write(theirs.with_name("new"), b"new")
    assert theirs.read_bytes() == b"the only recording"
    assert theirs.with_name("new").read_bytes() == b"new"


@pytest.mark.parametrize("target", ["take 1.wav", "nowhere"])
def test_a_link_is_something_that_is_there(theirs: Path, target: str) -> None:
    link = theirs.with_name("link")
    link.symlink_to(theirs.with_name(target))
    with pytest.raises(OutputExistsError, match=THERE):
        write(link, b"the only recording")
    write(link, b"other", overwrite=True)  # the link goes, what it leads to stays
    assert not link.is_symlink() and link.read_bytes() == b"other"
    assert theirs.read_bytes() == b"the only recording"
    assert not theirs.with_name("nowhere").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_pipes_and_devices_are_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nothing").symlink_to("/dev/null")
    for name, kind in [("folder", "a folder"), ("pipe", "no reg"), ("nothing", "no reg")]:
        with pytest.raises(OutputExistsError, match=f"{kind}.*; name a file to be written"):
            write(tmp_path / name, b"", overwrite=overwrite)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "pipe", "nothing"}


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("音" * 85)
    write(path, b"x")
    assert only(tmp_path) == path
