from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from distill import opened_folder
from distill.entry_kinds import Entry
from distill.errors import ForeignEntryError, RunFolderError
from distill.own_folder import OwnFolder


@pytest.fixture(params=["descriptors", "paths"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OwnFolder]:
    """Both ways of working: Windows has no descriptors of folders."""
    if request.param == "paths":
        monkeypatch.setattr(opened_folder, "_BY_DESCRIPTOR", False)
    elif not opened_folder._BY_DESCRIPTOR:
        pytest.skip("this system has no descriptors of folders")
    (tmp_path / "own").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious.txt").write_text("mine")
    with OwnFolder(tmp_path / "own") as opened:
        yield opened


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside"


def untouched(outside: Path) -> None:
    assert [path.name for path in outside.iterdir()] == ["precious.txt"]
    assert (outside / "precious.txt").read_text() == "mine"
    assert (outside / "precious.txt").stat().st_nlink <= 2


def append(folder: OwnFolder, name: str, data: bytes) -> None:
    with folder.append(name) as file:
        file.write(data)


def write(folder: OwnFolder, name: str, data: bytes = b"new") -> None:
    with folder.write(name) as file:
        file.write(data)


def read(folder: OwnFolder, name: str) -> bytes:
    with folder.read(name) as file:
        return file.read()


def lock(folder: OwnFolder, name: str) -> None:
    os.close(folder.open_lock(name))


ON_A_FILE: dict[str, Callable[[OwnFolder, str], object]] = {
    "read": read,
    "append": lambda folder, name: append(folder, name, b"new"),
    "write": write,
    "lock": lock,
    "remove": lambda folder, name: folder.remove(name),
    "check": lambda folder, name: folder.check(name),
    "rename": lambda folder, name: folder.rename(name, "renamed"),
}


def place_odd(kind: str, place: Path, outside: Path) -> contextlib.AbstractContextManager[object]:
    if kind == "link to a file":
        place.symlink_to(outside / "precious.txt")
    elif kind == "link to a folder":
        place.symlink_to(outside)
    elif kind == "relative link":
        place.symlink_to("../outside/precious.txt")
    elif kind == "dangling link":
        place.symlink_to(outside / "not there yet")
    elif kind == "link to itself":
        place.symlink_to(place.name)
    elif kind == "link within":
        (place.parent / "inner").write_bytes(b"inner")
        place.symlink_to("inner")
    elif kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        made = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(place.parent)  # the names of sockets are short
        try:
            made.bind(place.name)
        finally:
            os.chdir(here)
        return contextlib.closing(made)
    return contextlib.nullcontext()


ODD = ("link to a file", "link to a folder", "relative link", "dangling link", "link to itself",
       "link within", "folder", "pipe", "socket")  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("what", ON_A_FILE)
def test_what_is_no_file_is_refused_by_name_and_leads_nowhere(
    kind: str, what: str, folder: OwnFolder, outside: Path
) -> None:
    with place_odd(kind, folder.path / "x", outside):
        before = os.lstat(folder.path / "x")
        word = "a link" if "link" in kind else f"a {kind}"
        with pytest.raises(ForeignEntryError, match=rf"own/x: {word} where distill keeps a file"):
            ON_A_FILE[what](folder, "x")
        assert os.path.samestat(before, os.lstat(folder.path / "x"))
    untouched(outside)
    assert not [entry for entry in folder.entries() if entry.name.endswith(".tmp")]


def test_the_error_is_one_of_a_run_folder_and_one_of_the_system(folder: OwnFolder) -> None:
    (folder.path / "x").mkdir()
    with pytest.raises(RunFolderError):
        folder.check("x")
    with pytest.raises(OSError) as caught:
        folder.check("x")
    assert caught.value.strerror == str(caught.value)


@pytest.mark.parametrize("what", ON_A_FILE)
@pytest.mark.parametrize("kind", ["link to a folder", "dangling link", "link to itself", "pipe"])
def test_no_link_on_the_way_is_followed(
    kind: str, what: str, folder: OwnFolder, outside: Path
) -> None:
    with place_odd(kind, folder.path / "x", outside):
        word = "a link" if "link" in kind else f"a {kind}"
        with pytest.raises(ForeignEntryError, match=rf"own/x: {word} where distill keeps a folder"):
            ON_A_FILE[what](folder, "x/precious.txt")
        for call in (folder.entries, folder.make_folder):
            with pytest.raises(ForeignEntryError, match="own/x: a"):
                call("x")
        with pytest.raises(ForeignEntryError, match="own/x: a"):
            folder.remove_tree("x", lambda _name: True)
        with pytest.raises(ForeignEntryError, match="own/x: a"):
            folder.remove_leftovers("x", lambda _name: True)
    untouched(outside)


@pytest.mark.parametrize("what", ON_A_FILE)
def test_a_file_exchanged_for_a_link_at_the_last_moment(
    what: str, folder: OwnFolder, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was looked at, and before it is opened."""
    place = folder.path / "x"
    place.write_bytes(b"")
    real = OwnFolder._refuse_odd

    def exchange(self: OwnFolder, name: str, parent: int | None, leaf: Path) -> object:
        found = real(self, name, parent, leaf)
        if name == "x":
            place.unlink()
            place.symlink_to(outside / "precious.txt")
        return found

    monkeypatch.setattr(OwnFolder, "_refuse_odd", exchange)
    with contextlib.suppress(ForeignEntryError):
        ON_A_FILE[what](folder, "x")
    assert (outside / "precious.txt").read_text() == "mine"


def test_a_folder_exchanged_for_a_link_at_the_last_moment(
    folder: OwnFolder, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder._root is None:
        pytest.skip("without descriptors of folders this moment cannot be closed")
    inner = folder.path / "x"
    inner.mkdir()
    real = opened_folder.kind_of

    def exchange(found: os.stat_result) -> str:
        kind = real(found)
        if kind == "a folder" and inner.is_dir() and not inner.is_symlink():
            inner.rename(folder.path / "aside")
            inner.symlink_to(outside)
        return kind

    monkeypatch.setattr(opened_folder, "kind_of", exchange)
    with pytest.raises(ForeignEntryError, match="came there meanwhile"):
        write(folder, "x/precious.txt")
    untouched(outside)


def test_a_folder_exchanged_between_two_uses(folder: OwnFolder, outside: Path) -> None:
    folder.make_folder("x")
    write(folder, "x/a")
    (folder.path / "x").rename(folder.path / "aside")
    (folder.path / "x").symlink_to(outside)
    with pytest.raises(ForeignEntryError):
        write(folder, "x/precious.txt")
    untouched(outside)


def test_the_folder_itself_may_be_reached_through_a_link(folder: OwnFolder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder.path)
    with OwnFolder(tmp_path / "link") as through:
        write(through, "a", b"1")
        append(through, "b", b"2")
        assert [entry.name for entry in through.entries()] == ["a", "b"]
    assert (folder.path / "a").read_bytes() == b"1"


def test_a_file_of_several_names_is_parted_before_it_grows(
    folder: OwnFolder, outside: Path
) -> None:
    (folder.path / "x").hardlink_to(outside / "precious.txt")
    append(folder, "x", b" and more")
    assert (folder.path / "x").read_bytes() == b"mine and more"
    untouched(outside)
    (folder.path / "y").hardlink_to(outside / "precious.txt")
    write(folder, "y", b"other")
    lock_name = folder.path / "z"
    lock_name.hardlink_to(outside / "precious.txt")
    lock(folder, "z")
    assert folder.remove("z")
    untouched(outside)


def test_appending_and_writing(folder: OwnFolder) -> None:
    append(folder, "log", b"one\n")
    with folder.append("log") as file:
        assert file.tell() == 4
        file.write(b"two\n")
        file.truncate(6)
    assert read(folder, "log") == b"one\ntw"
    folder.make_folder("a/b")
    write(folder, "a/b/c", b"1")
    write(folder, "a/b/c", b"2")
    assert read(folder, "a/b/c") == b"2"
    assert folder.entries("a/b") == [Entry("c", "a file")]
    folder.rename("a/b/c", "a/b/d")
    assert (folder.kind("a/b/c"), folder.kind("a/b/d"), folder.kind("a")) == (
        None, "a file", "a folder",
    )  # fmt: skip
    assert folder.entries("none") == [] and folder.stat("none/x") is None
    with pytest.raises(FileNotFoundError, match="own/none"):
        folder.read("none")
    with pytest.raises(FileNotFoundError):
        write(folder, "none/x")
    assert not folder.remove("none")


def test_an_error_while_writing_leaves_what_was_there(folder: OwnFolder) -> None:
    write(folder, "a", b"old")
    with pytest.raises(KeyError), folder.write("a") as file:
        file.write(b"half")
        raise KeyError
    assert folder.entries() == [Entry("a", "a file")]
    assert read(folder, "a") == b"old"


@pytest.mark.parametrize("name", ["", "/etc", "../x", "a/../../x", "a//b", ".", "a/", "a\0b"])
def test_names_that_lead_out_are_refused(name: str, folder: OwnFolder) -> None:
    with pytest.raises(ValueError, match="expected a name within the folder"):
        folder.read(name)


def test_only_what_can_be_ours_is_removed(folder: OwnFolder, outside: Path) -> None:
    for name in ("p/epoch-1/a.wav", "p/epoch-1/.DS_Store", "p/epoch-2/a.wav", "p/holiday/a.wav",
                 "p/a.wav", "p/epoch-3/deep/a.wav"):  # fmt: skip
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_bytes(b"x")
    (folder.path / "p" / "epoch-4").symlink_to(outside)
    (folder.path / "p" / "epoch-2" / "b.wav").symlink_to(outside / "precious.txt")

    def ours(name: str) -> bool:
        parts = name.split("/")
        return parts[0] == "p" and (
            len(parts) == 1
            or (parts[1].startswith("epoch-") and (len(parts) == 2 or name.endswith(".wav")))
        )

    left = folder.remove_tree("p", ours)
    assert sorted(left) == [
        "p/a.wav", "p/epoch-1/.DS_Store", "p/epoch-2/b.wav", "p/epoch-3/deep", "p/epoch-4",
        "p/holiday",
    ]  # fmt: skip
    assert (folder.path / "p" / "holiday" / "a.wav").exists()
    assert (folder.path / "p" / "epoch-3" / "deep" / "a.wav").exists()
    assert not (folder.path / "p" / "epoch-1" / "a.wav").exists()
    untouched(outside)
    assert folder.remove_tree("none", ours) == []
    folder.make_folder("q/epoch-1")
    assert folder.remove_tree("q", lambda _name: True) == []
    assert folder.kind("q") is None


def test_leftovers_are_only_those_of_our_files(folder: OwnFolder, outside: Path) -> None:
    ours, theirs = ".log.0123abcd.tmp", ".notes.0123abcd.tmp"
    for name in (ours, theirs, ".log.tmp", ".tmp", "log.0123abcd.tmp"):
        (folder.path / name).write_bytes(b"")
    (folder.path / ".log.00000000.tmp").symlink_to(outside / "precious.txt")
    (folder.path / ".log.00000001.tmp").mkdir()
    folder.remove_leftovers("", lambda name: name == "log")
    assert {entry.name for entry in folder.entries()} == {
        theirs, ".log.tmp", ".tmp", "log.0123abcd.tmp", ".log.00000000.tmp", ".log.00000001.tmp",
    }  # fmt: skip
    folder.make_folder("c")
    (folder.path / "c" / ours).write_bytes(b"")
    folder.remove_leftovers("c", lambda name: name == "c/log")
    assert folder.entries("c") == []


def test_a_moved_folder_is_still_the_one_that_was_opened(folder: OwnFolder, tmp_path: Path) -> None:
    assert folder.is_in_place and folder.whereabouts == folder.path
    folder.path.rename(tmp_path / "moved")
    assert not folder.is_in_place
    if folder._root is None:
        with pytest.raises(FileNotFoundError):
            write(folder, "a")
        return
    assert folder.whereabouts == tmp_path / "moved"
    write(folder, "a", b"1")
    assert (tmp_path / "moved" / "a").read_bytes() == b"1"
    folder.path.mkdir()  # another one in its place
    assert not folder.is_in_place
    write(folder, "b", b"1")
    assert list(folder.path.iterdir()) == []


def test_a_deleted_folder_is_nowhere_and_is_not_made_again(folder: OwnFolder) -> None:
    folder.path.rmdir()
    assert not folder.is_in_place and folder.whereabouts is None
    with pytest.raises(OSError):
        write(folder, "a")
    with pytest.raises(OSError):
        folder.make_folder("a")
    assert not folder.path.exists()


def test_no_folder_and_a_closed_one(tmp_path: Path, folder: OwnFolder) -> None:
    with pytest.raises(FileNotFoundError):
        OwnFolder(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        OwnFolder(tmp_path / "file")
    folder.close()
    folder.close()
    with pytest.raises(ValueError, match="was closed"):
        folder.entries()


def test_many_threads_share_a_folder_and_no_descriptor_is_left(folder: OwnFolder) -> None:
    folder.make_folder("d")

    def work(number: int) -> None:
        for turn in range(20):
            write(folder, f"d/{number}-{turn}")
            assert f"{number}-{turn}" in [entry.name for entry in folder.entries("d")]

    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folder.entries("d")) == 80
    if before:
        assert len(list(descriptors.iterdir())) == before


_names = st.sampled_from(["a", "b", "a/b", "a/a", "b/a/b"])
_targets = st.sampled_from(
    ["/outside", "../outside", "../../outside", "a", "b", ".", "..", "/", ""]
)
_deeds = st.sampled_from([*ON_A_FILE, "make_folder", "remove_tree", "entries"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    links=st.lists(st.tuples(_names, _targets), max_size=3),
    deeds=st.lists(st.tuples(_deeds, _names), max_size=8),
)
def test_whatever_links_there_are_nothing_happens_outside(
    links: list[tuple[str, str]],
    deeds: list[tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("any")
    for name in ("own", "outside"):
        (home / name).mkdir()
    (home / "outside" / "a").write_bytes(b"mine")
    for name, target in links:
        place = home / "own" / name
        with contextlib.suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(str(home) + target if target.startswith("/") else target or ".")

    def around() -> list[tuple[str, int]]:
        found = [path for path in home.rglob("*") if not path.is_relative_to(home / "own")]
        return sorted((str(path), path.lstat().st_mtime_ns) for path in found)

    before = around()
    with OwnFolder(home / "own") as folder:
        for deed, name in deeds:
            with contextlib.suppress(OSError):
                if deed in ON_A_FILE:
                    ON_A_FILE[deed](folder, name)
                elif deed == "remove_tree":
                    folder.remove_tree(name, lambda _name: True)
                else:
                    getattr(folder, deed)(name)
    assert around() == before
