from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from distill.audio import sound_file
from distill.audio.io import decode, probe, read_audio, read_part, resample, write_audio
from distill.errors import AudioFileError

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]

LOSSLESS = ("wav", "flac", "aiff", "au", "caf", "w64", "rf64")
CONTAINERS = (*LOSSLESS, "ogg", "mp3")


@pytest.mark.parametrize("ending", CONTAINERS)
def test_probe_reads_what_was_written(ending: str, tone: Tone, save: Save) -> None:
    left = tone(0.25, rate=16_000)
    info = probe(save(f"sound.{ending}", np.stack([left, -left], axis=1), 16_000))
    assert (info.sample_rate, info.channels, info.frames) == (16_000, 2, 4000)
    assert (info.format, info.seconds) == (ending.upper(), 0.25)


@pytest.mark.parametrize("ending", LOSSLESS)
def test_lossless_containers_give_back_every_sample(ending: str, tone: Tone, save: Save) -> None:
    sound = np.round(tone() * 32768) / 32768
    waveform, rate = read_audio(str(save(f"sound.{ending}", sound)))
    assert (rate, waveform.dtype) == (8000, torch.float32)
    np.testing.assert_array_equal(waveform.numpy(), sound.astype(np.float32))


@pytest.mark.parametrize("ending", ["ogg", "mp3"])
def test_lossy_containers_keep_length_and_shape(ending: str, tone: Tone, save: Save) -> None:
    sound = tone(0.5)
    waveform, _ = read_audio(save(f"sound.{ending}", sound))
    assert waveform.shape == sound.shape
    assert np.corrcoef(waveform.numpy(), sound)[0, 1] > 0.99


def test_opus_files_are_sound(tone: Tone, save: Save) -> None:
    path = save("voice.opus", tone(0.5, rate=48_000), 48_000, format="OGG", subtype="OPUS")
    waveform, rate = read_audio(path)
    assert (len(waveform), rate) == (24_000, 48_000)


def test_channels_are_averaged_to_mono(save: Save) -> None:
    sound = np.random.default_rng(0).uniform(-0.9, 0.9, (500, 8))
    waveform, _ = read_audio(save("eight.wav", sound, subtype="FLOAT"))
    expected = [sum(float(np.float32(value)) for value in frame) / 8 for frame in sound]
    np.testing.assert_allclose(waveform.numpy(), expected, atol=1e-6)


def test_long_files_decode_in_blocks_without_a_seam(
    tone: Tone, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("long.wav", np.stack([tone(), tone(hz=300)], axis=1))
    whole = decode(path)
    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 2 * 77)
    pieces = decode(path)
    assert torch.equal(pieces.waveform, whole.waveform)
    assert pieces.sha256 == whole.sha256


def test_digest_is_of_rate_channels_and_samples(tone: Tone, save: Save) -> None:
    samples = tone().astype(np.float32)
    expected = hashlib.sha256(b"8000:1:" + samples.tobytes()).hexdigest()
    assert decode(save("a.wav", samples, subtype="FLOAT")).sha256 == expected


def test_digest_ignores_name_container_and_wanted_rate(tone: Tone, save: Save) -> None:
    samples = (tone() * 32767).astype(np.int16)
    wav, flac = save("one.wav", samples), save("other name.flac", samples)
    assert decode(wav).sha256 == decode(flac, 4000).sha256


def test_digest_tells_one_sample_one_channel_and_one_rate(tone: Tone, save: Save) -> None:
    altered = tone()
    altered[100] += 0.01
    paths = [
        save("plain.wav", tone()),
        save("altered.wav", altered),
        save("stereo.wav", np.stack([tone(), tone()], axis=1)),
        save("rate.wav", tone(), 8001),
    ]
    assert len({decode(path).sha256 for path in paths}) == len(paths)


