from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import torch

from distill.audio.cache import audio_cache_dir, audio_cache_size, clear_audio_cache, key_of, spill
from distill.audio.corpus import AudioCorpus

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]


@pytest.fixture
def folder(save: Save, tone: Tone) -> Path:
    save("sounds/a.wav", tone(0.2))
    return save("sounds/b.wav", tone(0.3, hz=300)).parent


def _scan(folder: Path, **options: Any) -> AudioCorpus:
    return AudioCorpus.scan(folder, sample_rate=8000, progress=False, **options)


def test_the_environment_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "here"))
    assert audio_cache_dir() == tmp_path / "here"
    monkeypatch.setenv("DISTILL_CACHE", "")
    assert audio_cache_dir() == platformdirs.user_cache_path("distill") / "audio"


def test_a_spilled_waveform_is_the_same_and_lies_on_disk(tmp_path: Path) -> None:
    waveform = torch.randn(1000)
    mapped = spill(waveform, "key-48000", tmp_path / "new" / "cache")
    assert torch.equal(mapped, waveform)
    assert [path.name for path in (tmp_path / "new/cache").iterdir()] == ["key-48000.f32"]
    on_disk = np.fromfile(tmp_path / "new/cache/key-48000.f32", dtype=np.float32)
    np.testing.assert_array_equal(on_disk, waveform.numpy())


def test_the_same_key_is_written_once(tmp_path: Path) -> None:
    spill(torch.zeros(10), "key", tmp_path)
    before = (tmp_path / "key.f32").stat()
    spill(torch.zeros(10), "key", tmp_path)
    after = (tmp_path / "key.f32").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_cut_cache_file_is_written_again(tmp_path: Path) -> None:
    waveform = torch.randn(100)
    (tmp_path / "key.f32").write_bytes(b"half")
    assert torch.equal(spill(waveform, "key", tmp_path), waveform)


def test_changing_a_mapped_waveform_leaves_the_file_alone(tmp_path: Path) -> None:
    spill(torch.ones(10), "key", tmp_path).zero_()
    assert torch.equal(spill(torch.ones(10), "key", tmp_path), torch.ones(10))


def test_without_memory_a_corpus_is_mapped_and_the_same(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    mapped, held = _scan(folder, memory_bytes=0, cache_dir=cache), _scan(folder)
    assert len(list(cache.glob("*.f32"))) == 2
    assert mapped.files == held.files
    for one, other in zip(mapped.waveforms, held.waveforms, strict=True):
        assert torch.equal(one, other)


def test_only_what_exceeds_the_memory_is_mapped(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    corpus = _scan(folder, memory_bytes=1600 * 4, cache_dir=cache, workers=1)
    assert [path.name for path in cache.iterdir()] == [f"{corpus.files[1].sha256}-8000.f32"]


def test_enough_memory_makes_no_cache(folder: Path, tmp_path: Path) -> None:
    _scan(folder, memory_bytes=4000 * 4, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_cache_of_the_environment_is_found_and_cleared(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "elsewhere"))
    corpus = _scan(folder, memory_bytes=0)
    copies = [waveform.clone() for waveform in corpus.waveforms]
    assert clear_audio_cache() == (1600 + 2400) * 4
    assert not (tmp_path / "elsewhere").exists()
    for mapped, copy in zip(corpus.waveforms, copies, strict=True):
        assert torch.equal(mapped, copy)


def test_clearing_leaves_what_others_put_there(tmp_path: Path) -> None:
    """Also what ends as files of the cache do: somebody's raw floats, somebody's codes."""
    key = key_of("0" * 64, 48_000)
    spill(torch.zeros(10), key, tmp_path)
    (tmp_path / f"{key}.{'1' * 32}.tmp").write_bytes(bytes(8))
    (tmp_path / f"{'0' * 64}-{'2' * 32}.codes.npz").write_bytes(bytes(2))
    theirs = ["field.f32", "kick.codes.npz", "thesis.txt", "thesis.v1.tmp"]
    for name in theirs:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    assert clear_audio_cache(tmp_path) == 50
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*theirs, "folder"])


def test_clearing_nothing_frees_nothing(tmp_path: Path) -> None:
    assert clear_audio_cache(tmp_path / "never made") == 0


def test_only_our_own_files_are_counted_and_cleared(tmp_path: Path) -> None:
    """Whatever else lies in the folder, it neither stops that nor is touched."""
    cache, take = tmp_path / "cache", tmp_path / "take.wav"
    take.write_bytes(b"mine")
    spill(torch.zeros(10), key_of("a" * 64, 48_000), cache)
    (cache / "dangling").symlink_to("gone")
    (cache / f"{'b' * 64}-48000.f32").symlink_to(take)
    (cache / f"{'c' * 64}-48000.f32").mkdir()
    (cache / "mine.wav").write_bytes(b"mine")
    os.mkfifo(cache / f"{'d' * 64}-48000.f32")
    kept = len(list(cache.iterdir())) - 1
    assert audio_cache_size(cache) == 40
    assert clear_audio_cache(cache) == 40
    assert len(list(cache.iterdir())) == kept and take.read_bytes() == b"mine"
    assert audio_cache_size(cache) == audio_cache_size(take) == audio_cache_size(cache / "no") == 0
    assert clear_audio_cache(take) == clear_audio_cache(cache / "no") == 0
