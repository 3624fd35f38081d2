from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from distill.checked import ArraySpec, read_npz
from distill.errors import OutsideDataError

SPECS = {
    "grid": ArraySpec(kinds="iu", ndim=2, most=1000, low=-1, high=99),
    "peak": ArraySpec(kinds="fi", finite=True),
    "labels": ArraySpec(kinds="U", ndim=1, most=8, longest=40),
    "extra": ArraySpec(kinds="b", ndim=1, most=4, optional=True),
}
GOOD = {
    "grid": np.arange(12, dtype="i4").reshape(3, 4),
    "peak": np.float64(0.5),
    "labels": np.array(["a", "Grüße 🎵"]),
}
LIMIT = 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.savez(tmp_path / "a.npz", **GOOD)
    return tmp_path / "a.npz"


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def changed(path: Path, **arrays: Any) -> Path:
    members = {f"{name}.npy": npy(array) for name, array in {**GOOD, **arrays}.items()}
    return zipped(path, members)


def raw(path: Path, name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    members = {f"{key}.npy": npy(array) for key, array in GOOD.items()}
    return zipped(path, {**members, f"{name}.npy": data}, method)


def described(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_wrote_is_read(path: Path, save: Any) -> None:
    save(path, **GOOD, extra=np.array([True, False]), later=np.zeros(10**6))
    found = read_npz(path, SPECS, limit=10**8)
    assert set(found) == {"grid", "peak", "labels", "extra"}
    for name, array in GOOD.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype


@pytest.mark.parametrize(
    "grid",
    [
        np.asfortranarray(GOOD["grid"]),
        GOOD["grid"].astype(">i8"),
        np.zeros((0, 5), "u1"),
        np.arange(6, dtype="u2").reshape(2, 3).T,
    ],
)
def test_any_order_of_bytes_and_axes(path: Path, grid: np.ndarray) -> None:
    found = read_npz(changed(path, grid=grid), SPECS, limit=LIMIT)["grid"]
    np.testing.assert_array_equal(found, grid)
    assert found.dtype.isnative and found.flags.c_contiguous and found.shape == grid.shape


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"grid": np.zeros((2, 2), object)}, "grid is no array of numbers or texts"),
        ({"grid": np.zeros(2, "i4,f4")}, "grid is no array of numbers or texts"),
        ({"grid": np.zeros((2, 2), "M8[s]")}, "grid is no array of numbers or texts"),
        ({"grid": np.zeros((2, 2), "c8")}, "grid is no array of numbers or texts"),
        ({"grid": np.zeros((2, 2))}, "grid is of type f8; expected one of i, u"),
        ({"grid": np.zeros(2, "i4")}, "grid has 1 axes; expected 2"),
        ({"grid": np.zeros((40, 40), "i4")}, r"grid \(40, 40\): expected at most 1000 values"),
        ({"grid": np.zeros((0, 1001), "i4")}, r"grid \(0, 1001\): expected at most 1000 values"),
        ({"grid": np.full((2, 2), 100)}, "grid holds 100 to 100; expected -1 to 99"),
        ({"grid": np.full((2, 2), 2**64 - 1, "u8")}, "grid holds 1.8.*e.19 to"),
        ({"peak": np.float32("nan")}, "peak holds NaN or Inf"),
        (
            {"labels": np.array(["x" * 41])},
            "labels holds texts of 41 char",
        ),
    ],
)
def test_an_array_of_another_kind_is_named(path: Path, arrays: Any, reason: str) -> None:
    with pytest.raises(OutsideDataError, match=rf"^a\.npz: {reason}"):
        read_npz(changed(path, **arrays), SPECS, limit=LIMIT)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("{'descr': '<i4', 'fortran_order': False, 'shape': (999, 1), }", "0 bytes where 3996 bel"),
        ("{'descr': '<i4', 'fortran_order': False, 'shape': (-1, 1), }", "no array of numbers"),
        ("{'descr': '<i4', 'fortran_order': 1, 'shape': (1, 1), }", "no array of numbers"),
        ("{'descr': '<i99999', 'fortran_order': False, 'shape': (1, 1), }", "is of type i99999"),
        ("{'descr': '<i4', 'fortran_order': False, 'shape': (" + "9" * 400 + ", 1), }", "no array"),
        ("__import__('os').system('x')", "no array of numbers"),
        ("(" * 4000, "no array of numbers"),
        (" " * 5000, "described in 5001 bytes; expected at most 4096"),
    ],
)
def test_a_header_is_matched_and_never_evaluated(path: Path, header: str, reason: str) -> None:
    with pytest.raises(OutsideDataError, match=reason):
        read_npz(raw(path, "grid", described(header)), SPECS, limit=LIMIT)


