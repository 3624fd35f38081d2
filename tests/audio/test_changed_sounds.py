"""What is learned is what is heard: channels that cancel, offsets, peaks that cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings, strategies as st

from distill.audio.corpus import AudioCorpus
from distill.audio.level_meter import Meter
from distill.audio.reading import decode, read_audio, read_part, read_pieces
from distill.errors import AudioFileError

Save = Callable[..., Path]
RATE = 8000
LEFT = "opposite phase: only its left channel is used"


def note(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """A decaying tone with a breath of noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.003, len(time))
    return 0.4 * np.sin(2 * np.pi * 330 * time) * np.exp(-2 * time) + noise


@pytest.mark.parametrize(
    ("ending", "subtype", "side"),
    [
        ("wav", "FLOAT", 1.0),
        ("wav", "PCM_16", 1.0),
        ("wav", "PCM_16", 0.99),
        ("wav", "PCM_16", 0.7),
        ("flac", "PCM_24", 1.0),
        ("mp3", None, 1.0),
        ("ogg", None, 1.0),
    ],
)
def test_stereo_in_opposite_phase_is_used_by_one_channel(
    ending: str, subtype: str | None, side: float, save: Save
) -> None:
    dither = np.random.default_rng(1).normal(0, 1 / 32768, (RATE, 2))
    stereo = np.stack([note(), -side * note()], axis=1) + dither
    sound = decode(save(f"wide.{ending}", stereo, RATE, subtype=subtype))
    assert sound.notes == (LEFT,)
    assert float(sound.waveform.abs().max()) == pytest.approx(0.4, rel=0.1)
    assert np.corrcoef(sound.waveform.numpy(), note())[0, 1] > 0.98


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_phase_that_is_opposite_for_a_while_is_enough(share: float, save: Save) -> None:
    left, right = note(), note()
    right[: int(share * RATE)] *= -1
    sound = decode(save("turns.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT"))
    assert sound.notes == (LEFT,)
    np.testing.assert_array_equal(sound.waveform, left.astype(np.float32))


@pytest.mark.parametrize(
    "stereo",
    [
        np.stack([note(), note()], axis=1),
        np.stack([note(seed=1), np.random.default_rng(2).normal(0, 0.1, RATE)], axis=1),
        np.stack([note(), 0 * note()], axis=1),
        np.stack([note(), -0.3 * note()], axis=1),
        np.random.default_rng(3).normal(0, 0.1, (RATE, 16)),
        np.concatenate([note()[:, None], np.zeros((RATE, 15))], axis=1),
    ],
    ids=["mono", "unlike", "one silent", "a bit of side", "16 unlike", "one of 16"],
)
def test_other_channels_are_mixed_as_ever(stereo: np.ndarray, save: Save) -> None:
    sound = decode(save("a.wav", stereo, RATE, subtype="FLOAT"))
    assert sound.notes == ()
    np.testing.assert_allclose(sound.waveform, stereo.mean(axis=1), atol=1e-6)


def test_many_channels_that_cancel_are_used_by_the_loudest(save: Save) -> None:
    four = np.stack([0.5 * note(), -0.5 * note(), note(seed=5), -note(seed=5)], axis=1)
    sound = decode(save("four.wav", four, RATE, subtype="FLOAT"))
    assert sound.notes == ("its channels cancel one another: only channel 3 of 4 is used",)
    np.testing.assert_array_equal(sound.waveform, note(seed=5).astype(np.float32))


@pytest.mark.parametrize(("offset", "level"), [(0.5, 0.05), (-0.3, 1.0), (0.01, 1.0), (3.0, 1.0)])
def test_a_constant_offset_is_taken_away_and_said(offset: float, level: float, save: Save) -> None:
    path = save("dc.wav", level * note() + offset, RATE, subtype="FLOAT")
    corpus = AudioCorpus.scan(path, sample_rate=RATE, progress=False)
    (file,), (waveform,) = corpus.files, corpus.waveforms
    assert file.notes == (f"a constant offset of {offset:.2g} was taken away",)
    assert file.peak == pytest.approx(0.4 * level, rel=0.05)
    assert abs(float(waveform.mean())) < 0.003
    assert f"dc.wav: {file.notes[0]}" in repr(corpus)
    assert f"dc.wav: {file.notes[0]}" in corpus._repr_html_()


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_with_an_offset_is_silence(channels: int, save: Save) -> None:
    quiet = np.full((RATE, channels), 0.001)
    good = save("good.wav", note(), RATE)
    path = save("dc.wav", quiet, RATE, subtype="PCM_24")
    corpus = AudioCorpus.scan([good, path], sample_rate=RATE, progress=False)
    assert [refusal.reason for refusal in corpus.refusals] == [
        "dc.wav: silent: every sample is 0 (a constant offset of 0.001 was taken away); nothing "
        "is learned from sounds below -80 dBFS"
    ]


