"""What a file asks for is refused with its number before anything is allocated."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.audio import sound_file
from distill.audio.containers import walk
from distill.audio.corpus import AudioCorpus
from distill.audio.corpus_decoder import Keeper
from distill.audio.reading import decode, probe, read_audio, read_pieces
from distill.errors import AudioFileError, CorpusError, DistillError
from tests.audio.mutations import KINDS, RATE, chirp, encoded, mutant

Save = Callable[..., Path]
ORIGINALS = {kind: encoded(kind, chirp()) for kind in KINDS}


@pytest.mark.parametrize("ending", ["wav", "aiff", "caf", "au", "w64", "rf64"])
@pytest.mark.parametrize("rate", [1, 10, 99])
def test_absurd_rates_are_refused_by_their_number(ending: str, rate: int, save: Save) -> None:
    path = save(f"slow.{ending}", chirp(), rate)
    for read in (probe, decode, read_pieces):
        with pytest.raises(AudioFileError) as error:
            read(path)
        assert str(error.value) == (
            f"slow.{ending}: its header asks for {rate} samples a second; expected 100 to 1536000"
        )


def test_a_rate_beyond_all_hearing_is_refused(save: Save) -> None:
    with pytest.raises(AudioFileError, match="its header asks for 2000000000 samples a second"):
        decode(save("fast.wav", chirp(), 2_000_000_000))


@pytest.mark.parametrize("rate", [100, 256, 1_536_000])
def test_the_rates_at_the_edge_are_read(rate: int, save: Save) -> None:
    assert len(decode(save("edge.wav", chirp(), rate)).waveform) == 4000


def test_a_file_of_days_is_refused_by_its_length(save: Save) -> None:
    path = save("a.wav", np.zeros(200 * 100 * 10, np.int16), 100)
    assert probe(path).seconds == 2000
    silent = encoded("FLAC", np.zeros(4096, np.float32))
    data = bytearray(silent)
    total = 25 * 3600 * RATE
    bits = int.from_bytes(data[18:26], "big") & ~((1 << 36) - 1) | total
    data[18:26] = bits.to_bytes(8, "big")
    path = path.with_name("days.flac")
    path.write_bytes(bytes(data))
    with pytest.raises(AudioFileError, match=r"^days\.flac: 25\.0 h long by its header; up to 24"):
        decode(path)


def test_hours_of_silence_packed_small_are_refused(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("silence.flac", np.zeros(400_000), RATE)
    assert len(decode(path).waveform) == 400_000
    monkeypatch.setattr(sound_file, "_MANY_SAMPLES", 100_000)
    with pytest.raises(AudioFileError, match=r"0\.0 h in 0\.0 MB: only silence packs so small"):
        decode(path)
    monkeypatch.setattr(sound_file, "MOST_SAMPLES", 200_000)
    with pytest.raises(AudioFileError, match=r"1 channels of 400000 samples; up to 200000 of all"):
        decode(path)


def test_a_thousand_channels_take_no_more_memory_than_two(save: Save) -> None:
    path = save("array.wav", np.zeros((4000, 1024), np.int16), 384_000)
    tracemalloc.start()
    assert len(decode(path).waveform) == 4000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * 4 * sound_file.BLOCK_SAMPLES


def test_files_joined_by_the_thousand_have_an_end(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = encoded("WAV", chirp(100))
    path = save("a.wav", chirp(100))
    path.write_bytes(one * 1500)  # deeper than Python recurses
    assert probe(path).frames == 150_000
    monkeypatch.setattr(walk, "MOST_PARTS", 10)
    assert probe(path).frames == 1000
    assert "only the first 10 of its streams are used" in read_pieces(path).notes


def test_a_header_of_nothing_but_chunks_ends(save: Save) -> None:
    path = save("a.wav", chirp())
    path.write_bytes(b"RIFF\xff\xff\xff\xffWAVE" + b"JUNK\0\0\0\0" * 200_000)
    with pytest.raises(AudioFileError, match=r"^a\.wav: unreadable"):
        decode(path)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1_000_000))
def test_whatever_becomes_of_a_file_it_is_whole_or_refused_or_said(
    number: int, tmp_path: Path
) -> None:
    odd = mutant(number, ORIGINALS)
    path = tmp_path / "odd.wav"
    path.write_bytes(odd.data)
    try:
        sound = decode(path)
    except DistillError as error:
        assert str(error).isprintable()
        return
    as_made = (sound.info.sample_rate, sound.info.channels) == (RATE, 1)
    assert not as_made or sound.notes or len(sound.waveform) >= 0.98 * odd.least_frames
    Keeper(RATE, 1 << 30, tmp_path).load(path)


@pytest.mark.parametrize("kind", ORIGINALS)
def test_a_file_cut_anywhere_in_its_header_is_refused_or_said(kind: str, tmp_path: Path) -> None:
    """A recorder that crashed at once: nothing is there, which is no sound."""
    path = tmp_path / "cut.wav"
    for length in range(1, 200):
        path.write_bytes(ORIGINALS[kind][:length])
        with contextlib.suppress(AudioFileError):
            assert decode(path).notes, f"cut after {length} bytes"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=400), magic=st.sampled_from([*KINDS, "ID3", "none"]))
def test_any_bytes_behind_any_beginning_are_no_foreign_error(
    data: bytes, magic: str, tmp_path: Path
) -> None:
    head = {"ID3": b"ID3\x03\0\0\0\0\0\x05", "none": b""}
    path = tmp_path / "odd.wav"
    path.write_bytes(head.get(magic, ORIGINALS.get(magic, b"")[:60]) + data + b"x")
    try:
        decode(path)
    except DistillError as error:
        assert str(error).isprintable()


def test_a_waveform_of_many_channels_is_their_mean() -> None:
    file = io.BytesIO()
    many = np.random.default_rng(0).uniform(-0.5, 0.5, (2000, 300)).astype(np.float32)
    soundfile.write(file, many, RATE, format="WAV", subtype="FLOAT")
    assert struct.unpack_from("<H", file.getvalue(), 22) == (300,)
    torch.testing.assert_close(
        torch.from_numpy(many).mean(dim=1), torch.from_numpy(many.mean(axis=1)), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("begin", [b"RIFF\xff\xff\xff\xffWAVE", b"ID3\3\0\0\0\0\0\0", b"OggS", b""])
def test_a_hole_of_terabytes_is_refused_without_reading_it(begin: bytes, tmp_path: Path) -> None:
    """It takes no room on a disk, and hours to be read."""
    path = tmp_path / "hole.wav"
    path.write_bytes(begin)
    try:
        os.truncate(path, 1 << 42)
    except OSError:
        pytest.skip("no file can be so large here")
    expected = r"hole\.wav: 4398 GB; up to 137 are read: cut it into shorter files"
    with pytest.raises(AudioFileError, match=expected):
        read_audio(path)
    with pytest.raises(CorpusError, match=expected):
        AudioCorpus.scan(tmp_path, progress=False)