def test_a_bomb_is_refused_before_it_unpacks(path: Path) -> None:
    bomb = npy(np.zeros((1000, 10_000), "i4"))
    raw(path, "grid", bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < LIMIT
    with pytest.raises(OutsideDataError, match="grid unpacks to 40000128 bytes; expected at most"):
        read_npz(path, SPECS, limit=LIMIT)
    many = {name: ArraySpec(kinds="i", ndim=1, most=10**6) for name in "abcdefgh"}
    zipped(path, {f"{n}.npy": npy(np.zeros(10_000, "i4")) for n in many}, zipfile.ZIP_DEFLATED)
    with pytest.raises(OutsideDataError, match="c unpacks to 40128 bytes; expected at most 20000"):
        read_npz(path, many, limit=LIMIT)


def test_a_size_that_lies_is_refused(path: Path) -> None:
    data = npy(GOOD["grid"])
    for more in (data + b"x", data[:-1]):
        with pytest.raises(OutsideDataError, match=r"grid has 4[79] bytes where 48 belong"):
            read_npz(raw(path, "grid", more), SPECS, limit=LIMIT)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_compress_are_refused(path: Path, method: int) -> None:
    raw(path, "grid", npy(GOOD["grid"]), method)
    with pytest.raises(OutsideDataError, match="compressed in a way that NumPy does not"):
        read_npz(path, SPECS, limit=LIMIT)


def test_twice_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("grid.npy", npy(GOOD["grid"]))
    with pytest.raises(OutsideDataError, match=r"a\.npz: grid is there 2 times"):
        read_npz(path, SPECS, limit=LIMIT)


def test_a_huge_table_of_contents_is_refused(path: Path) -> None:
    members = {f"{'x' * 200}{number}.npy": b"" for number in range(5000)}
    zipped(path, members)
    with pytest.raises(OutsideDataError, match=r"a table of contents of .* expected at most 1048"):
        read_npz(path, SPECS, limit=10**8)


def test_missing_and_large_files(path: Path, tmp_path: Path) -> None:
    with pytest.raises(OutsideDataError, match=r"a\.npz: other is missing"):
        read_npz(path, {"other": ArraySpec(kinds="i")}, limit=LIMIT)
    with pytest.raises(OutsideDataError, match=r"a\.npz: \d+ bytes; expected at most 10"):
        read_npz(path, SPECS, limit=10)
    with pytest.raises(OutsideDataError, match="a folder; expected a file"):
        read_npz(tmp_path, SPECS, limit=LIMIT)
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "gone.npz", SPECS, limit=LIMIT)


def test_characters_that_do_not_exist_are_refused(path: Path) -> None:
    labels = np.array([0x110000, 65], "u4").view("<U2")
    with pytest.raises(OutsideDataError, match="labels holds a character 0x110000"):
        read_npz(changed(path, labels=labels), SPECS, limit=LIMIT)


def test_truth_is_one_of_two(path: Path) -> None:
    header = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }"
    raw(path, "extra", described(header, b"\x01\x02"))
    with pytest.raises(OutsideDataError, match="extra holds what is neither true nor false"):
        read_npz(path, SPECS, limit=LIMIT)


@pytest.mark.slow
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    st.floats(0, 1),
    st.booleans(),
)
def test_altered_bytes_are_ours_or_harmless(
    path: Path, changes: list[tuple[float, int]], kept: float, compressed: bool
) -> None:
    (np.savez_compressed if compressed else np.savez)(path, **GOOD)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[min(int(place * len(data)), len(data) - 1)] = value
    path.write_bytes(data[: int(len(data) * kept)] if kept < 0.2 else data)
    try:
        found = read_npz(path, SPECS, limit=LIMIT)
    except OutsideDataError as error:
        assert str(error).startswith("a.npz: ")
    else:
        assert found["grid"].min() >= -1 and found["grid"].max() <= 99


@pytest.mark.skipif(os.name == "nt", reason="named pipes of POSIX")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(OutsideDataError, match=r"a\.npz: a named pipe; expected a file"):
        read_npz(tmp_path / "a.npz", SPECS, limit=LIMIT)
