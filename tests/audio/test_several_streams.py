"""Files that hold several streams, chunks or pages of sound where one is usual: all or a word."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from distill.audio.containers.layout import Stream
from distill.audio.containers.ogg import _crc, pages
from distill.audio.reading import DecodedSound, decode
from distill.errors import AudioFileError
from tests.audio.mutations import RATE, chirp, encoded

Read = Callable[[bytes], DecodedSound]

LONG = 200_000
_FIRST = 2


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def decoded(data: bytes) -> DecodedSound:
        path = tmp_path / "take.wav"
        path.write_bytes(data)
        return decode(path)

    return decoded


# --- Ogg -------------------------------------------------------------------------------------


def _page(page: bytes, **changes: int) -> bytes:
    """A page with another serial or granule, and the checksum of that."""
    head = bytearray(page)
    if "serial" in changes:
        head[14:18] = struct.pack("<I", changes["serial"])
    if "granule" in changes:
        head[6:14] = struct.pack("<q", changes["granule"])
    head[22:26] = struct.pack("<I", _crc(bytes(head)))
    return bytes(head)


def _ogg(serial: int, seed: int = 0, kind: str = "OGG", rate: int = RATE) -> list[bytes]:
    data = encoded(kind, chirp(LONG, seed), rate)
    found = pages(Stream.of(io.BytesIO(data)))
    return [_page(data[page.at : page.at + page.size], serial=serial) for page in found]


def _other(body: bytes) -> bytes:
    """The first page of a stream that is no sound, as pictures and Skeleton have."""
    head = struct.pack("<4sBBqIIIBB", b"OggS", 0, _FIRST, 0, 99, 0, 0, 1, len(body))
    return _page(head + body)


@pytest.mark.parametrize("second", ["OGG", "OPUS"])
def test_of_two_streams_at_once_the_first_is_read_and_the_other_said(
    read: Read, second: str
) -> None:
    one, two = _ogg(1), _ogg(2, seed=1, kind=second, rate=48_000 if second == "OPUS" else RATE)
    rest = max(len(one), len(two))
    mixed = [one[0], two[0]]
    for number in range(1, rest):
        mixed += one[number : number + 1] + two[number : number + 1]
    sound = read(b"".join(mixed))
    assert torch.equal(sound.waveform, read(b"".join(one)).waveform)
    assert sound.notes == (
        "another stream of sound beside its first: not used; split it to use all",
    )


@pytest.mark.parametrize("body", [b"fishead\0".ljust(64, b"\0"), b"\x80theora".ljust(42, b"\0")])
def test_streams_that_are_no_sound_are_passed_over(read: Read, body: bytes) -> None:
    one = b"".join(_ogg(1))
    sound = read(_other(body) + one)
    assert torch.equal(sound.waveform, read(one).waveform)
    assert sound.notes == ()


def test_a_page_that_comes_twice_is_sound_once(read: Read) -> None:
    one = _ogg(1)
    sound = read(b"".join([*one[:5], one[4], *one[5:]]))
    assert torch.equal(sound.waveform, read(b"".join(one)).waveform)


@pytest.mark.parametrize("granule", [0, 10, LONG // 2])
def test_a_last_page_that_counts_less_than_the_one_before_takes_nothing_away(
    read: Read, granule: int
) -> None:
    one = _ogg(1)
    sound = read(b"".join([*one[:-1], _page(one[-1], granule=granule)]))
    assert 0.9 * LONG < len(sound.waveform) < LONG
    whole = read(b"".join(one)).waveform
    assert torch.equal(sound.waveform, whole[: len(sound.waveform)])
    (note,) = sound.notes
    assert note.startswith("its last page counts wrong and is not used: used ")


def test_a_last_page_that_does_not_say_where_it_ends_is_said(read: Read) -> None:
    one = _ogg(1)
    sound = read(b"".join([*one[:-1], _page(one[-1], granule=-1)]))
    whole = read(b"".join(one)).waveform
    assert torch.equal(sound.waveform, whole[: len(sound.waveform)])
    used = f"used {len(sound.waveform) / RATE:.2f} s"
    assert sound.notes == (f"its last page does not say where it ends: {used}",)


# --- chunks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "CAF", "W64", "RF64"])
def test_a_second_chunk_of_samples_is_read_too(read: Read, kind: str) -> None:
    data = encoded(kind, chirp())
    alone = read(data).waveform
    name, head, order, counted, skip = {
        "WAV": (b"data", 8, "<I", 0, 0), "RF64": (b"data", 8, "<I", 0, 0),
        "AIFF": (b"SSND", 8, ">I", 0, 8), "CAF": (b"data", 12, ">Q", 0, 4),
        "W64": (b"data\xf3\xac\xd3\x11", 24, "<Q", 24, 0),
    }[kind]  # fmt: skip
    at = data.index(name)
    begin = at + head + skip
    half = 4000
    pcm = data[begin : begin + 2 * len(alone)]

    def chunk(samples: bytes) -> bytes:
        size = struct.pack(order, len(samples) + skip + counted)
        return data[at : at + head - len(size)] + size + bytes(skip) + samples

    sound = read(data[:at] + chunk(pcm[:half]) + chunk(pcm[half:]))
    assert torch.equal(sound.waveform, alone)
    assert sound.notes == ()


# --- tags in front of an MP3 ------------------------------------------------------------------


def _ape(size: int) -> bytes:
    return b"APETAGEX" + struct.pack("<IIII8x", 2000, size, 1, 0x2000_0000) + b"q" * size


@pytest.mark.parametrize(
    "front",
    [
        _ape(4000),
        b"TAG".ljust(128, b"x"),
        b"ID3\4\0\x10\0\0\2\0" + b"y" * 256 + b"3DI\4\0\x10\0\0\2\0",
        b"ID3\3\0\0\0\0\2\0" + b"y" * 256 + bytes(400_000),
        b"ID3\3\0\0\0\0\2\0" + b"y" * 256 + _ape(100) + bytes(7),
        bytes(100_000),
    ],
    ids=["APE", "ID3v1", "footer", "padding", "two kinds", "zeros"],
)
def test_what_lies_in_front_of_an_mp3_takes_nothing_away(read: Read, front: bytes) -> None:
    data = encoded("MP3", chirp(LONG))
    sound = read(front + data)
    assert torch.equal(sound.waveform, read(data).waveform)
    assert sound.notes == ()


# --- old formats -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["8SVX", "SPHERE", "AVR", "VOC", "MPC2000"])
def test_an_old_format_that_was_cut_is_refused(read: Read, kind: str) -> None:
    data = encoded(kind, chirp())
    with pytest.raises(AudioFileError, match=r"truncated: its header promises 0\.50 s, 0\.\d\d s"):
        read(data[: len(data) * 6 // 10])
    np.testing.assert_allclose(read(data).waveform, chirp(), atol=1e-4)


@pytest.mark.parametrize("kind", ["8SVX", "SPHERE", "AVR"])
def test_old_formats_joined_to_one_are_all_read(read: Read, kind: str) -> None:
    both = read(encoded(kind, chirp()) + encoded(kind, chirp(seed=1)))
    np.testing.assert_allclose(both.waveform, np.concatenate([chirp(), chirp(seed=1)]), atol=1e-4)


def test_packets_of_any_size_are_counted_in_bytes(read: Read) -> None:
    file = io.BytesIO()
    soundfile.write(file, chirp(), RATE, format="CAF", subtype="ALAC_16")
    with pytest.raises(AudioFileError, match=r"its header promises \d{4} bytes, \d{4} bytes are"):
        read(file.getvalue()[: len(file.getvalue()) * 8 // 10])
