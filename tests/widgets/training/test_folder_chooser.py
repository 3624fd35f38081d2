"""What a folder chooser says of every kind of folder, without a page."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from distill import AudioCorpus
from distill.names import printable
from distill_widgets import FolderChooser
from distill_widgets.training import corpus_reader, folders
from distill_widgets.training.corpus_reader import read_folder
from distill_widgets.training.folders import nearest_above, view_of

Choose = Callable[..., FolderChooser]


@pytest.fixture
def music(sounds_dir: Path, tmp_path: Path) -> Path:
    """Two folders of sounds, one of nothing, a run, and what nobody wants to see."""
    music = tmp_path / "music"
    for name, take in (("drums", "drum-0[12]*"), ("bells/deep", "bell-01*")):
        (music / name).mkdir(parents=True)
        for path in sounds_dir.glob(take):
            shutil.copy(path, music / name)
    for name in ("Nothing <i>here", ".hidden", "old/previews"):
        (music / name).mkdir(parents=True)
    (music / "old" / "run.json").write_text("{}")
    shutil.copy(sounds_dir / "drum-03.wav", music / "old" / "previews")
    return music


@pytest.fixture
def choose() -> Iterator[Choose]:
    made: list[FolderChooser] = []

    def make(folder: Any = None) -> FolderChooser:
        made.append(FolderChooser(folder))
        return made[-1]

    yield make
    for chooser in made:
        chooser.close()


def read(chooser: FolderChooser) -> FolderChooser:
    """The chooser, once it has read its folder."""
    ends = time.monotonic() + 60
    while chooser.reading is None:
        assert time.monotonic() < ends
        time.sleep(0.01)
    return chooser


def test_subfolders_are_listed_with_their_sounds(choose: Choose, music: Path) -> None:
    chooser = choose(music)
    assert [label for label, _ in chooser.subfolders.options] == [
        "bells   1 sound",
        "drums   2 sounds",
        "Nothing <i>here   –",
        "old   a run",
    ]
    assert chooser.subfolders.value is None


def test_the_report_is_the_corpus_s_own(choose: Choose, music: Path) -> None:
    chooser = read(choose(music / "drums"))
    assert chooser.report.value == AudioCorpus.scan(music / "drums", progress=False)._repr_html_()
    assert (chooser.reading.files, chooser.reading.folder) == (2, music / "drums")
    assert chooser.reading.seconds == pytest.approx(1.2)
    assert chooser.says.text == ""


def test_meanwhile_it_says_that_it_reads(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(
        corpus_reader,
        "read_folder",
        lambda *args, **options: go_on.wait(60) and read_folder(*args, **options),
    )
    chooser = choose(music)
    assert chooser.says.text == "Reading sounds…"
    assert chooser.reading is None
    assert "distill-corpus-reader" in [thread.name for thread in threading.enumerate()]
    go_on.set()
    assert read(chooser).says.text == ""


def test_a_newer_choice_ends_an_older_reading(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, cancelled = [], threading.Event()

    def slow_at_first(folder: Path, cancel: threading.Event, **options: Any) -> Any:
        if folder == music:
            assert cancel.wait(60)
            cancelled.set()
        return read_folder(folder, cancel, **options)

    monkeypatch.setattr(corpus_reader, "read_folder", slow_at_first)
    chooser = choose(music)
    chooser.observe(lambda change: received.append(change["new"]), "reading")
    chooser.go_to(music / "drums")
    assert read(chooser).reading.folder == music / "drums"
    assert cancelled.wait(60)
    chooser.close()
    assert [reading.folder for reading in received if reading] == [music / "drums"]


def test_clicks_go_down_and_up(choose: Choose, music: Path) -> None:
    chooser = choose(music)
    chooser.subfolders.index = 0
    assert chooser.folder == music / "bells"
    assert chooser.path.value == str(music / "bells")
    assert (chooser.subfolders.index, chooser.subfolders.options[0][0]) == (None, "deep   1 sound")
    chooser.subfolders.index = 0  # the first again: no item may be taken for chosen already
    assert chooser.folder == music / "bells" / "deep"
    assert chooser.subfolders.layout.display == "none"
    chooser.up.click()
    chooser.up.click()
    assert chooser.folder == music


def test_it_starts_in_the_current_folder_and_knows_home(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(music)
    monkeypatch.setenv("HOME", str(music / "bells"))
    chooser = choose()
    assert chooser.folder == music
    chooser.path.value = "~/deep"
    assert chooser.folder == music / "bells" / "deep"
    chooser.path.value = "drums/../bells"
    assert chooser.folder == music / "bells"
    chooser.path.value = " "
    assert chooser.folder == music
    chooser.go_to("/")
    assert chooser.up.disabled


def test_a_wrong_path_is_said_and_can_be_left(choose: Choose, music: Path) -> None:
    chooser = choose(music / "no" / "where")
    where = music / "no" / "where"
    assert chooser.says.text == f"{where}: no such folder; the current folder is {Path.cwd()}."
    assert chooser.says.tone == "bad"
    assert (chooser.folder, chooser.reading, chooser.subfolders.options) == (None, None, ())
    chooser.up.click()
    assert chooser.folder == music


def test_a_file_and_a_run_are_no_folders_of_sounds(choose: Choose, music: Path) -> None:
    path = music / "drums" / "drum-01.wav"
    chooser = choose(path)
    assert chooser.says.text == f"{path}: a file; choose the folder it is in."
    chooser.path.value = str(music / "old")
    assert chooser.says.text == (
        f"{music / 'old'}: a distill run, not recordings; choose the folder of its sounds."
    )
    assert chooser.folder is None


def test_an_empty_folder_is_said(choose: Choose, music: Path) -> None:
    chooser = read(choose(music / "Nothing <i>here"))
    assert chooser.says.text == (
        f"{music / 'Nothing <i>here'}: no files there; expected recordings (.wav, .flac, .mp3 …)"
    )
    assert "Nothing &lt;i&gt;here" in chooser.says.value
    assert "<i>" not in chooser.says.value


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.EACCES, "you may not look into this folder; choose another, or ask its owner."),
        (errno.EIO, "cannot be looked into (Input/output error)."),
    ],
)
def test_a_folder_that_cannot_be_looked_into_is_said(
    error: int, words: str, choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any) -> Any:
        raise OSError(error, os.strerror(error), str(path))

    monkeypatch.setattr(folders.os, "scandir", refuse)
    chooser = choose(music)
    assert chooser.says.text == f"{music}: {words}"


@pytest.mark.parametrize("text", ["a\0b", "~nobody-of-that-name/sounds", "x" * 5000])
def test_what_is_no_path_is_said(text: str, choose: Choose) -> None:
    chooser = choose(text)
    assert f"{printable(text)}: cannot be looked into (" in chooser.says.text
    chooser.up.click()
    assert chooser.folder is not None


def test_counting_ends_when_its_time_is_over(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(music, patience_s=-1)
    assert {item.note for item in view.subfolders} == {"…", "a run"}
    seen = iter([0.0, 0.0, 9.0])  # a moment for the first folder of the first subfolder
    monkeypatch.setattr(folders.time, "monotonic", lambda: next(seen, 9.0))
    shutil.copy(music / "drums" / "drum-01.wav", music / "bells")
    assert view_of(music, patience_s=1).subfolders[0].note == "1 or more"


def test_what_is_above_a_path_exists(music: Path) -> None:
    assert nearest_above(music / "a" / "b" / "c") == music
    assert nearest_above(music) == music.parent
    assert nearest_above(Path("/")) == Path("/")


def test_much_is_read_only_when_asked_for(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_reader, "MOST_FILES", 2)
    chooser = read(choose(music))
    assert chooser.says.text == "3 sound files, 0.0 GB: reading them takes a while."
    assert (chooser.report.value, chooser.read_all.layout.display) == ("", "")
    chooser.reading = None
    chooser.read_all.click()
    assert read(chooser).reading.files == 3
    assert chooser.read_all.layout.display == "none"


def test_a_reading_that_fails_is_said(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a decoder <broke>")

    monkeypatch.setattr(corpus_reader.AudioCorpus, "scan", fail)
    chooser = read(choose(music))
    assert chooser.says.text == f"{music}: could not be read (a decoder <broke>)"


def test_in_colab_it_reads_at_once(
    choose: Choose, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_reader, "in_colab", lambda: True)
    chooser = choose(music)
    assert chooser.reading.files == 3
    assert not re.search("distill-corpus", str(threading.enumerate()))


def test_nothing_is_left_when_it_is_closed(choose: Choose, music: Path, comms: Any) -> None:
    chooser = choose(music)
    chooser.close()
    chooser.close()
    assert [comm for comm in comms if comm.is_open] == []
    assert repr(chooser) == f"FolderChooser({music})"
