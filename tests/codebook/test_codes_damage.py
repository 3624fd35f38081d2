from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.codebook.codes import Codes
from distill.errors import CodesError

INDICES = (torch.arange(120) ** 2 % 61).reshape(3, 40)
fuzzed = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return Codes(INDICES, 64, 0.02, 12_800, 16_000).save(tmp_path / "sound.npz")


class _Trap:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self._path,)


def _write(path: Path, **changes: Any) -> Path:
    fields: dict[str, Any] = {
        "format": "distill_codes",
        "indices": np.zeros((2, 3), dtype=np.int32),
        "codebook_size": 4,
        "step_seconds": 0.1,
        "samples": 10,
        "sample_rate": 10,
        "peak": 1.0,
        "labels": np.array(["a", "b"]),
    }
    np.savez(path, **{**fields, **changes})
    return path


def test_a_file_written_by_hand_is_read(tmp_path: Path) -> None:
    assert Codes.load(_write(tmp_path / "a.npz")).labels == ("a", "b")


@fuzzed
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused(share: float, good: Path) -> None:
    data = good.read_bytes()
    cut = good.with_name("cut.npz")
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CodesError, match=r"^cut\.npz: not a readable file of codes \(.+\)$"):
        Codes.load(cut)


@fuzzed
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_an_altered_byte_is_noticed_or_harmless(place: float, byte: int, good: Path) -> None:
    data = bytearray(good.read_bytes())
    data[int(place * len(data))] = byte
    altered = good.with_name("altered.npz")
    altered.write_bytes(data)
    try:
        loaded = Codes.load(altered)
    except CodesError as error:
        assert str(error).startswith("altered.npz: not a ")
    else:
        assert torch.equal(loaded.indices, INDICES)
        assert (loaded.samples, loaded.labels) == (12_800, ("Structure", "Timbre", "Detail"))


@pytest.mark.parametrize("method", [9, 12, 14, 93])
def test_a_foreign_compression_is_refused(method: int, good: Path) -> None:
    data = bytearray(good.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] = method
            place = data.find(mark, place + 1)
    good.write_bytes(data)
    with pytest.raises(CodesError, match="not a readable file of codes"):
        Codes.load(good)


@pytest.mark.parametrize("field", ["format", "indices", "labels", "peak"])
def test_pickled_objects_are_refused_and_never_run(field: str, tmp_path: Path) -> None:
    trap = np.array([_Trap(tmp_path / "sprung")], dtype=object)
    path = _write(tmp_path / "a.npz", **{field: trap})
    with pytest.raises(CodesError, match=r"^a\.npz: not a readable .*\(\w+ is no array"):
        Codes.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_trap_would_run_if_it_were_unpickled(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.npz", labels=np.array([_Trap(tmp_path / "sprung")], dtype=object))
    with np.load(path, allow_pickle=True) as data:
        assert data["labels"].shape == (1,)
    assert (tmp_path / "sprung").exists()


def test_a_pickle_under_the_name_of_codes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(pickle.dumps(_Trap(tmp_path / "sprung")))
    with pytest.raises(CodesError, match="not a readable file of codes"):
        Codes.load(path)
    assert not (tmp_path / "sprung").exists()


def test_an_archive_of_other_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(CodesError, match=r"^other\.npz: not a readable .*\(format is missing"):
        Codes.load(tmp_path / "other.npz")


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match=r"^a\.npz: not a file of distill codes$"):
        Codes.load(_write(tmp_path / "a.npz", format="someone_elses_codes"))


@pytest.mark.parametrize(
    "changes",
    [
        {"codebook_size": np.inf},
        {"codebook_size": "many"},
        {"samples": np.zeros(3)},
        {"labels": np.array("a")},
    ],
)
def test_fields_of_the_wrong_kind_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CodesError, match=r"^a\.npz: not a readable file of codes \(.+\)$"):
        Codes.load(_write(tmp_path / "a.npz", **changes))


def test_codes_out_of_range_are_refused(tmp_path: Path) -> None:
    for size in (0, -5):
        with pytest.raises(
            CodesError, match=f"codebook_size={size}: expected a whole number from 1"
        ):
            Codes.load(_write(tmp_path / "a.npz", codebook_size=size))


def test_a_lone_array_a_folder_and_text_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("codes, honestly\n" * 10, encoding="utf-8")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "empty.npz").touch()
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(CodesError, match=rf"^{path.name}: not a readable file of codes \(.+\)"):
            Codes.load(path)


def test_a_small_file_of_gigabytes_is_refused(tmp_path: Path) -> None:
    """Zeros pack a thousand times: what a file unpacks to is known before it is unpacked."""
    header = b"{'descr': '<i4', 'fortran_order': False, 'shape': (4, 400000000), }"
    header += b" " * (117 - len(header)) + b"\n"
    with (
        zipfile.ZipFile(_write(tmp_path / "good.npz")) as good,
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as forged,
    ):
        for name in set(good.namelist()) - {"indices.npy"}:
            forged.writestr(name, good.read(name))
        forged.writestr("indices.npy", b"\x93NUMPY\x01\x00v\x00" + header + bytes(1 << 20))
    expected = r"^a\.npz: not a readable file of codes \(indices \(4, 400000000\): expected at most"
    with pytest.raises(CodesError, match=expected):
        Codes.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.array(["a", "b" * 41])}, "labels holds texts of 41 characters; expected"),
        ({"peak": np.nan}, "peak holds NaN or Inf"),
        ({"sample_rate": -5}, "10 samples at -5 Hz in steps of 0.1 s: expected a length"),
        ({"made_by": "<img src=x onerror=alert(1)>"}, "expected the digest of a model"),
    ],
)
def test_values_that_break_what_shows_them_are_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CodesError, match=rf"^a\.npz: .*{message}"):
        Codes.load(_write(tmp_path / "a.npz", **changes))


def test_codes_of_an_earlier_distill_are_read_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    codes = Codes.load(_write(tmp_path / "old.npz"))
    assert codes.made_by == ""
    assert [record.getMessage() for record in caplog.records] == [
        "old.npz: an earlier distill wrote it, which did not note the model that made it; whether "
        "it is the right one is not checked"
    ]


def test_a_pipe_in_the_place_of_codes_makes_nobody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(CodesError, match=r"^a\.npz: not a readable file of codes"):
        Codes.load(tmp_path / "a.npz")
