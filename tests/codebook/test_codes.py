from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from distill.codebook.codes import NO_CODE, Codes
from distill.errors import CodesError, OutputExistsError

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


DIGEST = "0123456789abcdef" * 4


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
    text = st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40
    )
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


def test_a_missing_folder_is_reported_when_saving(tmp_path: Path) -> None:
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
        ({"peak": float("inf")}, r"peak=inf: expected a number from 0 to 1e\+10"),
    ],
)
def test_what_is_no_grid_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesError, match=f"{message}$"):
        _codes(**changes)


def test_no_code_everywhere_is_a_grid() -> None:
    assert _codes(indices=torch.full((3, 4), NO_CODE)).labels == ("Structure", "Timbre", "Detail")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match=rf"^{re.escape(str(tmp_path))}/gone\.npz: no such file$"):
        Codes.load(tmp_path / "gone.npz")


def test_a_file_says_which_model_made_it(tmp_path: Path) -> None:
    codes = _codes(made_by=DIGEST, model_name="Chor 音")
    loaded = Codes.load(codes.save(tmp_path / "a"))
    assert (loaded.made_by, loaded.model_name) == (DIGEST, "Chor 音")


def test_what_others_wrote_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"a model's only codes")
    with pytest.raises(OutputExistsError, match="is there already"):
        _codes().save(tmp_path / "a")
    assert (tmp_path / "a.npz").read_bytes() == b"a model's only codes"
    path = _codes().save(tmp_path / "a", overwrite=True)
    _codes(peak=0.5).save(path)  # a notebook's cell runs twice
    assert Codes.load(path).peak == 0.5


@pytest.mark.parametrize("kind", [*"bhilBHILq", ">i2", "<u4"])
def test_whole_numbers_of_any_type_and_order_are_a_grid(kind: str) -> None:
    grid = np.array([[0, 1], [2, 3]], dtype=kind)
    grid.flags.writeable = False
    assert _codes(indices=grid.T).indices.tolist() == [[0, 2], [1, 3]]
    assert _codes(indices=grid.T).indices.dtype == torch.int64


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (torch.ones(2, 3), "indices holds torch.float32; expected whole numbers"),
        (np.ones((2, 3)), "indices holds torch.float64; expected whole numbers"),
        (torch.ones(2, 3, dtype=torch.bool), "indices holds torch.bool; expected whole"),
        (np.ones((2, 3), bool), "indices holds torch.bool; expected whole numbers"),
        (np.ones((2, 3), object), "indices holds object; expected whole numbers"),
        (np.full((2, 3), 2**64 - 1, np.uint64), "indices holds 18446744073709551615; expected"),
        (np.int64(3), "indices is a int64; expected a tensor or an array"),
        ([[0, 1]], "indices is a list; expected a tensor or an array"),
        (None, "indices is a NoneType; expected a tensor or an array"),
        (torch.ones(2, 3, dtype=torch.int64).to_sparse(), "expected a dense one"),
        (torch.ones(2, 3, dtype=torch.int64, device="meta"), "without content"),
        (np.ma.masked_less(np.arange(6).reshape(2, 3), 2), "indices has masked places"),
    ],
)
def test_what_cannot_be_a_grid_is_refused_by_name(indices: Any, message: str) -> None:
    with pytest.raises(CodesError, match=message):
        _codes(indices=indices)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_rate": "48000"}, "sample_rate='48000': expected a whole number"),
        ({"sample_rate": 44_100.5}, "sample_rate=44100.5: expected a whole number"),
        ({"samples": True}, "samples=True: expected a whole number"),
        ({"samples": 10**40}, "expected a whole number"),
        ({"codebook_size": None}, "codebook_size=None: expected a whole number"),
        ({"step_seconds": "a"}, "step_seconds='a': expected a number"),
        ({"peak": None}, "peak=None: expected a number"),
        ({"peak": float("nan")}, "peak=nan: expected a number from 0"),
        ({"peak": -1.0}, "peak=-1.0: expected a number from 0"),
        ({"labels": "ab"}, "labels='ab': expected a text for each level"),
        ({"labels": (1, 2)}, r"labels=\(1, 2\): expected a text for each level"),
        ({"labels": ("a", "b" * 41)}, "a label of 41 characters: expected at most 40"),
        ({"made_by": "me"}, "made_by='me': expected the digest of a model"),
        ({"model_name": 3}, "model_name=3: expected a text"),
    ],
)
def test_values_that_no_codes_have_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesError, match=message):
        _codes(**changes)


def test_numbers_in_any_form_are_taken() -> None:
    codes = _codes(
        sample_rate=44_100.0,
        samples=np.int32(5),
        codebook_size=torch.tensor(16),
        peak=np.float32(1),
    )
    assert (codes.sample_rate, codes.samples, codes.codebook_size) == (44_100, 5, 16)
    assert {type(codes.sample_rate), type(codes.samples), type(codes.peak)} == {int, float}


def test_a_grid_is_the_codes_own(tmp_path: Path) -> None:
    given_to_them = torch.tensor([[0, 1, 2], [3, 4, 5]])
    codes = _codes(indices=given_to_them)
    given_to_them[:] = 9
    assert codes.indices.tolist() == [[0, 1, 2], [3, 4, 5]]
    other = codes.with_indices(codes.indices.flip(1).numpy())
    assert other.indices.tolist() == [[2, 1, 0], [5, 4, 3]]
    assert codes.with_indices(torch.zeros(3, 1, dtype=torch.int8)).labels[1] == "Timbre"
    codes.indices[0, 0] = 16
    codes.indices.numpy()[:] = 16
    codes.indices.data.zero_()
    for same in (codes, copy.deepcopy(codes), pickle.loads(pickle.dumps(codes))):
        assert same.indices.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert dataclasses.replace(same, peak=0.5).indices.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert Codes.load(codes.save(tmp_path / "a")).indices.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(dataclasses.FrozenInstanceError):
        codes.indices = given_to_them  # type: ignore[misc]
