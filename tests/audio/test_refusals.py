"""What a folder of recordings may hold by accident, and what a corpus makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from distill.audio.corpus import AudioCorpus, AudioFile

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]
Verdict = Callable[[Path], AudioFile | str]


@pytest.fixture
def verdict(tone: Tone, save: Save) -> Verdict:
    """How a file fares beside a good one: as what it is used, or why it is refused."""

    def scan(path: Path) -> AudioFile | str:
        good = save("good.wav", tone(hz=123))
        corpus = AudioCorpus.scan([good, path], sample_rate=8000, progress=False)
        assert corpus.files[0].path == good
        assert len(corpus) + len(corpus.refusals) == 2
        return corpus.refusals[0].reason if corpus.refusals else corpus.files[1]

    return scan


@pytest.mark.parametrize("milliseconds", [50, 60])
def test_a_sound_just_long_enough_is_used(
    milliseconds: int, verdict: Verdict, tone: Tone, save: Save
) -> None:
    used = verdict(save("blip.wav", tone(milliseconds / 1000)))
    assert isinstance(used, AudioFile)
    assert used.seconds == milliseconds / 1000


@pytest.mark.parametrize("milliseconds", [1, 40, 49])
def test_a_sound_too_short_is_refused(
    milliseconds: int, verdict: Verdict, tone: Tone, save: Save
) -> None:
    path = save("blip.wav", tone(milliseconds / 1000))
    assert verdict(path) == f"blip.wav: {milliseconds} ms long; at least 50 ms are needed"


def test_eight_channels_at_192_khz_are_used(verdict: Verdict, tone: Tone, save: Save) -> None:
    high = tone(0.1, 192_000)
    used = verdict(save("field.wav", np.stack([high] * 8, axis=1), 192_000))
    assert isinstance(used, AudioFile)
    assert (used.channels, used.sample_rate, used.seconds) == (8, 192_000, 0.1)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (0.0, "every sample is 0"),
        (1e-6, "its peak is -120 dBFS"),
        (0.9e-4, "its peak is -81 dBFS"),
    ],
)
def test_silence_is_below_a_stated_level(
    level: float, said: str, verdict: Verdict, tone: Tone, save: Save
) -> None:
    reason = verdict(save("hush.wav", 2 * level * tone(hz=500), subtype="FLOAT"))
    assert reason == f"hush.wav: silent: {said}; nothing is learned from sounds below -80 dBFS"


def test_a_sound_just_above_silence_is_used(verdict: Verdict, tone: Tone, save: Save) -> None:
    used = verdict(save("faint.wav", 2.2e-4 * tone(hz=500), subtype="FLOAT"))
    assert isinstance(used, AudioFile)
    assert used.peak == pytest.approx(1.1e-4, rel=0.01)


def test_dither_is_silence(verdict: Verdict, save: Save) -> None:
    dither = np.random.default_rng(0).integers(-1, 2, 4000).astype(np.int16)
    assert str(verdict(save("dither.wav", dither))).startswith(
        "dither.wav: silent: its peak is -90"
    )


@pytest.mark.parametrize("ending", ["wav", "ogg"])
def test_0_samples_are_refused(ending: str, verdict: Verdict, save: Save) -> None:
    path = save(f"none.{ending}", np.zeros(0))
    assert verdict(path) == f"none.{ending}: 0 samples after decoding; copy or export it again"


def test_0_bytes_are_refused(verdict: Verdict, tmp_path: Path) -> None:
    path = tmp_path / "void.wav"
    path.touch()
    assert verdict(path) == "void.wav: an empty file (0 bytes); copy or export it again"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_inf_are_refused(value: float, verdict: Verdict, tone: Tone, save: Save) -> None:
    sound = tone()
    sound[800] = value
    path = save("burst.wav", sound, subtype="FLOAT")
    assert verdict(path) == "burst.wav: NaN or Inf at 0.10 s; re-export it"


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_cut_file_is_refused(ending: str, verdict: Verdict, tone: Tone, save: Save) -> None:
    path = save(f"cut.{ending}", tone(0.5))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    reason = verdict(path)
    assert isinstance(reason, str)
    assert reason.startswith((f"cut.{ending}: truncated: ", f"cut.{ending}: unreadable ("))
    assert reason.endswith("; copy or export it again")


def test_a_link_to_nothing_is_refused(verdict: Verdict, tone: Tone, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "lost.wav").symlink_to(tmp_path / "moved.wav")
    assert str(verdict(folder)).startswith("lost.wav: no such file; looked for ")