@pytest.mark.parametrize("to_rate", [4000, 11_025, 16_000, 44_100])
def test_a_resampled_tone_is_the_same_tone(to_rate: int, tone: Tone) -> None:
    resampled = resample(torch.from_numpy(tone(0.5, 8000)).float(), 8000, to_rate).numpy()
    expected = tone(0.5, to_rate)
    assert abs(len(resampled) - len(expected)) <= 1
    inner = slice(to_rate // 20, len(expected) - to_rate // 20)
    np.testing.assert_allclose(resampled[inner], expected[inner], atol=5e-3)


def test_resampling_down_removes_what_the_lower_rate_cannot_hold(tone: Tone) -> None:
    high = torch.from_numpy(tone(0.5, 16_000, hz=6000)).float()
    assert resample(high, 16_000, 8000)[400:-400].abs().max() < 0.01


def test_resampling_leaves_equal_rates_and_nothing_alone() -> None:
    waveform, nothing = torch.randn(2, 30), torch.zeros(2, 0)
    assert resample(waveform, 8000, 8000) is waveform
    assert resample(nothing, 8000, 16_000) is nothing


def test_read_audio_resamples_and_says_so(tone: Tone, save: Save) -> None:
    waveform, rate = read_audio(save("a.wav", tone(0.25, 16_000), 16_000), 4000)
    assert (len(waveform), rate) == (1000, 4000)


@pytest.mark.parametrize("ending", CONTAINERS)
def test_write_audio_follows_the_file_name(ending: str, tone: Tone, tmp_path: Path) -> None:
    path = tmp_path / f"sound.{ending}"
    assert write_audio(path, torch.from_numpy(tone()), 8000) == path
    assert soundfile.info(str(path)).format == ending.upper()
    assert read_audio(path)[0].shape == (1600,)


def test_write_audio_clips_what_16_bit_cannot_hold_and_never_scales(tmp_path: Path) -> None:
    loud = torch.tensor([-3.0, -0.5, 0.25, 3.0])
    path = write_audio(tmp_path / "a.wav", loud, 8000, subtype="PCM_16")
    samples, _ = soundfile.read(str(path))
    np.testing.assert_allclose(samples, [-1.0, -0.5, 0.25, 1.0], atol=1 / 32768)


@pytest.mark.parametrize("ending", ["wav", "aiff", "au", "caf", "w64", "rf64"])
def test_peaks_above_full_scale_come_back_as_they_were(ending: str, tmp_path: Path) -> None:
    loud = torch.tensor([-3.0, -0.5, 0.25, 3.0])
    path = write_audio(tmp_path / f"a.{ending}", loud, 8000)
    samples, _ = soundfile.read(str(path), dtype="float32")
    np.testing.assert_array_equal(samples, loud)


def test_a_format_that_must_clip_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_audio(tmp_path / "a.flac", torch.tensor([0.5, 4.0]), 8000)
    assert soundfile.read(str(path))[0].max() <= 1
    assert caplog.messages == [
        "a.flac: its peak of 4 is clipped: PCM_16 in FLAC ends at 1; a .wav keeps it"
    ]


def test_write_audio_takes_the_subtype_and_a_tensor_with_gradient(tmp_path: Path) -> None:
    waveform = torch.rand(100, requires_grad=True)
    path = write_audio(str(tmp_path / "a.wav"), waveform, 8000, subtype="FLOAT")
    assert soundfile.info(str(path)).subtype == "FLOAT"
    np.testing.assert_array_equal(read_audio(path)[0].numpy(), waveform.detach().numpy())


@pytest.mark.parametrize("name", ["a.wav.part", "no ending", "a.docx"])
def test_write_audio_refuses_a_name_that_is_no_format(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        AudioFileError, match=rf"{name}: cannot be written; expected a name ending in"
    ):
        write_audio(tmp_path / name, torch.zeros(10), 8000)


def test_write_audio_reports_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(
        AudioFileError, match=r"gone/a\.wav: cannot be written: No such file or directory"
    ):
        write_audio(tmp_path / "gone" / "a.wav", torch.zeros(10), 8000)


def test_write_audio_reports_a_subtype_the_format_lacks(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"a\.flac: cannot be written: Invalid combination"):
        write_audio(tmp_path / "a.flac", torch.zeros(10), 8000, subtype="DOUBLE")


@pytest.mark.parametrize("read", [probe, decode, read_audio])
def test_a_missing_file_is_named_with_its_place(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(AudioFileError, match=r"^gone\.wav: no such file; looked for /.*gone\.wav$"):
        read(tmp_path / "gone.wav")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file; looked for"):
        probe(tmp_path)


@pytest.mark.parametrize(("before", "after"), [(44_101, 48_000), (8_363, 48_000), (48_000, 8_363)])
def test_rates_that_share_no_small_ratio_are_resampled_too(before: int, after: int) -> None:
    tone = torch.sin(2 * torch.pi * 440.0 * torch.arange(before) / before)
    changed = resample(tone, before, after)
    expected = torch.sin(2 * torch.pi * 440.0 * torch.arange(after) / after)
    assert len(changed) == after
    assert (changed - expected).abs().max() < 1e-3


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "a.wav", torch.zeros(100), 8000)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AudioFileError, match="cannot be written: No space left on device"):
        write_audio(path, torch.ones(50), 8000)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_of_a_file_is_what_the_whole_has_there(tmp_path: Path) -> None:
    whole = torch.linspace(-0.5, 0.5, 4800)
    path = write_audio(tmp_path / "ramp.wav", whole, 4800)
    part, rate = read_part(path, 0.25, 0.5)
    torch.testing.assert_close(part, read_audio(path)[0][1200:3600])
    assert rate == 4800
    before, _ = read_part(path, -1, 1.1)
    beyond, _ = read_part(path, 0.9, 5)
    assert (len(before), len(beyond)) == (480, 480)


def test_a_part_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "ramp.wav", torch.zeros(4800), 4800)
    with pytest.raises(AudioFileError, match=r"ramp\.wav: nothing at 2\.00 s; the file is 1\.00 s"):
        read_part(path, 2, 1)
    path.unlink()
    with pytest.raises(AudioFileError, match=r"ramp\.wav: no such file"):
        read_part(path, 0, 1)
