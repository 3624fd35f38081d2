"""What the commands write, and what they never write over."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from distill.cli.files import Options, convert
from distill.cli.outputs import Outputs
from distill.cli.plan import Plan
from distill.errors import ConfigError, DistillError, OutputExistsError
from distill.training import TrainingResult


@pytest.fixture
def model(trained: TrainingResult) -> Path:
    return trained.model_path


@pytest.fixture
def home(tmp_path: Path, sounds_dir: Path) -> Path:
    for name in ("kick.wav", "snare.WAV"):
        shutil.copy(sounds_dir / "drum-01.wav", tmp_path / name)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def contents(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names(folder)
    }


def run(kind: str, model: Path, source: Path, out: Path | None = None, **options: bool) -> int:
    return convert(kind, model, source, out, "cpu", Options(**options))


def test_names_say_what_a_file_is_and_the_recording_stays(model: Path, home: Path) -> None:
    before = contents(home)
    run("encode", model, home / "kick.wav")
    run("decode", model, home / "kick.wav.npz")
    run("reconstruct", model, home / "snare.WAV")
    new = {"kick.wav.npz", "kick.reconstruction.wav", "snare.reconstruction.wav"}
    after = contents(home)
    assert set(after) == set(before) | new
    assert before.items() <= after.items()


def test_codes_of_the_first_version_decode_beside_the_recording(model: Path, home: Path) -> None:
    run("encode", model, home / "kick.wav", home / "kick.npz")
    before = contents(home)
    run("decode", model, home / "kick.npz")
    assert set(contents(home)) - set(before) == {"kick.reconstruction.wav"}
    assert before.items() <= contents(home).items()


@pytest.mark.parametrize("kind", ["encode", "decode", "reconstruct"])
def test_what_is_there_stays_unless_it_may_be_replaced(kind: str, model: Path, home: Path) -> None:
    source = home / "kick.wav"
    if kind == "decode":
        run("encode", model, source)
        source = home / "kick.wav.npz"
    target = home / {"encode": "kick.wav.npz"}.get(kind, "kick.reconstruction.wav")
    target.write_bytes(b"somebody's own")
    with pytest.raises(OutputExistsError, match="is there already; name another place, or allow"):
        run(kind, model, source)
    assert target.read_bytes() == b"somebody's own"
    run(kind, model, source, overwrite=True)
    assert target.stat().st_size > 1000


@pytest.mark.parametrize("how", ["itself", "link", "hard link", "through a folder"])
def test_what_is_read_is_never_written_over_even_when_asked(
    how: str, model: Path, home: Path
) -> None:
    source, out = home / "kick.wav", home / "out.wav"
    if how == "itself":
        out = source
    elif how == "link":
        out.symlink_to(source)
    elif how == "hard link":
        os.link(source, out)
    else:
        (home / "other").symlink_to(home)
        out = home / "other" / "kick.wav"
    before = contents(home)
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=r"is one of the files that are read, and is"):
            run("reconstruct", model, source, out, overwrite=overwrite)
    assert contents(home) == before


def test_a_model_is_never_written_over(model: Path, home: Path) -> None:
    mine = Path(shutil.copy(model, home / "m.wav"))
    with pytest.raises(OutputExistsError, match=r"m\.wav: is one of the files that are read"):
        run("reconstruct", mine, home / "kick.wav", mine, overwrite=True)
    assert mine.read_bytes() == model.read_bytes()


def test_sounds_of_one_name_become_two_files(model: Path, home: Path, sounds_dir: Path) -> None:
    folder = home / "in"
    folder.mkdir()
    for name in ("kick.wav", "kick.WAV", "kick.flac"):
        shutil.copy(sounds_dir / "drum-02.wav", folder / name)
    assert run("encode", model, folder) == 0
    assert run("reconstruct", model, folder) == 0
    assert names(home / "in-encoded") == ["kick.WAV.npz", "kick.flac.npz", "kick.wav.npz"]
    assert names(home / "in-reconstructed") == [
        "kick.WAV.reconstruction.wav",
        "kick.flac.reconstruction.wav",
        "kick.wav.reconstruction.wav",
    ]
    assert run("decode", model, home / "in-encoded", home / "heard") == 0
    assert len(names(home / "heard")) == 3


def test_a_folder_done_twice_says_what_is_there(
    model: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "in"
    folder.mkdir()
    shutil.copy(home / "kick.wav", folder / "a.wav")
    run("encode", model, folder)
    shutil.copy(home / "kick.wav", folder / "b.wav")
    (home / "in-encoded" / "a.wav.npz").write_bytes(b"mine")
    assert run("encode", model, folder) == 1
    assert "a.wav.npz: is there already" in capsys.readouterr().err
    assert (home / "in-encoded" / "a.wav.npz").read_bytes() == b"mine"
    assert (home / "in-encoded" / "b.wav.npz").is_file()


def test_results_may_lie_in_the_folder_of_the_sounds(model: Path, home: Path) -> None:
    before = contents(home)
    assert run("encode", model, home, home) == 0
    assert run("encode", model, home, home, overwrite=True) == 0
    assert set(contents(home)) - set(before) == {"kick.wav.npz", "snare.WAV.npz"}
    assert before.items() <= contents(home).items()


def test_the_folder_that_one_stands_in(
    model: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "in").mkdir()
    shutil.move(home / "kick.wav", home / "in" / "kick.wav")
    monkeypatch.chdir(home / "in")
    assert run("encode", model, Path()) == 0
    assert names(home / "in-encoded") == ["kick.wav.npz"]
    with pytest.raises(ConfigError, match="nothing to decode there"):
        run("decode", model, Path())


def test_a_name_is_given_once(tmp_path: Path) -> None:
    outputs = Outputs([])
    outputs.claim(tmp_path / "a", Path("one"))
    with pytest.raises(OutputExistsError, match=r"a: is made of one already; name another place"):
        outputs.claim(tmp_path / "." / "a", Path("two"))


def test_a_disk_where_upper_and_lower_case_are_one(tmp_path: Path) -> None:
    outputs = Outputs([tmp_path / "Kick.wav"], overwrite=True)
    (tmp_path / "a").write_bytes(b"made")
    outputs.claim(tmp_path / "a", Path("one"))
    outputs.made(tmp_path / "a", Path("one"))
    os.link(tmp_path / "a", tmp_path / "A")  # as the same file under the other spelling looks
    with pytest.raises(OutputExistsError, match="A: is made of one already"):
        outputs.claim(tmp_path / "A", Path("two"))


def test_an_error_is_of_ours(model: Path, home: Path) -> None:
    with pytest.raises(DistillError, match="nothing"):
        run("decode", model, home)


def test_a_name_is_given_once_however_many_ask_for_it_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> None:
        time.sleep(0.05)

    monkeypatch.setattr("distill.cli.outputs.check_free", slow)
    outputs, refused, together = Outputs([]), [], threading.Barrier(4)

    def ask(number: int) -> None:
        together.wait()
        try:
            outputs.claim(tmp_path / "take.wav", tmp_path / f"{number}.npz")
        except OutputExistsError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3 and all("is made of" in said for said in refused)


def test_folders_that_are_one_by_a_link_are_not_worked_on_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").symlink_to("one")
    for other, differ in (("two/a.wav", False), ("one/A.wav", False), ("one/b.wav", True)):
        pairs = tuple((tmp_path / "x", tmp_path / name) for name in ("one/a.wav", other))
        assert Plan(pairs, (), is_folder=True).names_differ is differ