@pytest.mark.parametrize(
    "sound",
    [
        np.exp(-np.arange(2000) / 60),  # a drum, all on one side
        note(),
        0.4 * np.sin(2 * np.pi * 25 * np.arange(4000) / RATE),
        np.linspace(-0.5, 0.5, 4000),
    ],
    ids=["drum", "note", "low", "ramp"],
)
def test_what_is_no_offset_stays(sound: np.ndarray, save: Save) -> None:
    path = save("a.wav", sound, RATE, subtype="FLOAT")
    assert decode(path).notes == ()
    np.testing.assert_array_equal(read_audio(path)[0], sound.astype(np.float32))


@pytest.mark.parametrize("value", [1e29, -1e12, 50.0, 5e5])
@pytest.mark.parametrize("channels", [1, 2])
def test_one_impossible_sample_is_refused_with_its_place(
    value: float, channels: int, save: Save
) -> None:
    sound = np.stack([note()] * channels, axis=1)
    sound[2000, channels - 1] = value
    path = save("spike.wav", sound, RATE, subtype="FLOAT")
    said = (
        f"spike.wav: a sample of {abs(value):.1e} at 0.25 s, which no sound around it explains; "
        "silence it there in an editor, the rest is untouched"
    )
    expected = f"^{re.escape(said)}$"
    with pytest.raises(AudioFileError, match=expected):
        decode(path)
    with pytest.raises(AudioFileError, match=expected):
        read_pieces(path)


def test_impossible_samples_that_cancel_in_the_mix_are_refused(save: Save) -> None:
    sound = np.stack([note(), note()], axis=1)
    sound[4000] = 1e29, -1e29
    with pytest.raises(AudioFileError, match=r"a sample of 1\.0e\+29 at 0\.50 s"):
        decode(save("a.wav", sound, RATE, subtype="FLOAT"))


@pytest.mark.parametrize("scale", [4.0, 10.0, 32768.0, 2.0**31])
def test_honest_sounds_above_full_scale_are_used(scale: float, save: Save) -> None:
    path = save("hot.wav", scale * note(), RATE, subtype="FLOAT")
    corpus = AudioCorpus.scan(path, sample_rate=RATE, progress=False)
    assert corpus.files[0].peak == pytest.approx(0.4 * scale, rel=0.05)
    assert corpus.files[0].notes == ()
    expected = (note() / np.abs(note()).max()).astype(np.float32)
    np.testing.assert_allclose(corpus.waveforms[0], expected, atol=1e-6)


def test_a_part_of_opposite_phase_is_heard_too(save: Save) -> None:
    path = save("wide.wav", np.stack([note(), -note()], axis=1), RATE, subtype="FLOAT")
    part, _ = read_part(path, 0.25, 0.25)
    np.testing.assert_array_equal(part, note()[2000:4000].astype(np.float32))


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=30), offset=st.floats(-0.5, 0.5))
def test_a_measure_is_the_same_however_blocks_are_cut(cuts: list[int], offset: float) -> None:
    sound = np.random.default_rng(0).normal(offset, 0.1, (sum(cuts), 2)).astype(np.float32)
    whole, pieces = Meter(RATE, 2), Meter(RATE, 2)
    whole.add(sound, sound.mean(axis=1))
    at = 0
    for cut in cuts:
        block = sound[at : at + cut]
        pieces.add(block, block.mean(axis=1))
        at += cut
    one, other = whole.levels(), pieces.levels()
    assert (one.peak, one.peak_at, one.cancels) == (other.peak, other.peak_at, other.cancels)
    assert one.offset == pytest.approx(other.offset, abs=1e-9)


def test_a_file_that_is_used_otherwise_is_said_in_the_run(save: Save) -> None:
    from distill.audio.report import remarks

    good = save("good.wav", note(seed=3), RATE)
    path = save("wide.wav", np.stack([note(), -note()], axis=1), RATE)
    bad = path.with_name("notes.txt")
    bad.write_text("words", encoding="utf-8")
    plain = AudioCorpus.scan([good], sample_rate=RATE, progress=False)
    mixed = AudioCorpus.scan([good, path, bad], sample_rate=RATE, progress=False)
    assert remarks(plain.files, plain.refusals) == ""
    assert remarks(mixed.files, mixed.refusals) == (
        "1 file is not used:\n    notes.txt: a .txt file, not sound (.wav, .flac, .mp3 …)\n"
        f"1 sound is used with a change:\n    wide.wav: {LEFT}"
    )


def test_the_digest_of_a_changed_sound_is_of_what_the_file_holds(save: Save) -> None:
    wide = np.stack([note(), -note()], axis=1)
    one = save("a.wav", wide, RATE, subtype="PCM_16")
    samples, _ = soundfile.read(str(one), dtype="int16")
    two = save("b.flac", samples, RATE)
    assert decode(one).sha256 == decode(two).sha256 == read_pieces(two, 4000).sha256
