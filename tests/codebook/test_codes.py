from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from distill.codebook.codes import NO_CODE, Codes
from distill.errors import CodesError

grids = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 6), st.integers(1, 20)),
    elements=st.integers(NO_CODE, 63),
)
on_disk = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _codes(**changes: Any) -> Codes:
    fields: dict[str, Any] = {
        "indices": torch.tensor([[0, 1, 2], [3, NO_CODE, 5]]),
        "codebook_size": 16,
        "step_seconds": 0.02,
        "samples": 960,
        "sample_rate": 16_000,
    }
    return Codes(**{**fields, **changes})


def _content(codes: Codes) -> dict[str, Any]:
    fields = {item.name: getattr(codes, item.name) for item in dataclasses.fields(codes)}
    return {**fields, "indices": codes.indices.tolist()}


def test_a_grid_knows_its_shape_and_length() -> None:
    codes = _codes()
    assert (codes.levels, codes.steps, codes.seconds, codes.peak) == (2, 3, 0.06, 1.0)
    assert codes.labels == ("Structure", "Detail")
    assert repr(codes) == "Codes(2 levels × 3 steps, 16 entries each, 0.06 s at 16000 Hz)"


@on_disk
@given(
    grid=grids,
    peak=st.floats(0, 4),
    step_seconds=st.floats(1e-4, 10),
    samples=st.integers(0, 10**12),
    data=st.data(),
)
def test_a_file_gives_back_the_same_codes(
    grid: np.ndarray,
    peak: float,
    step_seconds: float,
    samples: int,
    data: st.DataObject,
    tmp_path: Path,
) -> None:
    text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
    labels = data.draw(st.lists(text, min_size=len(grid), max_size=len(grid)))
    codes = _codes(
        indices=torch.from_numpy(grid),
        codebook_size=64,
        peak=peak,
        step_seconds=step_seconds,
        samples=samples,
        labels=tuple(labels),
    )
    loaded = Codes.load(codes.save(tmp_path / "sound.npz"))
    assert loaded.indices.dtype == torch.int64
    assert _content(loaded) == _content(codes)


def test_numpy_alone_can_read_the_file(tmp_path: Path) -> None:
    with np.load(_codes().save(tmp_path / "sound.npz"), allow_pickle=False) as data:
        assert data["indices"].tolist() == [[0, 1, 2], [3, NO_CODE, 5]]
        assert data["labels"].tolist() == ["Structure", "Detail"]
        assert int(data["codebook_size"]) == 16


@pytest.mark.parametrize(
    ("name", "written"),
    [("a", "a.npz"), ("a.npz", "a.npz"), ("a.codes", "a.codes.npz"), ("ü 1.wav", "ü 1.wav.npz")],
)
def test_the_name_always_ends_in_npz(name: str, written: str, tmp_path: Path) -> None:
    assert _codes().save(str(tmp_path / name)) == tmp_path / written
    assert [path.name for path in tmp_path.iterdir()] == [written]


def test_a_missing_folder_is_told_when_saving(tmp_path: Path) -> None:
    expected = r"gone/a\.npz: cannot be written: No such file or directory$"
    with pytest.raises(CodesError, match=expected):
        _codes().save(tmp_path / "gone" / "a")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indices": torch.zeros(3)}, r"indices \(3,\): expected \(levels, steps\)"),
        ({"indices": torch.zeros(1, 2, 3)}, r"indices \(1, 2, 3\): expected \(levels, steps\)"),
        ({"indices": torch.zeros(2, 0)}, r"indices \(2, 0\): expected \(levels, steps\)"),
        ({"codebook_size": 5}, r"codes from -1 to 5: expected -1 \(no code\) to 4"),
        (
            {"indices": torch.tensor([[-2, 0]])},
            r"codes from -2 to 0: expected -1 \(no code\) to 15",
        ),
        ({"labels": ("one",)}, "1 labels for 2 levels"),
        ({"samples": -1}, "-1 samples at 16000 Hz in steps of 0.02 s: expected a length of time"),
        ({"sample_rate": 0}, "960 samples at 0 Hz in steps of 0.02 s: expected a length of time"),
        ({"step_seconds": float("nan")}, "steps of nan s: expected a length of time"),
        ({"step_seconds": 0.0}, "steps of 0.0 s: expected a length of time"),
        ({"peak": float("inf")}, "peak=inf: expected a number"),
    ],
)
def test_what_is_no_grid_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesError, match=f"{message}$"):
        _codes(**changes)


def test_no_code_everywhere_is_a_grid() -> None:
    assert _codes(indices=torch.full((3, 4), NO_CODE)).labels == ("Structure", "Timbre", "Detail")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match=rf"^{re.escape(str(tmp_path))}/gone\.npz: no such file$"):
        Codes.load(tmp_path / "gone.npz")
