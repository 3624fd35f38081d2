from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill.audio.corpus import AudioCorpus, describe_source, find_files
from distill.audio.reading import decode_open
from distill.audio.sound_file import OpenSound
from distill.errors import CorpusError

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]


def _scan(source: Any, **options: Any) -> AudioCorpus:
    return AudioCorpus.scan(source, sample_rate=8000, progress=False, **options)


def test_every_sound_is_kept_with_its_facts(tone: Tone, save: Save, tmp_path: Path) -> None:
    save("b.wav", 0.4 * tone(0.3))
    save("a/deep/c.flac", np.stack([tone(0.2, 16_000)] * 2, axis=1), 16_000)
    corpus = _scan(tmp_path)
    assert [file.path for file in corpus.files] == [tmp_path / "b.wav", tmp_path / "a/deep/c.flac"]
    mono, stereo = corpus.files
    assert (mono.sample_rate, mono.channels, mono.seconds) == (8000, 1, 0.3)
    assert (stereo.sample_rate, stereo.channels, stereo.seconds) == (16_000, 2, 0.2)
    assert (mono.peak, stereo.peak) == pytest.approx((0.2, 0.5), abs=0.01)
    assert (len(corpus), corpus.refusals) == (2, ())
    assert corpus.seconds == pytest.approx(0.5)


def test_waveforms_are_mono_at_one_rate_with_a_peak_of_1(
    tone: Tone, save: Save, tmp_path: Path
) -> None:
    save("a.wav", 0.1 * tone(0.2))
    save("b.wav", np.stack([tone(0.25, 44_100)] * 2, axis=1), 44_100)
    corpus = _scan(tmp_path)
    assert corpus.sample_rate == 8000
    assert [tuple(waveform.shape) for waveform in corpus.waveforms] == [(1600,), (2000,)]
    for waveform in corpus.waveforms:
        assert waveform.dtype == torch.float32
        assert float(waveform.abs().max()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["Aufnahmen ß/größe 1 – Ü.wav", "с пробелом/音.flac", "LOUD.WAV"])
def test_any_name_is_found(name: str, tone: Tone, save: Save, tmp_path: Path) -> None:
    path = save(name, tone())
    assert [file.path for file in _scan(tmp_path).files] == [path]


def test_a_file_several_places_and_text_are_sources(tone: Tone, save: Save, tmp_path: Path) -> None:
    one, two = save("one.wav", tone()), save("folder/two.wav", tone(hz=300))
    assert [file.path for file in _scan(one).files] == [one]
    assert [file.path for file in _scan(str(two.parent)).files] == [two]
    assert [file.path for file in _scan([str(two.parent), one]).files] == [two, one]
    assert [file.path for file in _scan(iter([one, one])).files] == [one]


@pytest.mark.parametrize("workers", [1, 4])
def test_order_is_of_paths_whatever_the_threads_do(
    workers: int, tone: Tone, save: Save, tmp_path: Path
) -> None:
    for number in range(12):
        save(f"{number:02}.wav", tone(1.0 if number == 0 else 0.1, hz=100 + 10 * number))
    threads = set(threading.enumerate())
    corpus = _scan(tmp_path, workers=workers)
    assert [file.path.name for file in corpus.files] == [f"{n:02}.wav" for n in range(12)]
    assert set(threading.enumerate()) <= threads


def test_the_same_sound_is_used_once(tone: Tone, save: Save, tmp_path: Path) -> None:
    samples = (tone() * 32767).astype(np.int16)
    for name in ("a.wav", "b copy.wav", "sub/c.flac", "sub/d.aiff"):
        save(name, samples)
    corpus = _scan(tmp_path)
    assert [file.path.name for file in corpus.files] == ["a.wav"]
    assert [refusal.reason for refusal in corpus.refusals] == [
        "b copy.wav: the same sound as a.wav, which is used",
        "c.flac: the same sound as a.wav, which is used",
        "d.aiff: the same sound as a.wav, which is used",
    ]


def test_hidden_files_and_folders_are_ignored(tone: Tone, save: Save, tmp_path: Path) -> None:
    save("a.wav", tone())
    save(".hidden.wav", tone(hz=200))
    save(".cache/b.wav", tone(hz=300))
    corpus = _scan(tmp_path)
    assert (len(corpus), corpus.refusals) == (1, ())


def test_an_earlier_run_is_not_recordings(tone: Tone, save: Save, tmp_path: Path) -> None:
    save("a.wav", tone())
    save("runs/first/previews/original.wav", tone(hz=300))
    (tmp_path / "runs/first/run.json").write_text("{}", encoding="utf-8")
    corpus = _scan(tmp_path)
    assert [file.path.name for file in corpus.files] == ["a.wav"]
    assert [refusal.reason for refusal in corpus.refusals] == [
        "first: a distill run, not recordings"
    ]


