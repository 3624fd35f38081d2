"""Sounds of any length: read and written in pieces, to the same bits as at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill.audio import corpus_decoder, reading, resampling, sound_file
from distill.audio.corpus import AudioCorpus
from distill.audio.reading import read_audio, read_pieces
from distill.audio.resampling import resample, resampled_length, resampled_pieces
from distill.audio.writing import open_writer, write_audio
from distill.errors import AudioFileError, ShapeError

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_PIECE_SAMPLES", 3000)
    monkeypatch.setattr(resampling, "_CONTEXT_SAMPLES", 1 << 11)
    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 777)


@pytest.mark.parametrize("to_rate", [8000, 4000, 11_025, 16_000, 8001, 7919])
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.usefixtures("small_pieces")
def test_pieces_joined_are_the_whole_bit_by_bit(
    to_rate: int, channels: int, tone: Tone, save: Save
) -> None:
    sound = np.stack([tone(3.0, hz=200 + 50 * n) for n in range(channels)], axis=1)
    path = save("long.wav", sound)
    pieces = read_pieces(path, to_rate)
    whole, rate = read_audio(path, to_rate)
    assert torch.equal(torch.cat(list(pieces)), whole)
    assert torch.equal(torch.cat(list(pieces)), whole)  # again
    assert (pieces.sample_rate, pieces.samples) == (rate, len(whole))
    assert pieces.peak == float(whole.abs().max())


@pytest.mark.usefixtures("small_pieces")
def test_what_is_done_to_a_sound_is_done_to_its_pieces(tone: Tone, save: Save) -> None:
    wide = np.stack([tone(2.0) + 0.2, 0.2 - tone(2.0)], axis=1)
    path = save("wide.wav", wide, subtype="FLOAT")
    pieces, whole = read_pieces(path, 6000), read_audio(path, 6000)[0]
    assert torch.equal(torch.cat(list(pieces)), whole)
    assert pieces.notes == (
        "opposite phase: only its left channel is used",
        "a constant offset of 0.2 was taken away",
    )


@pytest.mark.parametrize(
    ("before", "after"), [(8000, 11_025), (11_025, 8000), (8001, 8000), (8000, 7919)]
)
@pytest.mark.usefixtures("small_pieces")
def test_pieces_have_no_seams(before: int, after: int, tone: Tone) -> None:
    made = resample(torch.from_numpy(tone(4.0, before)).float(), before, after)
    expected = tone(4.0, after)
    assert len(made) == resampled_length(4 * before, before, after)
    inner = slice(after // 4, 4 * after - after // 4)
    np.testing.assert_allclose(made.numpy()[inner], expected[inner], atol=5e-3)


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=12),
    rates=st.sampled_from([(8000, 11_025), (11_025, 8000), (8001, 8000), (2000, 8000)]),
)
def test_how_a_sound_is_cut_changes_no_bit(cuts: list[int], rates: tuple[int, int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_PIECE_SAMPLES", 3000)
        patch.setattr(resampling, "_CONTEXT_SAMPLES", 1 << 11)
        sound = torch.randn(sum(cuts), generator=torch.Generator().manual_seed(0))
        made = list(resampled_pieces(sound.split(cuts), len(sound), *rates))
        assert torch.equal(torch.cat(made), resample(sound, *rates))


def test_a_batch_is_resampled_in_pieces_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_PIECE_SAMPLES", 3000)
    batch = torch.randn(2, 10_000)
    rows = torch.stack([resample(row, 8000, 6000) for row in batch])
    torch.testing.assert_close(resample(batch, 8000, 6000), rows)


def test_pieces_of_a_file_that_changes_in_between_are_refused(tone: Tone, save: Save) -> None:
    path = save("live.wav", tone(0.5))
    pieces = read_pieces(path)
    save("live.wav", tone(0.4))
    with pytest.raises(AudioFileError, match=r"^live\.wav: changed while it was read; wait until"):
        list(pieces)
    path.unlink()
    with pytest.raises(AudioFileError, match=r"^live\.wav: no such file"):
        list(pieces)


def test_what_is_too_long_to_be_read_whole_can_be_read_in_pieces(
    tone: Tone, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("hours.wav", tone(2.0))
    monkeypatch.setattr(reading, "MOST_WHOLE_BYTES", 10_000)
    with pytest.raises(AudioFileError, match=r"^hours\.wav: 0\.0 h of sound need .* at once; up"):
        read_audio(path)
    assert sum(map(len, read_pieces(path, 4000))) == 8000


@pytest.mark.parametrize("memory_bytes", [0, 1 << 30])
def test_a_corpus_reads_long_sounds_in_pieces(
    memory_bytes: int, tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("long.wav", 0.3 * tone(1.0))
    whole = AudioCorpus.scan(path, sample_rate=6000, progress=False)
    monkeypatch.setattr(corpus_decoder, "_LARGE_BYTES", 100)
    long = AudioCorpus.scan(
        path, sample_rate=6000, progress=False, memory_bytes=memory_bytes, cache_dir=tmp_path / "c"
    )
    assert long.files == whole.files
    assert torch.equal(long.waveforms[0], whole.waveforms[0])
    assert (tmp_path / "c").exists() == (memory_bytes == 0)


def test_a_file_is_written_in_pieces(tmp_path: Path) -> None:
    sound = torch.rand(10_000) - 0.5
    write_audio(tmp_path / "whole.wav", sound, 8000)
    with open_writer(tmp_path / "pieces.wav", 8000) as write:
        for piece in sound.split(777):
            write(piece)
        assert not (tmp_path / "pieces.wav").exists()
    assert (tmp_path / "pieces.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_a_writer_that_is_left_by_an_error_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(ShapeError, match="mine"),
        open_writer(tmp_path / "a.wav", 8000) as write,
    ):
        write(torch.zeros(100))
        raise ShapeError("mine")
    assert list(tmp_path.iterdir()) == []
