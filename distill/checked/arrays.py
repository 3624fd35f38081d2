"""NumPy's `.npz` from outside: declared arrays only, their sizes known before memory is taken."""

from __future__ import annotations

import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from distill.checked.files import open_regular
from distill.checked.words import brief
from distill.errors import OutsideDataError

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {1: 2, 2: 4}
_LONGEST_HEADER = 4096
# Matched, never evaluated: what NumPy writes, for numbers, truth values and texts.
_HEADER = re.compile(
    rb"\{\s*'descr':\s*'([<>|=]?)([biufU])(\d{1,6})',\s*'fortran_order':\s*(True|False),\s*"
    rb"'shape':\s*\(((?:\d{1,15}L?,\s*)*(?:\d{1,15}L?)?)\),?\s*\}\s*"
)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BEST_RATIO = 1033  # deflate cannot do better
_LARGEST_READ = 1 << 20
_PIECE_BYTES = 1 << 18
_NUMBER_BYTES = (1, 2, 4, 8)
_LAST_CHARACTER = 0x10FFFF
_DAMAGE = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile raises on bytes that were altered."""


@dataclass(frozen=True, kw_only=True)
class ArraySpec:
    """What an array of a file must be."""

    kinds: str
    """NumPy's letters of the kinds it may have: b, i, u, f or U."""
    ndim: int = 0
    most: int = 1
    """Most elements, and the longest that any axis may be."""
    low: float | None = None
    high: float | None = None
    finite: bool = False
    """Whether NaN and infinities are refused."""
    longest: int = 4096
    """Most characters of a text."""
    optional: bool = False


def read_npz(
    path: str | os.PathLike[str], specs: Mapping[str, ArraySpec], *, limit: int
) -> dict[str, np.ndarray]:
    """Reads the declared arrays of a file; others are passed over, and nothing is executed.

    Args:
        path: the file.
        specs: what is expected, by name.
        limit: most bytes of the file, and of all arrays together.

    Returns:
        By name, in this machine's byte order, each its own memory; optional ones may be missing.

    Raises:
        OutsideDataError: no regular file, too large, damaged, or an array is missing or not what
            was declared; it says which.
        OSError: the system refuses: missing, or not readable for this person.
    """
    name = brief(Path(path).name)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OutsideDataError(f"{name}: {size} bytes; expected at most {limit}")
        try:
            with zipfile.ZipFile(_Bounded(file, size)) as archive:
                return _read_all(archive, specs, limit, size)
        except OutsideDataError as error:
            raise OutsideDataError(f"{name}: {error}") from error
        except _DAMAGE as error:
            raise OutsideDataError(f"{name}: damaged, or no .npz ({brief(str(error))})") from error


class _Bounded:
    """A file without reads that a lying table of contents could make huge."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self.seekable, self.mode, self.name = file.seekable, "rb", ""

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._size - self._file.tell())
        count = left if count < 0 else min(count, left)
        if count > _LARGEST_READ:
            raise OutsideDataError(
                f"a table of contents of {count} bytes; expected at most {_LARGEST_READ}"
            )
        return self._file.read(count)


def _read_all(
    archive: zipfile.ZipFile, specs: Mapping[str, ArraySpec], limit: int, size: int
) -> dict[str, np.ndarray]:
    names = [item.filename for item in archive.infolist()]
    arrays = {}
    for key, spec in specs.items():
        count = names.count(f"{key}.npy")
        if count > 1:
            raise OutsideDataError(f"{key} is there {count} times")
        if count:
            info = archive.getinfo(f"{key}.npy")
            arrays[key] = _read(archive, info, key, spec, min(limit, _BEST_RATIO * size))
            limit -= arrays[key].nbytes
        elif not spec.optional:
            raise OutsideDataError(f"{key} is missing")
    return arrays


def _read(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, key: str, spec: ArraySpec, limit: int
) -> np.ndarray:
    if info.compress_type not in _METHODS or info.flag_bits & 1:
        raise OutsideDataError(f"{key} is encrypted, or compressed in a way that NumPy does not")
    if info.file_size > limit + _LONGEST_HEADER:
        raise OutsideDataError(f"{key} unpacks to {info.file_size} bytes; expected at most {limit}")
    with archive.open(info) as member:
        header, length = _header(member, key)
        dtype, shape, column_first = _declared(header, key, spec)
        expected = math.prod(shape) * dtype.itemsize
        if info.file_size != length + expected:
            raise OutsideDataError(
                f"{key} has {info.file_size - length} bytes where {expected} belong"
            )
        array = _filled(member, dtype, shape, column_first)
    return _checked(array, key, spec)


def _header(member: IO[bytes], key: str) -> tuple[bytes, int]:
    """An array's description, and the bytes up to its values."""
    start = member.read(len(_MAGIC) + 2)
    width = _LENGTH_BYTES.get(start[-2], 0) if start.startswith(_MAGIC) and len(start) == 8 else 0
    if not width:
        raise OutsideDataError(f"{key} is no NumPy array")
    length = int.from_bytes(member.read(width), "little")
    if length > _LONGEST_HEADER:
        raise OutsideDataError(
            f"{key} is described in {length} bytes; expected at most {_LONGEST_HEADER}"
        )
    return member.read(length), len(start) + width + length


