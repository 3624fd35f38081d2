"""Every sample of a file is read, or a word says what is missing; all inputs are made here."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.audio.containers import chunk_headers
from distill.audio.containers.chunks import walk_chunks
from distill.audio.containers.layout import Stream
from distill.audio.containers.mpeg import frames_of
from distill.audio.containers.ogg import _crc, pages
from distill.audio.corpus import AudioCorpus
from distill.audio.reading import decode, probe, read_part
from distill.errors import AudioFileError
from tests.audio.mutations import FRAMES, RATE, chirp, encoded, without_xing

Put = Callable[[str, bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def wav(pcm: bytes, size: int, *, before: bytes = b"") -> bytes:
    """A WAV of 16 bit whose header says `size` bytes of samples."""
    head = b"RIFF" + struct.pack("<I", (size + 36) & 0xFFFFFFFF) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return head + before + b"data" + struct.pack("<I", size) + pcm


PCM = (chirp() * 32767).astype("<i2").tobytes()
SOUND = torch.from_numpy(np.frombuffer(PCM, "<i2").astype(np.float32) / 32768)
NO_SIZES = [0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0x80000000 - 36, 0x80000024, 0xFFFFFFFF]
NO_SIZES += [0xFFFFFFFE, 0xFFFFFFFF - 36, 0xFFFF8000, 0x7FFF8000]


@pytest.mark.parametrize("size", NO_SIZES)
def test_a_wav_whose_header_knows_no_size_is_read_to_the_end(size: int, put: Put) -> None:
    sound = decode(put("take.wav", wav(PCM, size)))
    assert torch.equal(sound.waveform, SOUND)
    assert sound.notes == ()


def test_a_wav_without_samples_has_none_of_the_chunk_behind_them(put: Put) -> None:
    text = (
        b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"a recorder 12\0"
    )
    with pytest.raises(AudioFileError, match=r"^take\.wav: 0 samples after decoding"):
        decode(put("take.wav", wav(text, 0)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(0, 2**32 - 1))
def test_whatever_size_a_wav_says_all_is_read_or_said(size: int, put: Put) -> None:
    path = put("take.wav", wav(PCM, size))
    try:
        sound = decode(path)
    except AudioFileError as error:
        assert "truncated: its header promises" in str(error)
        assert size > len(PCM)
        return
    said = 0 < size < len(PCM) - 1 or len(PCM) + 1 < size < 1 << 30
    assert bool(sound.notes) == said
    if len(PCM) - 800 < size < len(PCM):  # too little to say whether it is sound
        assert torch.equal(sound.waveform, SOUND[: size // 2])
    else:
        assert torch.equal(sound.waveform, SOUND)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lacks=st.integers(-150, 900))
def test_a_size_that_is_nearly_right_loses_nothing_in_silence(lacks: int, put: Put) -> None:
    sound = decode(put("take.wav", wav(PCM, len(PCM) - lacks)))
    assert len(sound.waveform) == len(SOUND) or len(sound.waveform) == len(SOUND) - -(-lacks // 2)
    assert bool(sound.notes) == (abs(lacks) >= 2)


@pytest.mark.parametrize("size", [2, 999, 4000])
def test_samples_behind_a_size_that_is_too_small_are_read_and_said(size: int, put: Put) -> None:
    sound = decode(put("take.wav", wav(PCM, size)))
    assert torch.equal(sound.waveform, SOUND)
    assert sound.notes == (
        f"its header says {size / 2 / RATE:.2f} s, but sound goes on to the end of the file: "
        "read as 0.50 s",
    )


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"a recorder 12\0",
        b"TAG".ljust(128, b" "),
        b"ID3\x03\x00\x00\x00\x00\x10\x00" + b"x" * 2048,
        bytes(5000),
        b"x" * 100,
    ],
    ids=["chunk", "ID3v1", "ID3v2", "zeros", "junk"],
)
@pytest.mark.parametrize(
    "kind",
    [
        "WAV", "AIFF", "AU", "CAF", "W64", "RF64", "FLAC", "OGG", "MP3", "8SVX", "SPHERE", "AVR",
        "MPC2000",
    ],
)  # fmt: skip
def test_what_follows_the_samples_is_no_sound(kind: str, behind: bytes, put: Put) -> None:
    data = encoded(kind, chirp())
    if kind in {"AIFF", "8SVX"} and behind.startswith(b"LIST"):
        behind = b"NAME" + struct.pack(">I", 26) + behind[8:]
    alone = decode(put("alone.bin", data))
    sound = decode(put("more.bin", data + behind))
    assert torch.equal(sound.waveform, alone.waveform)
    no_frames = kind not in {"FLAC", "OGG", "MP3"}
    foreign = behind[:1] == b"x" or (behind[:4] == b"LIST" and kind not in {"WAV", "RF64"})
    said = (f"{len(behind)} bytes behind its sound are not used",)
    assert sound.notes == (said if no_frames and foreign else ())


@pytest.mark.parametrize("kind", ["RF64", "W64", "AIFF", "AU", "CAF"])
@pytest.mark.parametrize("size", [0, 0x7F000000, 0x7EFFFFFC, 0x80000000, 0xFFFFFFFF, 1000])
def test_other_containers_whose_sizes_say_nothing(kind: str, size: int, put: Put) -> None:
    data = bytearray(encoded(kind, chirp()))
    wide, order = {"RF64": ("Q", "<"), "W64": ("Q", "<"), "CAF": ("Q", ">")}.get(kind, ("I", ">"))
    at, added = {
        "RF64": (data.find(b"ds64") + 16, 0),
        "W64": (data.find(b"data\xf3\xac") + 16, 24),
        "AIFF": (data.find(b"SSND") + 4, 8),
        "AU": (8, 0),
        "CAF": (data.find(b"data") + 4, 4),
    }[kind]
    value = (size + added) & (0xFFFFFFFF if wide == "I" else (1 << 64) - 1)
    struct.pack_into(order + wide, data, at, value)
    whole = decode(put("whole.bin", encoded(kind, chirp()))).waveform
    sound = decode(put("take.bin", bytes(data)))
    assert torch.equal(sound.waveform, whole)
    assert bool(sound.notes) == (size == 1000)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["CAF", "W64"]), before=st.integers(1, 3), behind=st.booleans(),
    size=st.sampled_from([None, 0, 2**62]),
)  # fmt: skip
def test_headers_that_a_writer_into_a_pipe_repeats_are_no_sound(
    kind: str, before: int, behind: bool, size: int | None, put: Put
) -> None:
    """As SoX leaves them: it corrects its header, but a pipe only goes on."""
    made = io.BytesIO()
    samples = np.frombuffer(PCM, "<i2")
    soundfile.write(made, samples, RATE, format=kind, subtype="PCM_16", endian="LITTLE")
    data = made.getvalue()
    at = data.index(PCM[:64])
    head, pcm = data[:at], data[at : at + len(PCM)]
    if size is not None:
        place = at - 12 if kind == "CAF" else at - 8
        order = ">Q" if kind == "CAF" else "<Q"
        head = head[:place] + struct.pack(order, size) + head[place + 8 :]
    piped = head * before + pcm + head * (behind and before > 1)
    sound = decode(put(f"take.{kind.lower()}", piped))
    assert torch.equal(sound.waveform, SOUND)
    assert sound.notes == ()


def test_a_wav_beyond_4_gb_is_read_by_the_rest_of_its_size() -> None:
    # 5 GB of samples leave the remainder by 2^32 in the header; nothing of that size is read here.
    class Huge(io.RawIOBase):
        head = wav(b"", (5 * 10**9) % 2**32)
        at = 0

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset if whence == 0 else 5 * 10**9 + 44
            return self.at

        def read(self, count: int = -1) -> bytes:
            data = self.head[self.at : self.at + count]
            return data + b"\x11\x22" * ((count - len(data)) // 2)

    stream = Stream.of(Huge())  # type: ignore[arg-type]
    found = chunk_headers.find_wav(stream)
    assert found is not None
    (part,) = walk_chunks(stream, found).parts
    header, rest = part.spans or (b"", b"")
    assert isinstance(header, bytes)
    assert header[:4] == b"RF64"
    assert struct.unpack_from("<Q", header, header.index(b"ds64") + 16) == (5 * 10**9,)
    assert (rest.start, rest.length) == (44, 5 * 10**9)  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "CAF", "W64", "RF64", "FLAC", "OGG", "OPUS"])
def test_files_joined_to_one_are_all_read(kind: str, put: Put) -> None:
    rate = 48_000 if kind == "OPUS" else RATE
    one, two = (encoded(kind, chirp(seed=seed), rate) for seed in (0, 1))
    first, second = (decode(put(f"{n}.bin", data)).waveform for n, data in enumerate((one, two)))
    path = put("joined.bin", one + two + one)
    sound = decode(path)
    assert probe(path).frames == len(sound.waveform) == 3 * FRAMES
    assert sound.notes == ()
    np.testing.assert_allclose(sound.waveform, torch.cat([first, second, first]), atol=1e-6)
    part, _ = read_part(path, (FRAMES - 100) / rate, 200 / rate)
    np.testing.assert_allclose(part, torch.cat([first[-100:], second[:100]]), atol=1e-6)


def test_mp3s_joined_to_one_are_all_read(put: Put) -> None:
    one, two = encoded("MP3", chirp(seed=0)), encoded("MP3", chirp(seed=1))
    sound = decode(put("joined.mp3", one + two + two))
    expected = np.concatenate([chirp(seed=0), chirp(seed=1), chirp(seed=1)])
    assert (len(sound.waveform), sound.notes) == (3 * FRAMES, ())
    assert np.corrcoef(sound.waveform, expected)[0, 1] > 0.99


def test_joined_sounds_of_other_rates_are_said(put: Put) -> None:
    for kind in ("OGG", "MP3", "WAV", "FLAC"):
        two = encoded(kind, chirp(), 16_000)
        sound = decode(put(f"{kind}.bin", encoded(kind, chirp()) + two))
        assert len(sound.waveform) == FRAMES
        (note,) = sound.notes
        assert note.startswith("used 0.50 of 0.")
        assert note.endswith("s: it goes on with 1 channels at 16000 Hz; split it to use both")


@pytest.mark.parametrize("seconds", [3.0, 8.0])
def test_an_mp3_of_changing_bit_rate_without_a_count_is_read_whole(
    seconds: float, put: Put
) -> None:
    quiet = np.zeros(round(seconds * RATE / 2))
    sound = np.concatenate([quiet, chirp(round(seconds * RATE / 2))]).astype(np.float32)
    data = encoded("MP3 VBR", sound)
    assert b"Xing" not in data
    read = decode(put("vbr.mp3", data))
    assert len(sound) <= len(read.waveform) <= len(sound) + 3000
    assert read.notes == ()
    matches = np.correlate(read.waveform.numpy(), sound[-4000:], "valid")
    lag = int(np.argmax(matches)) + 4000 - len(sound)
    assert 0 <= lag < 1500  # what an encoder needs before it has anything to say


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_an_mp3_that_counts_too_few_frames_is_read_whole(count: int, put: Put) -> None:
    data = bytearray(encoded("MP3", chirp()))
    struct.pack_into(">I", data, max(data.find(b"Xing"), data.find(b"Info")) + 8, count)
    sound = decode(put("lies.mp3", bytes(data)))
    assert (len(sound.waveform), sound.notes) == (FRAMES, ())
    assert np.corrcoef(sound.waveform, chirp())[0, 1] > 0.99


def test_an_mp3_that_counts_too_many_frames_is_read_whole_and_said(put: Put) -> None:
    data = bytearray(encoded("MP3", chirp()))
    struct.pack_into(">I", data, max(data.find(b"Xing"), data.find(b"Info")) + 8, 1000)
    sound = decode(put("lies.mp3", bytes(data)))
    assert len(sound.waveform) == FRAMES
    (note,) = sound.notes
    assert note.startswith("its header promises 71.")
    assert note.endswith(" s: used 0.50 s, all that is there")


def test_rubbish_in_an_mp3_is_passed_over_and_said(put: Put) -> None:
    data = encoded("MP3", chirp(40_000))
    (count,) = frames_of(Stream.of(io.BytesIO(data)))
    middle = len(data) // 2
    sound = decode(put("hole.mp3", data[:middle] + b"\x55" * 9000 + data[middle:]))
    assert len(sound.waveform) > 40_000 - 3 * 576
    (note,) = [note for note in sound.notes if "no frames of sound" in note]
    assert "bytes at 2." in note
    assert count == -(-(40_000 + 1105) // 576) or count > 70


def test_an_mp3_in_front_of_which_a_frame_was_cut_begins_at_the_next(put: Put) -> None:
    data = without_xing(encoded("MP3", chirp(40_000)))
    sound = decode(put("radio.mp3", data[100:]))
    assert 40_000 - 1152 <= len(sound.waveform) <= 40_000 + 2400


@pytest.mark.parametrize("total", [0, 1, 3000])
def test_a_flac_whose_header_knows_no_length_is_read_whole(total: int, put: Put) -> None:
    data = bytearray(encoded("FLAC", chirp()))
    data[21:26] = bytes([data[21] & 0xF0]) + struct.pack(">I", total)
    sound = decode(put("piped.flac", bytes(data)))
    assert torch.equal(sound.waveform, decode(put("whole.flac", encoded("FLAC", chirp()))).waveform)
    assert (sound.info.frames, sound.notes) == (FRAMES, ())


def test_a_flac_without_a_length_that_is_cut_is_used_up_to_there_and_said(put: Put) -> None:
    long = chirp(40_000)
    data = bytearray(encoded("FLAC", long))
    data[21:26] = bytes([data[21] & 0xF0]) + bytes(4)
    sound = decode(put("cut.flac", bytes(data[: len(data) * 3 // 4])))
    assert sound.notes == ("its last frame is cut off: all before it is used",)
    assert 0.5 * 40_000 < len(sound.waveform) < 40_000
    np.testing.assert_allclose(sound.waveform, long[: len(sound.waveform)], atol=1e-4)


def _pages(data: bytes) -> list[bytes]:
    found = pages(Stream.of(io.BytesIO(data)))
    return [data[page.at : page.at + page.size] for page in found]


def test_the_pages_of_an_ogg_stream_are_all_found_and_sound() -> None:
    data = encoded("OGG", chirp(80_000))
    found = list(pages(Stream.of(io.BytesIO(data))))
    assert b"".join(_pages(data)) == data
    assert all(page.whole and page.sound for page in found)
    assert found[-1].granule == 80_000
    assert [page.number for page in found] == list(range(len(found)))


def _ogg_flac(sound: np.ndarray, serial: int) -> bytes:
    """FLAC in Ogg pages, whose head knows no length, as `flac --ogg` and ffmpeg make it."""
    flac = bytearray(encoded("FLAC", sound))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])
    bodies = [b"\x7fFLAC\x01\0\0\x01" + flac[:42]]
    bodies += [bytes(flac[at : at + 4000]) for at in range(42, len(flac), 4000)]
    made = b""
    for number, body in enumerate(bodies):
        flags = 2 * (number == 0) + 4 * (number == len(bodies) - 1)
        lacing = b"\xff" * (len(body) // 255) + bytes([len(body) % 255])
        head = struct.pack(
            "<4sBBqIIIB", b"OggS", 0, flags, len(sound), serial, number, 0, len(lacing)
        )
        page = head + lacing + body
        made += page[:22] + struct.pack("<I", _crc(page)) + page[26:]
    return made


@pytest.mark.parametrize("behind", ["", "OGG", "FLAC", "Ogg FLAC"])
def test_flac_in_ogg_is_read_also_where_more_is_joined_to_it(behind: str, put: Put) -> None:
    second = {"": b"", "Ogg FLAC": _ogg_flac(chirp(seed=1), 2)}.get(behind)
    second = encoded(behind, chirp(seed=1)) if second is None else second
    sound = decode(put("take.ogg", _ogg_flac(chirp(), 1) + second))
    assert len(sound.waveform) == FRAMES * (2 if behind else 1)
    assert sound.notes == ()
    np.testing.assert_allclose(sound.waveform[:FRAMES], chirp(), atol=1e-4)
    if behind:
        np.testing.assert_allclose(sound.waveform[FRAMES:], chirp(seed=1), atol=0.1)


def test_flac_in_ogg_of_which_a_page_is_missing_is_not_read_in_silence(put: Put) -> None:
    kept = _pages(_ogg_flac(chirp(60_000), 1))
    try:
        sound = decode(put("take.oga", b"".join(kept[:4] + kept[5:])))
    except AudioFileError:
        return
    assert sound.notes


def test_an_ogg_stream_that_was_never_closed_is_used_and_said(put: Put) -> None:
    kept = _pages(encoded("OGG", chirp(200_000)))[:-1]
    sound = decode(put("radio.ogg", b"".join(kept)))
    assert 100_000 < len(sound.waveform) < 200_000
    assert sound.notes == (
        f"its Ogg stream was never closed: used {len(sound.waveform) / RATE:.2f} s, all that is "
        "there",
    )


def test_an_ogg_page_that_is_missing_is_said(put: Put) -> None:
    kept = _pages(encoded("OGG", chirp(200_000)))
    sound = decode(put("lossy.ogg", b"".join(kept[:4] + kept[5:])))
    (note,) = sound.notes
    assert note.startswith("a page of its Ogg stream missing at ")


def test_an_ogg_page_that_is_damaged_is_said(put: Put) -> None:
    kept = _pages(encoded("OGG", chirp(200_000)))
    broken = bytearray(kept[4])
    broken[-10] ^= 1
    sound = decode(put("lossy.ogg", b"".join([*kept[:4], bytes(broken), *kept[5:]])))
    (note,) = sound.notes
    assert note.startswith("a page of its Ogg stream damaged at ")
    assert note.endswith("s: what is in there is not used")


def test_a_tag_of_mp3_in_front_of_another_kind_is_passed_over(put: Put) -> None:
    tag = b"ID3\x03\x00\x00\x00\x00\x10\x00" + bytes(2048)
    for kind in ("WAV", "FLAC", "AIFF"):
        sound = decode(put(f"{kind}.bin", tag + encoded(kind, chirp())))
        np.testing.assert_allclose(sound.waveform, SOUND, atol=1e-4)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\0\0\0\x20ftypM4A ", "AAC or ALAC sound, whatever its name says, which is not read"),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", "AAC sound, whatever its name says, which is not read"),
        (b"\x1a\x45\xdf\xa3", "Matroska or WebM sound, whatever its name says"),
        (b"MThd\0\0\0\6", "MIDI: notes, not sound; play it into a WAV first"),
        (b"\x89PNG\r\n", "a picture (PNG), not sound"),
        (b"<!DOCTYPE html><html>", "a web page, not sound: the download went wrong; fetch"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS: `git lfs pull`"),
    ],
)
def test_endings_that_lie_are_refused_by_what_is_inside(head: bytes, said: str, put: Put) -> None:
    path = put("song.mp3", head + bytes(range(256)) * 8)
    with pytest.raises(AudioFileError) as error:
        decode(path)
    assert str(error.value).startswith(f"song.mp3: {said}")


def test_the_corpus_reports_what_is_used_in_part(put: Put) -> None:
    path = put("take.wav", wav(PCM, 1000))
    corpus = AudioCorpus.scan(path, sample_rate=RATE, progress=False)
    assert "  changed   1 file\n    take.wav: its header says 0.06 s, but sound" in repr(corpus)


@pytest.mark.parametrize("kind", ["ulaw", "alaw", "IMA_ADPCM", "MS_ADPCM", "PCM_U8", "DOUBLE"])
def test_other_codings_in_a_wav_without_a_size_are_read_whole(kind: str, put: Put) -> None:
    file = io.BytesIO()
    soundfile.write(file, chirp(), RATE, format="WAV", subtype=kind.upper())
    whole = decode(put("whole.wav", file.getvalue())).waveform
    data = bytearray(file.getvalue())
    struct.pack_into("<I", data, data.index(b"data") + 4, 0x80000000)
    assert torch.equal(decode(put("piped.wav", bytes(data))).waveform, whole)
