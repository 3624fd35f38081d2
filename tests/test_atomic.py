from __future__ import annotations

import errno
import io
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from distill import atomic
from distill.atomic import remove_leftovers, write_atomically


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


def test_meanwhile_only_a_hidden_neighbour_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if atomic._UNNAMED:
        with write_atomically(tmp_path / "a.bin"):
            assert _names(tmp_path) == []
        (tmp_path / "a.bin").unlink()
    monkeypatch.setattr(atomic, "_UNNAMED", 0)
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


needs_posix = pytest.mark.skipif(os.name == "nt", reason="permissions, links and pipes of POSIX")


@pytest.fixture(params=["without a name", "with a name"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing, wherever the tests run."""
    if request.param == "with a name":
        monkeypatch.setattr(atomic, "_UNNAMED", 0)
    elif not atomic._UNNAMED:
        pytest.skip("this system has no files without names")


@needs_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755])
def test_permissions_stay(either: None, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(mode)
    with write_atomically(path) as file:
        file.write(b"new")
        assert not stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~mode
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@needs_posix
def test_a_new_file_has_the_permissions_of_new_files(either: None, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with write_atomically(tmp_path / "a.bin"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640


@needs_posix
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(either: None, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    os.chown(path, 1234, 2345)
    with write_atomically(path) as file:
        file.write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


@needs_posix
def test_a_file_that_may_only_be_read_is_left_alone(either: None, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with (
        pytest.raises(PermissionError, match="the file there may only be read; make it writable"),
        write_atomically(path),
    ):
        pytest.fail("the block must not run")
    assert (_names(tmp_path), path.read_bytes()) == (["a.bin"], b"old")


@needs_posix
def test_what_is_no_file_is_left_alone(either: None, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    for name, kind in (("pipe", "a pipe"), ("folder", "a folder"), ("/dev/null", "a pipe")):
        with pytest.raises(OSError, match=f"{kind}.* is there"), write_atomically(tmp_path / name):
            pytest.fail("the block must not run")
    with write_atomically(tmp_path / "link") as file:
        file.write(b"x")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "link").read_bytes() == b"x"
    assert _names(tmp_path) == ["folder", "link", "pipe"]


@needs_posix
def test_links_are_replaced_and_never_followed(either: None, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "target").chmod(0o600)
    for name, target in (("link", "target"), ("dangling", "gone"), ("loop", "loop")):
        (tmp_path / name).symlink_to(target)
        with write_atomically(tmp_path / name) as file:
            file.write(b"ours")
        assert not (tmp_path / name).is_symlink() and (tmp_path / name).read_bytes() == b"ours"
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert stat.S_IMODE((tmp_path / "link").stat().st_mode) == 0o600
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("name", ["a\0b", "half\ud800"])
def test_no_name_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="no name of a file"), write_atomically(tmp_path / name):
        pytest.fail("the block must not run")


@pytest.mark.parametrize("name", ["x" * 255, "ö" * 127, "🎵" * 63])
def test_names_may_be_as_long_as_names_can_be(either: None, tmp_path: Path, name: str) -> None:
    with write_atomically(tmp_path / name) as file:
        file.write(b"x")
    assert _names(tmp_path) == [name]


@pytest.mark.parametrize("call", ["fsync", "link", "fchmod", "close"])
def test_whatever_the_disk_refuses_nothing_stays(
    either: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class FullAtTheEnd(io.FileIO):  # as quotas and network disks are
        def close(self) -> None:
            super().close()
            full()

    if call == "link" and not atomic._UNNAMED:
        pytest.skip("nothing is linked here")
    if call == "close":
        monkeypatch.setattr(os, "fdopen", FullAtTheEnd)
    else:
        monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left on device"), write_atomically(path) as file:
        file.write(b"new")
    monkeypatch.undo()
    assert (_names(tmp_path), path.read_bytes()) == (["a.bin"], b"old")


@needs_posix
def test_a_disk_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o600)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    with write_atomically(path) as file:
        file.write(b"new")
    assert (_names(tmp_path), path.read_bytes()) == (["a.bin"], b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@needs_posix
def test_a_killed_process_leaves_nothing_for_ever(either: None, tmp_path: Path) -> None:
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom distill import atomic\n"
        f"atomic._UNNAMED = {atomic._UNNAMED}\n"
        "with atomic.write_atomically(Path(sys.argv[1])) as file:\n"
        "    file.write(b'x' * 100_000); file.flush(); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.bin")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left = _names(tmp_path)
    assert len(left) == (0 if atomic._UNNAMED else 1)
    mine = [".a.bin.12345678.tmp.txt", ".a.bin.1234567g.tmp", "a.bin.12345678.tmp", ".x.tmp"]
    for name in mine:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".link.12345678.tmp").symlink_to("gone")
    for path in tmp_path.iterdir():
        if not path.is_symlink():
            os.utime(path, (0, 0))
    young = tmp_path / ".b.bin.12345678.tmp"
    young.write_bytes(b"")
    with write_atomically(tmp_path / "b.bin"):
        pass
    kept = sorted([*mine, ".link.12345678.tmp", young.name, "b.bin"])
    assert _names(tmp_path) == kept
    remove_leftovers(tmp_path)
    assert _names(tmp_path) == [name for name in kept if name != young.name]
