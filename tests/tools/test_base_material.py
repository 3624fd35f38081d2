from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tools.base import licences, material, midi, rooms, textures, voices
from tools.base.files import read_sound, write_sound
from tools.base.instruments import PITCHED
from tools.base.material import KINDS, Clip, make_clip, make_material, plan
from tools.base.phrases import phrase
from tools.base.signals import RATE, filtered, harmonics, low_pass, resampled, white

OWN = [kind for kind in KINDS if kind.source == "own"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_filter_that_changes_nothing_changes_nothing() -> None:
    noise = white(rng(), 5000)
    assert np.allclose(filtered(noise, lambda t, f: np.ones((len(t), f.shape[1]))), noise)


def test_a_low_pass_takes_what_is_above() -> None:
    noise = white(rng(), RATE)
    curve = low_pass(lambda t: 1000 + 0 * t, order=4, resonance=0.0)
    power = np.abs(np.fft.rfft(filtered(noise, curve))) ** 2  # a bin is 1 Hz
    assert power[4000:].mean() < 1e-3 * power[100:700].mean()


def test_harmonics_stop_below_half_the_sample_rate() -> None:
    turns = np.arange(RATE) * 10_000 / RATE
    spectrum = np.abs(np.fft.rfft(harmonics(turns, 10_000, np.ones(9))))
    assert set(np.flatnonzero(spectrum > 1000)) == {10_000, 20_000}


def test_twice_the_speed_is_an_octave() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    fast = resampled(tone, 2.0)
    assert len(fast) == RATE // 2
    assert np.argmax(np.abs(np.fft.rfft(fast))) * RATE / len(fast) == pytest.approx(880)


@pytest.mark.parametrize("name", sorted(PITCHED))
def test_every_instrument_plays(name: str) -> None:
    for seed in range(3):
        sound = phrase(PITCHED[name], rng(seed), 1.5)
        assert len(sound) == 3 * RATE // 2
        assert np.isfinite(sound).all() and np.abs(sound).max() > 0


@pytest.mark.parametrize("name", sorted(textures.DRUMS))
def test_every_drum_sounds(name: str) -> None:
    sound = textures.DRUMS[name](rng(1))
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0


@pytest.mark.parametrize("make", [textures.noises, textures.granular, voices.formants])
def test_every_texture_sounds(make: material.Maker) -> None:
    sound = make(rng(1), 0.5)
    assert len(sound) == RATE // 2
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0


def test_a_room_keeps_the_length_and_the_direct_sound_first() -> None:
    click = np.zeros(RATE // 4)
    click[100] = 1.0
    heard = rooms.in_room(rng(), click)
    assert len(heard) == len(click) and np.abs(heard[:100]).max() < 1e-9
    assert np.argmax(np.abs(heard)) == 100


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
def test_a_clip_depends_on_kind_number_and_seed_alone(kind: material.Kind) -> None:
    clip = Clip(kind, 3, 1.5, seed=5)
    sound = make_clip(clip)
    assert np.array_equal(sound, make_clip(clip))
    assert not np.array_equal(sound, make_clip(Clip(kind, 4, 1.5, seed=5)))
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.0


def test_more_material_keeps_what_was_there() -> None:
    few, many = plan(1000, seed=0), plan(5000, seed=0)
    assert set(few) <= set(many)
    assert sum(clip.seconds for clip in many) == pytest.approx(5000, rel=0.02)
    first = {clip.kind.name for clip in many[: len(KINDS)]}
    assert len(first) == len(KINDS)  # every kind from the start


def test_making_material_resumes_where_it_was_left(tmp_path: Path) -> None:
    clips = [Clip(kind, 0, 0.2, seed=0) for kind in OWN[:3]]
    work = make_material(tmp_path, clips)
    assert next(work) == 1
    work.close()  # as a kill would
    (tmp_path / ".half.flac.0123abcd.tmp").write_bytes(b"half")
    first = tmp_path / clips[0].file_name
    made = first.stat().st_mtime_ns
    assert list(make_material(tmp_path, clips)) == [1, 2, 3]
    assert first.stat().st_mtime_ns == made
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted([material.MANIFEST, *(clip.file_name for clip in clips)])
    assert soundfile.info(first).samplerate == RATE


def test_a_file_played_faster_is_shorter(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.flac", 0.5 * np.sin(np.arange(RATE) / 10))
    assert len(read_sound(tmp_path / "a.flac")) == RATE
    assert len(read_sound(tmp_path / "a.flac", speed=2.0)) == RATE // 2


def test_a_midi_file_has_the_bytes_of_the_standard() -> None:
    data = midi.midi_file(midi.note(0, 60, 100, start_s=0.0, length_s=0.5))
    head, track = data[:14], data[14:]
    assert head == b"MThd\0\0\0\6\0\0\0\1\1\xe0"
    body = b"\0\x90\x3c\x64\x83\x60\x80\x3c\0\0\xff\x2f\0"  # 480 ticks are 0x83 0x60
    assert track == b"MTrk" + len(body).to_bytes(4, "big") + body


def test_a_source_that_is_missing_or_changed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licences, "_DEBIAN", tmp_path)
    monkeypatch.setattr(licences, "_SOUNDS", tmp_path)
    font = licences.FLUID
    assert font.problem() == f"{tmp_path}/{font.file} is missing: apt-get install {font.package}"
    font.path.parent.mkdir(parents=True)
    font.path.write_bytes(b"font")
    font.copyright_file.parent.mkdir(parents=True)
    font.copyright_file.write_text("All rights reserved.")
    assert "read it before using it" in font.problem()
    font.copyright_file.write_text("I hereby release Fluid\n  under the MIT license, see COPYING")
    assert font.problem() == ""
    assert font.record()["licence"] == "MIT"
    assert licences.OWN.problem() == ""


@pytest.mark.parametrize("kind", [k for k in KINDS if k.source != "own"], ids=lambda k: k.name)
def test_what_others_render_sounds(kind: material.Kind) -> None:
    if shutil.which("fluidsynth") is None and kind.source != "flite":
        pytest.skip("fluidsynth is not installed; only those who make the base need it")
    if problem := licences.SOURCES[kind.source].problem():
        pytest.skip(f"{problem}; only those who make the base need it")
    sound = make_clip(Clip(kind, 0, 1.0, seed=0))
    assert len(sound) == RATE and np.isfinite(sound).all()