def test_other_files_are_refused_by_kind(tone: Tone, save: Save, tmp_path: Path) -> None:
    save("a.wav", tone())
    for name in ("cover.JPG", "README"):
        (tmp_path / name).write_text("no sound", encoding="utf-8")
    assert {refusal.reason for refusal in _scan(tmp_path).refusals} == {
        "cover.JPG: a .JPG file, not sound (.wav, .flac, .mp3 …)",
        "README: a file without an ending, not sound (.wav, .flac, .mp3 …)",
    }


def test_a_folder_that_cannot_be_read_is_refused(
    tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a.wav", tone())
    locked = save("locked/b.wav", tone(hz=300)).parent
    scandir = os.scandir

    def scan_or_refuse(path: str) -> object:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan_or_refuse)
    corpus = _scan(tmp_path)
    assert [refusal.reason for refusal in corpus.refusals] == [f"{locked}: Permission denied"]


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    expected = f"{tmp_path}: no files there; expected recordings (.wav, .flac, .mp3 …)"
    with pytest.raises(CorpusError, match=f"^{re.escape(expected)}$"):
        _scan(tmp_path)


def test_a_folder_of_text_lists_why_nothing_is_usable(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("words", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"none of 2 files is usable:\n    one\.txt: a \.txt"):
        _scan(tmp_path)


def test_a_text_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("words", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"notes\.txt: none of 1 files is usable:"):
        _scan(path)
    with pytest.raises(CorpusError, match=r"notes\.txt: none of 1 files is usable:"):
        _scan(iter([path]))


def test_a_missing_place_is_named_with_the_current_folder(tmp_path: Path) -> None:
    expected = f"{tmp_path}/gone: no such file or folder; the current folder is {Path.cwd()}"
    with pytest.raises(CorpusError, match=f"^{re.escape(expected)}$"):
        _scan(tmp_path / "gone")


@pytest.mark.parametrize("places", [[], "", [""], ["tests", ""]])
def test_no_places_at_all_are_an_error(places: str | list[str]) -> None:
    with pytest.raises(CorpusError, match="no files given: expected a folder of recordings, or"):
        find_files(places)


def test_a_source_is_described_by_its_first_three_places() -> None:
    assert describe_source("sounds") == "sounds"
    assert describe_source(["a", Path("b"), "c"]) == "a, b, c"
    assert describe_source(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@pytest.mark.parametrize("progress", [False, True])
def test_a_quick_scan_shows_nothing(
    progress: bool,
    tone: Tone,
    save: Save,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    AudioCorpus.scan(save("a.wav", tone()), sample_rate=8000, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_a_search_of_a_whole_disk_ends_once_it_is_cancelled(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    cancel = threading.Event()
    assert find_files(tmp_path, cancel)[0] == [tmp_path / "a.wav"]
    cancel.set()
    with pytest.raises(CorpusError, match=re.escape(f"{tmp_path}: the search was cancelled")):
        find_files(tmp_path, cancel)


def test_reading_ends_soon_after_it_is_cancelled(
    tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        save(f"{number:02}.wav", tone(hz=100 + number))
    cancel, read = threading.Event(), []

    def decode_and_cancel(sound: OpenSound, rate: int) -> Any:
        read.append(sound)
        cancel.set()
        return decode_open(sound, rate)

    monkeypatch.setattr("distill.audio.corpus_decoder.decode_open", decode_and_cancel)
    with pytest.raises(CorpusError, match=re.escape(f"{tmp_path}: reading was cancelled")):
        _scan(tmp_path, workers=1, cancel_event=cancel)
    assert len(read) < 50


def test_an_event_that_is_never_set_changes_nothing(tone: Tone, save: Save) -> None:
    path = save("a.wav", tone())
    assert len(_scan(path, cancel_event=threading.Event())) == 1


def test_split_judges_a_lone_short_file_by_all_of_it(tone: Tone, save: Save) -> None:
    short = _scan(save("short.wav", tone(0.3))).split(0.1)
    assert len(short.training[0]) == len(short.validation[0]) == 2400
    long = _scan(save("long.wav", tone(0.5))).split(0.1)
    assert (len(long.training[0]), len(long.validation[0])) == (3600, 400)
    assert short.validation_files == long.validation_files == (0,)


def test_real_speech_is_all_usable(shared_data: Path) -> None:
    folder = shared_data / "spoken_digits"
    corpus = _scan(folder)
    assert len(corpus) == len(list(folder.rglob("*.wav"))) == 60
    assert {(file.sample_rate, file.channels) for file in corpus.files} == {(8000, 1)}
    split = corpus.split(0.2)
    assert len(split.training) + len(split.validation) == 60
    assert 0 < sum(map(len, split.validation)) <= sum(map(len, split.training))
