"""The gallery's sounds: one of each kind, and a line of players for it."""

from __future__ import annotations

from pathlib import Path

import distill
from distill.audio.reconstruction_mark import is_reconstruction
from tools.gallery import _one_of_each_kind, _row

FIRST = Path(__file__).parents[1] / "data" / "first_version"


def test_one_of_each_kind_is_shown() -> None:
    paths = [Path(name) for name in ("bell-03.wav", "drum-01.wav", "bell-02.wav")]
    assert [path.name for path in _one_of_each_kind(paths)] == ["bell-02.wav", "drum-01.wav"]


def test_a_line_plays_what_was_written(tmp_path: Path) -> None:
    model = distill.load_model_v2(FIRST / "stopped" / "model.distill")
    line = _row(model, FIRST / "sounds" / "drum-01.flac", tmp_path)
    made = sorted(tmp_path.iterdir())
    assert [is_reconstruction(path) for path in made] == [True, True, False]
    assert [line.count(f'src="{path.name}"') for path in made] == [1, 1, 1]
