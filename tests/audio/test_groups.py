"""The folders that recordings are sorted by."""

from __future__ import annotations

from pathlib import Path

from distill.audio.groups import Groups


def test_a_recording_is_of_the_first_folder_below_the_one_that_is_searched(tmp_path: Path) -> None:
    (tmp_path / "drums" / "soft").mkdir(parents=True)
    (tmp_path / "choir").mkdir()
    groups = Groups([tmp_path])
    assert groups.of(tmp_path / "drums" / "soft" / "a.wav") == "drums"
    assert groups.of(tmp_path / "b.wav") == groups.of(tmp_path.parent / "c.wav") == ""
    both = Groups([tmp_path / "drums", tmp_path / "choir"])
    assert both.of(tmp_path / "drums" / "soft" / "a.wav") == "drums"
    assert both.of(tmp_path / "choir" / "a.wav") == "choir"
    assert Groups([tmp_path / "choir" / "a.wav"]).of(tmp_path / "choir" / "a.wav") == ""


def test_names_are_printable_and_short(tmp_path: Path) -> None:
    (tmp_path / ("a\x1b[2J" + "b" * 100)).mkdir()
    [folder] = tmp_path.iterdir()
    name = Groups([tmp_path]).of(folder / "a.wav")
    assert name.startswith(r"a\x1b[2Jb") and len(name) == 60
