"""Marks in the files that distill makes, and disks that are full."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import soundfile
import torch

from distill.audio import writing
from distill.audio.corpus import AudioCorpus
from distill.audio.file_search import RECONSTRUCTION
from distill.audio.reading import read_audio
from distill.audio.reconstruction_mark import is_reconstruction
from distill.audio.writing import wav_bytes, write_audio
from distill.errors import AudioFileError

Tone = Callable[..., np.ndarray]
ENDINGS = ("wav", "flac", "ogg", "mp3", "aif", "aiff", "au", "caf", "w64", "rf64")
MADE_BY = "take 3 größe.wav through kit@0123456789abcdef, levels 1-3 of 3"


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_model_made_is_recognised(ending: str, tone: Tone, tmp_path: Path) -> None:
    sound = torch.from_numpy(tone(0.5)).float()
    plain = write_audio(tmp_path / f"plain.{ending}", sound, 8000)
    made = write_audio(tmp_path / f"made.{ending}", sound, 8000, made_by=MADE_BY)
    assert not is_reconstruction(plain)
    assert is_reconstruction(made)
    assert torch.equal(read_audio(made)[0], read_audio(plain)[0])
    assert soundfile.info(str(made)).frames == soundfile.info(str(plain)).frames


def test_the_mark_says_how_it_was_made(tone: Tone, tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.flac", torch.from_numpy(tone()), 8000, made_by=MADE_BY)
    with soundfile.SoundFile(str(path)) as sound:
        assert sound.comment == f"distill-reconstruction: {MADE_BY}"


def test_nothing_is_learned_from_what_a_model_made(tone: Tone, tmp_path: Path) -> None:
    sound = torch.from_numpy(tone()).float()
    write_audio(tmp_path / "kick.wav", sound, 8000)
    for ending in ("wav", "mp3", "w64"):
        path = tmp_path / f"kick.reconstruction.{ending}"
        write_audio(path, 0.9 * sound, 8000, made_by=MADE_BY)
    corpus = AudioCorpus.scan(tmp_path, sample_rate=8000, progress=False)
    assert [file.path.name for file in corpus.files] == ["kick.wav"]
    assert {refusal.kind for refusal in corpus.refusals} == {RECONSTRUCTION}
    assert [refusal.reason for refusal in corpus.refusals][-1] == (
        "kick.reconstruction.wav: made by distill out of codes, not a recording; nothing is "
        "learned from it"
    )


class _Filling:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: Any) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("made_by", [None, MADE_BY])
def test_a_disk_that_fills_at_any_byte_is_one_error_of_ours(
    ending: str, made_by: str | None, tone: Tone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    sound = torch.from_numpy(tone(1.0)).float()
    path = write_audio(tmp_path / f"a.{ending}", sound, 8000, made_by=made_by)
    before, room = path.read_bytes(), [0]
    whole = writing.new_file

    @contextmanager
    def filling(*args: Any, **options: Any) -> Any:
        with whole(*args, **options) as file:
            yield _Filling(file, room[0])

    monkeypatch.setattr(writing, "new_file", filling)
    for room[0] in sorted({0, 1, 40, 100, *range(0, len(before) - 1, max(1, len(before) // 20))}):
        with pytest.raises(AudioFileError, match=r": cannot be written: No space left on device$"):
            write_audio(path, sound, 8000, made_by=made_by)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
    assert capfd.readouterr().err == ""


def test_errors_of_a_file_name_are_ours(tmp_path: Path) -> None:
    for name in ("x" * 300 + ".wav", "a\nb/c.wav"):
        refusal = "cannot be written: |xxx…: no name that a file can have "
        with pytest.raises(AudioFileError, match=refusal) as error:
            write_audio(tmp_path / name, torch.zeros(10), 8000)
        assert str(error.value).isprintable()


def test_sounds_in_memory_are_marked_too(tone: Tone, tmp_path: Path) -> None:
    sound = torch.from_numpy(tone()).float()
    (tmp_path / "a.wav").write_bytes(wav_bytes(sound, 8000))
    (tmp_path / "b.wav").write_bytes(wav_bytes(sound, 8000, made_by=MADE_BY))
    assert not is_reconstruction(tmp_path / "a.wav")
    assert is_reconstruction(tmp_path / "b.wav")
    assert torch.equal(read_audio(tmp_path / "a.wav")[0], read_audio(tmp_path / "b.wav")[0])