def _declared(
    header: bytes, key: str, spec: ArraySpec
) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    import numpy as np

    found = _HEADER.fullmatch(header)
    if not found:
        raise OutsideDataError(f"{key} is no array of numbers or texts")
    order, kind, digits = (found[i].decode() for i in (1, 2, 3))
    width = int(digits)
    exists = kind == "U" or (width in _NUMBER_BYTES and (kind, width) != ("f", 1))
    if kind not in spec.kinds or not exists or (kind == "b" and width != 1):
        raise OutsideDataError(
            f"{key} is of type {kind}{digits}; expected one of {', '.join(spec.kinds)}"
        )
    if kind == "U" and width > spec.longest:
        raise OutsideDataError(
            f"{key} holds texts of {width} characters; expected at most {spec.longest}"
        )
    shape = tuple(int(length.strip(b" L")) for length in found[5].split(b",") if length.strip())
    if len(shape) != spec.ndim:
        raise OutsideDataError(f"{key} has {len(shape)} axes; expected {spec.ndim}")
    if max((math.prod(shape), *shape)) > spec.most:
        raise OutsideDataError(f"{key} {shape}: expected at most {spec.most} values")
    return np.dtype(order + kind + digits), shape, found[4] == b"True"


def _filled(
    member: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...], column_first: bool
) -> np.ndarray:
    import numpy as np

    flat = np.empty(math.prod(shape), dtype)
    view = flat.view(np.uint8).data if flat.nbytes else memoryview(bytearray())
    done = 0
    while done < len(view):
        piece = member.read(min(_PIECE_BYTES, len(view) - done))
        if not piece:
            raise EOFError("its values end early")
        view[done : done + len(piece)] = piece
        done += len(piece)
    if member.read(1):  # also makes zipfile compare its checksum
        raise EOFError("more values than it says")
    array = flat.reshape(shape, order="F" if column_first else "C")
    return np.ascontiguousarray(array, dtype.newbyteorder("=")).reshape(shape)


def _checked(array: np.ndarray, key: str, spec: ArraySpec) -> np.ndarray:
    import numpy as np

    if not array.size:
        return array
    kind = array.dtype.kind
    if kind == "U" and array.dtype.itemsize:
        last = int(array.reshape(-1).view(np.uint32).max())
        if last > _LAST_CHARACTER:
            raise OutsideDataError(f"{key} holds a character {last:#x}, which does not exist")
    if kind == "b" and int(array.reshape(-1).view(np.uint8).max()) > 1:
        raise OutsideDataError(f"{key} holds what is neither true nor false")
    if kind == "f" and spec.finite and not np.isfinite(array).all():
        raise OutsideDataError(f"{key} holds NaN or Inf")
    if kind in "iuf":
        _check_range(array, key, spec)
    return array


def _check_range(array: np.ndarray, key: str, spec: ArraySpec) -> None:
    import numpy as np

    if spec.low is None and spec.high is None:
        return
    lowest, highest = (f.reduce(array, axis=None) for f in (np.fmin, np.fmax))  # without NaN
    if (spec.low is not None and lowest < spec.low) or (
        spec.high is not None and highest > spec.high
    ):
        raise OutsideDataError(
            f"{key} holds {lowest:g} to {highest:g}; expected {_end(spec.low)} to {_end(spec.high)}"
        )


def _end(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"
