"""Decoded sounds, handed over: used as they are, unless anything is not as it was."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from distill import AudioCorpus
from distill.audio import corpus_decoder, handover
from distill.audio.cache import clear_audio_cache
from distill.audio.decoded_sounds import DecodedSounds, forget, received
from distill.audio.handover import hand_over
from distill.errors import OutsideDataError

RATE = 8_000


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number, name in enumerate(("a", "b é", "c")):
        write(folder / f"{name}.wav", seed=number)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def write(path: Path, *, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, 4_000 + 10 * seed)
    soundfile.write(path, noise, RATE)


def scan(folder: Path, cache: Path, decoded: DecodedSounds | None = None, **options: int):
    return AudioCorpus.scan(
        folder, sample_rate=RATE, cache_dir=cache, progress=False, decoded=decoded, **options
    )


def same(one: AudioCorpus, other: AudioCorpus) -> bool:
    pairs = zip(one.waveforms, other.waveforms, strict=True)
    return one.files == other.files and all(torch.equal(a, b) for a, b in pairs)


def refuse(*_: object) -> None:
    raise AssertionError("decoded again")


@pytest.mark.parametrize("memory_bytes", [1 << 30, 20_000, 0])
def test_nothing_is_decoded_again(
    memory_bytes: int, sounds: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what did not fit in memory, and lies in the cache already."""
    corpus = scan(sounds, cache, memory_bytes=memory_bytes)
    path = hand_over(corpus, cache)
    assert path is not None
    monkeypatch.setattr(corpus_decoder, "decode_open", refuse)
    with received(path) as decoded:
        assert not path.exists()  # however this process ends, it leaves nothing there
        again = scan(sounds, cache, decoded)
    assert same(again, corpus)


def test_a_renamed_copy_is_recognised_and_a_changed_file_is_not(sounds: Path, cache: Path) -> None:
    corpus = scan(sounds, cache)
    path = hand_over(corpus, cache)
    (sounds / "a.wav").rename(sounds / "d.wav")
    changed, before = sounds / "c.wav", (sounds / "c.wav").stat()
    write(changed, seed=7)
    data = changed.read_bytes()[: before.st_size]
    changed.write_bytes(data)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))  # by size and time the same
    with received(path) as decoded:
        again = scan(sounds, cache, decoded)
    assert same(again, scan(sounds, cache))
    assert {file.path.name for file in again.files} == {"b é.wav", "c.wav", "d.wav"}
    assert corpus.files[2].sha256 not in {file.sha256 for file in again.files}


def test_another_rate_is_decoded(sounds: Path, cache: Path) -> None:
    with received(hand_over(scan(sounds, cache), cache)) as decoded:
        other = AudioCorpus.scan(sounds, sample_rate=16_000, progress=False, decoded=decoded)
    assert [len(waveform) for waveform in other.waveforms] == [8_000, 8_020, 8_040]


def test_where_there_is_no_room_all_is_decoded(
    sounds: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = scan(sounds, cache)
    monkeypatch.setattr(handover, "MOST_BYTES", 4 * len(corpus.waveforms[0]))
    with received(hand_over(corpus, cache)) as decoded:
        assert decoded is not None
        assert decoded.find(corpus.files[0].file_sha256) is not None
        assert decoded.find(corpus.files[1].file_sha256) is None
        assert same(scan(sounds, cache, decoded), corpus)
    blocked = cache / "file"
    blocked.write_text("no folder")
    assert hand_over(corpus, blocked) is None
    with received(None) as decoded:
        assert decoded is None


@pytest.mark.parametrize("size", [0, 4, 8, 200, -4])
def test_what_was_cut_is_not_used(size: int, sounds: Path, cache: Path) -> None:
    corpus = scan(sounds, cache)
    path = hand_over(corpus, cache)
    assert path is not None
    with path.open("r+b") as file:
        file.truncate(size if size >= 0 else path.stat().st_size + size)
    with received(path) as decoded:
        assert same(scan(sounds, cache, decoded), corpus)


def test_what_is_no_index_is_refused(cache: Path) -> None:
    cache.mkdir()
    path = cache / "x.handed-over.f32"
    for data in (b"\xff" * 64, (2).to_bytes(8, "little") + b"{}" + bytes(8)):
        path.write_bytes(data)
        with pytest.raises(OutsideDataError):
            DecodedSounds(path)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links")
def test_no_link_is_followed(sounds: Path, cache: Path) -> None:
    path = hand_over(scan(sounds, cache), cache)
    assert path is not None
    link = cache / "y.handed-over.f32"
    link.symlink_to(path)
    with received(link) as decoded:
        assert decoded is None
    assert path.exists()


def test_nothing_stays_for_ever(sounds: Path, cache: Path) -> None:
    corpus = scan(sounds, cache)
    old, new = hand_over(corpus, cache), hand_over(corpus, cache)
    assert old is not None and new is not None
    long_ago = time.time() - 2 * 3600
    os.utime(old, (long_ago, long_ago))
    (cache / "mine.f32.txt").write_text("mine")
    last = hand_over(corpus, cache)
    assert not old.exists() and new.exists()
    forget(last)
    forget(cache / "mine.f32.txt")
    assert clear_audio_cache(cache) > 4 * 12_000
    assert [path.name for path in cache.iterdir()] == ["mine.f32.txt"]
