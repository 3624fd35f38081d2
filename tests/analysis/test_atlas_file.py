from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill import CodebookAtlas
from distill.errors import AtlasError, AtlasFileError


@pytest.fixture
def path(atlas: CodebookAtlas, tmp_path: Path) -> Path:
    return atlas.save(tmp_path / "atlas")


def rewritten(path: Path, **changes: Any) -> Path:
    with np.load(path, allow_pickle=False) as data:
        values = {**dict(data), **changes}
    np.savez(path, **{key: value for key, value in values.items() if value is not None})
    return path


def test_a_loaded_atlas_is_the_saved_one(atlas: CodebookAtlas, path: Path) -> None:
    assert path.name == "atlas.npz"
    again = CodebookAtlas.load(path)
    for item in dataclasses.fields(CodebookAtlas):
        one, other = getattr(atlas, item.name), getattr(again, item.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=item.name)
            assert one.dtype == other.dtype, item.name
        else:
            assert one == other, item.name
    assert again.moments(0, 3) == atlas.moments(0, 3)


def test_saving_again_replaces_it_whole(atlas: CodebookAtlas, path: Path) -> None:
    assert atlas.save(path) == path
    assert [item.name for item in path.parent.iterdir()] == ["atlas.npz"]


def test_a_truncated_file_is_refused(path: Path) -> None:
    data = path.read_bytes()
    for length in [0, 1, 100, len(data) // 3, len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(AtlasFileError, match=r"atlas\.npz: not a readable atlas .*build it"):
            CodebookAtlas.load(path)


def test_a_flipped_bit_is_noticed_or_harmless(atlas: CodebookAtlas, path: Path) -> None:
    data = path.read_bytes()
    refused = 0
    places = range(0, len(data), len(data) // 80)
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        try:
            again = CodebookAtlas.load(path)
        except AtlasFileError:
            refused += 1
        else:  # in what only a directory of the archive repeats
            np.testing.assert_array_equal(again.sounds, atlas.sounds)
    assert refused > 0.9 * len(places)


def test_what_is_no_atlas_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(AtlasFileError, match=r"gone\.npz: no such file"):
        CodebookAtlas.load(tmp_path / "gone.npz")
    other = tmp_path / "other.npz"
    np.savez(other, format="something else")
    with pytest.raises(AtlasFileError, match=r"other\.npz: not an atlas of distill"):
        CodebookAtlas.load(other)
    np.savez(other, numbers=np.arange(3))
    with pytest.raises(AtlasFileError, match=r"other\.npz: not an atlas of distill"):
        CodebookAtlas.load(other)
    with pytest.raises(AtlasFileError, match=r"version 2 of the format; this distill reads ver"):
        CodebookAtlas.load(rewritten(path, version=2))


def test_nothing_in_it_can_run(path: Path) -> None:
    harmful = np.array([{"a": 1}], dtype=object)
    with np.load(path, allow_pickle=False) as data:
        values = dict(data)
    np.savez(path, **{**values, "labels": harmful})
    with pytest.raises(AtlasFileError, match="not a readable atlas"):
        CodebookAtlas.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": None}, "counts"),
        ({"counts": np.zeros((3, 15), int)}, r"expected \(level 3, entry 1"),
        ({"sounds": np.zeros((3, 16), "f2")}, "sounds has 2 axes; expected 3"),
        ({"codes": np.full((3, 7), 99, "u2")}, "code 99: expected below 16"),
        ({"codes": np.zeros((3, 7), "u2")}, "starts: expected to rise from 0 to 7 steps"),
        ({"main_file": np.full((3, 16), 10, "i4")}, "main_file: names a file beyond the 10"),
        ({"moment_files": np.full((3, 16, 5), 11, "i4")}, "moment_files: names a file beyond"),
        ({"paths": np.array(["one"])}, "1 paths for 10 files"),
    ],
)
def test_arrays_that_do_not_fit_one_another_are_named(
    path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AtlasFileError, match=message):
        CodebookAtlas.load(rewritten(path, **changes))


def test_an_atlas_put_together_by_hand_is_checked(atlas: CodebookAtlas) -> None:
    with pytest.raises(AtlasError, match=r"loudness_db \(2,\): expected \(level 3, entry 16\)"):
        dataclasses.replace(atlas, loudness_db=np.zeros(2))


def test_a_place_that_cannot_be_written_is_named(atlas: CodebookAtlas, tmp_path: Path) -> None:
    with pytest.raises(AtlasFileError, match=r"gone.*atlas\.npz: cannot be written: No such file"):
        atlas.save(tmp_path / "gone" / "atlas.npz")
