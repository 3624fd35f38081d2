from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill.audio.corpus import AudioCorpus
from distill.audio.demo import make_demo_corpus
from distill.errors import AudioFileError


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_demo_corpus(tmp_path_factory.mktemp("new") / "demo", sample_rate=8000)


def _digests(paths: list[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_forty_recordings_of_five_kinds_make_a_minute(demo: list[Path]) -> None:
    kinds = Counter(path.name.rpartition("-")[0] for path in demo)
    assert kinds == {"pluck": 10, "bell": 8, "drum": 10, "breath": 4, "vowel": 8}
    assert demo == sorted(demo[0].parent.iterdir())
    assert sum(soundfile.info(str(path)).duration for path in demo) == pytest.approx(60, abs=1)


def test_every_recording_is_usable_and_no_two_are_the_same(demo: list[Path]) -> None:
    corpus = AudioCorpus.scan(demo[0].parent, sample_rate=8000, progress=False)
    assert (len(corpus), corpus.refusals) == (40, ())
    assert {file.sample_rate for file in corpus.files} == {8000}


def test_recordings_are_loud_and_end_without_a_click(demo: list[Path]) -> None:
    for path in demo:
        sound, _ = soundfile.read(str(path))
        assert 0.7 < np.abs(sound).max() <= 0.8901
        assert abs(sound[-1]) < 0.001


def test_a_seed_gives_the_same_files_and_another_gives_others(
    demo: list[Path], tmp_path: Path
) -> None:
    first = _digests(demo)
    again = make_demo_corpus(tmp_path / "demo", sample_rate=8000)
    assert _digests(again) == first
    replaced = make_demo_corpus(str(tmp_path / "demo"), sample_rate=8000, seed=1)
    assert replaced == again
    assert not set(_digests(replaced)) & set(first)


@pytest.mark.parametrize("sample_rate", [4000, 44_100])
def test_any_rate_gives_the_same_length(sample_rate: int, tmp_path: Path) -> None:
    paths = make_demo_corpus(tmp_path, sample_rate=sample_rate)
    infos = [soundfile.info(str(path)) for path in paths]
    assert {info.samplerate for info in infos} == {sample_rate}
    assert sum(info.duration for info in infos) == pytest.approx(59.6, abs=0.05)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(AudioFileError, match=r"taken: cannot be made: File exists$"):
        make_demo_corpus(tmp_path / "taken", sample_rate=4000)
    with pytest.raises(AudioFileError, match=r"taken/demo: cannot be made: Not a directory$"):
        make_demo_corpus(tmp_path / "taken" / "demo", sample_rate=4000)
