from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.audio import sound_file
from distill.audio.containers import mpeg
from distill.audio.containers.layout import CHANGED, Layout
from distill.audio.containers.walk import walk
from distill.audio.io import decode, probe, read_audio, read_pieces
from distill.errors import AudioFileError

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]

COUNTED = (
    r"truncated: its header promises (0\.99|1\.00) s, 0\.\d\d s are there; copy or export it again"
)
LAST_PAGE = "truncated: the last page of its Ogg stream is missing; copy or export it again"
CUTS = {
    "wav": COUNTED,
    "aiff": COUNTED,
    "mp3": COUNTED,
    "au": COUNTED,
    "w64": COUNTED,
    "rf64": COUNTED,
    "ogg": LAST_PAGE,
    "flac": r"unreadable \(.*flac decoder lost sync\); copy or export it again",
    "caf": rf"({COUNTED}|unreadable \(.*malformed\); copy or export it again)",
}


def _cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("ending", CUTS)
def test_a_cut_file_is_refused(ending: str, share: float, tone: Tone, save: Save) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 8000)
    path = save(f"take 3.{ending}", tone(1.0) + noise)
    _cut(path, int(path.stat().st_size * share))
    with pytest.raises(AudioFileError, match=rf"^take 3\.{ending}: {CUTS[ending]}$"):
        decode(path)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0.0, 1.0))
def test_cut_anywhere_a_file_is_refused_empty_or_all_but_whole(
    ending: str, share: float, tone: Tone, save: Save
) -> None:
    path = save(f"sound.{ending}", tone(0.5))
    _cut(path, int(path.stat().st_size * share))
    try:
        found = len(decode(path).waveform)
    except AudioFileError:
        return
    assert found == 0 or found >= 0.98 * 4000


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_cut_at_any_byte_of_its_header_a_file_is_refused_or_empty(
    ending: str, tone: Tone, save: Save
) -> None:
    path = save(f"sound.{ending}", tone(0.5))
    whole = path.read_bytes()
    for cut in range(160):
        path.write_bytes(whole[:cut])
        try:
            assert not len(decode(path).waveform), f"cut at {cut}"
        except AudioFileError:
            continue


@pytest.mark.parametrize(("ending", "header"), [("wav", 44), ("aiff", 54), ("au", 24)])
def test_a_file_cut_after_its_header_is_refused(
    ending: str, header: int, tone: Tone, save: Save
) -> None:
    path = _cut(save(f"a.{ending}", tone()), header)
    with pytest.raises(AudioFileError, match="truncated: only its header is there; copy or export"):
        decode(path)


def test_a_file_that_breaks_in_the_middle_says_where(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 40_000))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = bytes(20_000)
    path.write_bytes(data)
    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 4096)
    with pytest.raises(
        AudioFileError, match=r"^a\.flac: unreadable after [12]\.\d\d s \(.*\); copy"
    ):
        decode(path)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_written_to_a_pipe_has_no_length_and_is_read_whole(
    size: int, tone: Tone, save: Save
) -> None:
    path = save("piped.wav", tone())
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, size)
    path.write_bytes(data)
    assert len(decode(path).waveform) == 1600


def test_trailing_bytes_after_an_ogg_stream_do_no_harm(tone: Tone, save: Save) -> None:
    path = save("tagged.ogg", tone())
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    assert len(decode(path).waveform) == 1600


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_refused_with_their_place(value: float, tone: Tone, save: Save) -> None:
    sound = tone(0.5)
    sound[2000] = value
    with pytest.raises(AudioFileError, match=r"^a\.wav: NaN or Inf at 0\.25 s; re-export it$"):
        read_audio(save("a.wav", sound, subtype="FLOAT"))


def test_inf_that_cancels_between_channels_is_refused(tone: Tone, save: Save) -> None:
    sound = np.stack([tone(0.5), tone(0.5)], axis=1)
    sound[3000] = np.inf, -np.inf
    with pytest.raises(AudioFileError, match=r"NaN or Inf at 0\.38 s"):
        read_audio(save("a.wav", sound, subtype="FLOAT"))


def test_nan_in_a_late_block_is_placed_from_the_start(
    tone: Tone, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = tone(1.0)
    sound[6000] = np.nan
    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 1000)
    with pytest.raises(AudioFileError, match=r"NaN or Inf at 0\.75 s"):
        read_audio(save("a.wav", sound, subtype="FLOAT"))


def test_a_file_of_0_bytes_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudioFileError, match=r"^a\.wav: an empty file \(0 bytes\); copy or"):
        probe(tmp_path / "a.wav")


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_text_under_the_name_of_a_sound_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"notes.{ending}"
    path.write_text("these are notes about a recording\n" * 20, encoding="utf-8")
    with pytest.raises(AudioFileError, match=rf"^notes\.{ending}: unreadable \(.+\); copy or"):
        read_audio(path)


@pytest.mark.parametrize("read", [decode, read_audio, read_pieces])
def test_a_wav_of_0_samples_is_refused(read: Callable[[Path], object], save: Save) -> None:
    with pytest.raises(AudioFileError, match=r"^a\.wav: 0 samples after decoding; copy or export"):
        read(save("a.wav", np.zeros(0)))


def test_a_sound_under_a_false_name_is_read_as_what_it_is(tone: Tone, tmp_path: Path) -> None:
    path = tmp_path / "really a flac.wav"
    soundfile.write(str(path), tone(), 8000, format="FLAC")
    assert decode(path).info.format == "FLAC"


class _Overwritten(io.BytesIO):
    """A file that somebody writes zeros over between two readings."""

    def __init__(self, data: bytes, readings: int) -> None:
        super().__init__(data)
        self._left = readings

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left == 0:
            self.getbuffer()[:] = bytes(len(self.getbuffer()))
        return super().read(size)


def test_an_mp3_that_changes_while_it_is_walked_is_refused(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of it was walked; where a frame is another when it is read whole, it is said."""
    monkeypatch.setattr(mpeg, "_READ", 1000)
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * 44_100)
    data = save("a.mp3", noise, 44_100).read_bytes()
    assert not walk(io.BytesIO(data)).refusal
    layouts = [walk(_Overwritten(data, readings)) for readings in range(1, 20)]
    assert CHANGED in [layout.refusal for layout in layouts]


def test_a_file_in_which_no_stream_is_found_is_refused(
    tone: Tone, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("a.wav", tone(0.1))
    monkeypatch.setattr(sound_file, "walk", lambda _file: Layout(parts=()))
    with pytest.raises(AudioFileError, match=r"^a\.wav: no stream of sound in it; export it again"):
        decode(path)
