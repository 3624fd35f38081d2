"""The container of a `.distill` file: named tensors and JSON texts in one safetensors file.

It knows the format and its checksum, and nothing of models: what is in it, and in which version,
its texts say. Reading executes nothing, and takes no more memory than the file has bytes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import safetensors.torch
import torch
from torch import Tensor

from distill.checked import brief, open_regular
from distill.errors import (
    CorruptModelError,
    ModelFileError,
    NotAModelError,
    OutputExistsError,
    OutsideDataError,
)
from distill.models.file.digest import Part, digest_of, part_of
from distill.models.file.header import BYTES, HEADER_LIMIT, TYPES, Place, parse_header
from distill.names import as_path
from distill.outputs import new_file

FORMAT = "distill_model"
SAVED_MODEL_VERSION = 1
"""Of a continuous VAE's file; every family numbers its own, see `Family.file_version`."""
SAVED_MODEL_VERSION_V2 = 2
"""Of an RVQ-VAE's file."""
_LENGTH_BYTES = 8  # safetensors: little-endian header length, header as JSON, tensor bytes
_OPENINGS = (b'{"', b"{}")
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Header:
    """What a file says of itself, read without its tensors."""

    path: Path
    texts: dict[str, str]
    """Metadata by key; the values are JSON or plain text."""
    tensors: dict[str, tuple[int, ...]]
    """Shapes by name."""
    file_bytes: int
    places: dict[str, Place] = field(repr=False)
    """Types and bytes by name."""


def write_container(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    texts: Mapping[str, str],
    *,
    overwrite: bool = True,
) -> Path:
    """Writes a file whole or not at all, with format and checksum added.

    Args:
        path: a `.distill` file.
        tensors: by name.
        texts: JSON or plain text by key; `version` among them.
        overwrite: also replace a file that this program did not write.

    Raises:
        OutputExistsError: such a file is there.
        ModelFileError: it cannot be written; what lay there before is untouched.
    """
    path = as_path(path, ModelFileError)
    return _write(path, container_bytes(path, tensors, texts), overwrite=overwrite)


def container_bytes(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], texts: Mapping[str, str]
) -> bytes:
    """What `write_container` writes.

    Args:
        path: of the file that is meant, for messages.
        tensors: by name.
        texts: as in `write_container`.

    Raises:
        ModelFileError: more texts than can be read again.
    """
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    marked = {**texts, "format": FORMAT}
    marked["checksum"] = digest_of(map(part_of, ready.items()), marked)
    data = safetensors.torch.save(ready, metadata=marked)
    _check_header(Path(path), int.from_bytes(data[:_LENGTH_BYTES], "little"))
    return data


def rewrite_texts(
    path: str | os.PathLike[str], change: Callable[[Header], Mapping[str, str]]
) -> Path:
    """Replaces the texts of a file, whole or not at all; the bytes of its tensors are copied.

    The file is checked before: damage is never given a new checksum.

    Args:
        path: a `.distill` file.
        change: from its header to all its new texts, before memory is taken for the tensors; format
            and checksum are added.

    Raises:
        ModelFileError: see `read_container`; also where it cannot be written, or somebody else
            wrote it meanwhile. What lies there is untouched.
    """
    path = as_path(path, ModelFileError)
    before = _stamp(path)
    with _opened(path) as file:
        header = _header(path, file)
        marked = {**change(header), "format": FORMAT}
        tensors = _tensor_bytes(header, file)
    _check_sum(header, tensors)
    marked["checksum"] = digest_of(_parts(header, tensors), marked)
    entries = {name: place.to_json() for name, place in header.places.items()}
    text = json.dumps({"__metadata__": marked, **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # safetensors aligns what follows
    if _stamp(path) != before:
        raise ModelFileError(f"{path.name}: written by somebody else just now; try again")
    _check_header(path, len(text))
    start_of_file = len(text).to_bytes(_LENGTH_BYTES, "little") + text
    return _write(path, start_of_file, tensors, overwrite=True)


def _check_header(path: Path, header_bytes: int) -> None:
    if header_bytes > HEADER_LIMIT:
        raise ModelFileError(
            f"{brief(path)}: what is said of the model takes {header_bytes} bytes; at most "
            f"{HEADER_LIMIT} can be read again: save less metadata"
        )


def _write(path: Path, *parts: bytes | bytearray, overwrite: bool) -> Path:
    try:
        with new_file(path, overwrite=overwrite) as file:
            file.writelines(parts)
    except OutputExistsError:
        raise
    except OSError as error:
        raise ModelFileError(
            f"{brief(path)}: cannot be saved ({error.strerror}); choose another folder or make room"
        ) from error
    return path


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None  # reading it says why
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_header(path: str | os.PathLike[str]) -> Header:
    """Reads and judges the header alone.

    Raises:
        NotAModelError: missing, or something else than a `.distill` file.
        CorruptModelError: its header is cut off or altered.
    """
    path = as_path(path, ModelFileError)
    with _opened(path) as file:
        return _header(path, file)


def read_container(
    path: str | os.PathLike[str], approve: Callable[[Header], object] | None = None
) -> tuple[Header, dict[str, Tensor]]:
    """Reads everything and checks it against the checksum.

    Args:
        path: a `.distill` file.
        approve: called before memory is taken for the tensors; raises where they are not such as
            they should be.

    Raises:
        ModelFileError: see `read_header`; also where tensors are cut off or altered.
    """
    path = as_path(path, ModelFileError)
    with _opened(path) as file:
        header = _header(path, file)
        if approve:
            approve(header)
        data = _tensor_bytes(header, file)
    _check_sum(header, data)
    return header, {name: _tensor(place, data) for name, place in header.places.items()}


def _opened(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except OutsideDataError as error:
        raise NotAModelError(str(error)) from error
    except OSError as error:
        raise NotAModelError(f"{brief(path)}: cannot be read ({error.strerror})") from error


def _header(path: Path, file: BinaryIO) -> Header:
    try:
        size = os.fstat(file.fileno()).st_size
        length = file.read(_LENGTH_BYTES)
        announced = int.from_bytes(length, "little")
        text = file.read(min(announced, size, HEADER_LIMIT))
    except OSError as error:
        raise NotAModelError(f"{brief(path)}: cannot be read ({error.strerror})") from error
    if len(length) < _LENGTH_BYTES or not text.startswith(_OPENINGS):
        raise NotAModelError(f"{brief(path.name)}: not a .distill file")
    if announced > max(size, HEADER_LIMIT):
        raise NotAModelError(f"{brief(path.name)}: not a .distill file")
    if announced > HEADER_LIMIT:
        why = f"a header of {announced} bytes; expected at most {HEADER_LIMIT}"
        raise CorruptModelError(_damaged(path, why))
    if len(text) < announced:
        raise CorruptModelError(_damaged(path, "its header is cut off"))
    return _judged(path, text, size)


def _judged(path: Path, text: bytes, size: int) -> Header:
    try:
        texts, places = parse_header(text)
    except OutsideDataError as error:
        raise CorruptModelError(_damaged(path, f"its header is altered: {error}")) from error
    if texts.get("format") != FORMAT:
        raise NotAModelError(
            f"{brief(path.name)}: a safetensors file, but not of distill (format "
            f"{brief(texts.get('format', 'not given'))!r}, expected {FORMAT!r})"
        )
    expected = max((place.end for place in places.values()), default=0)
    if (found := size - _LENGTH_BYTES - len(text)) != expected:
        why = f"{found} bytes of tensors where {expected} belong"
        raise CorruptModelError(_damaged(path, why))
    shapes = {name: place.shape for name, place in places.items()}
    return Header(path, texts, shapes, size, places)


def _tensor_bytes(header: Header, file: BinaryIO) -> bytearray:
    """What follows the header; checked to be as long as it says."""
    expected = max((place.end for place in header.places.values()), default=0)
    try:
        data = bytearray(expected)
        read = 0
        while read < expected and (piece := file.read(min(_PIECE_BYTES, expected - read))):
            data[read : read + len(piece)] = piece
            read += len(piece)
    except OSError as error:
        raise NotAModelError(f"{brief(header.path)}: cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise ModelFileError(
            f"{brief(header.path.name)}: {expected} bytes of weights do not fit into memory; close "
            "other programs"
        ) from error
    if read < expected:
        raise CorruptModelError(_damaged(header.path, "it became shorter while it was read"))
    return data


def _check_sum(header: Header, data: bytearray) -> None:
    if header.texts.get("checksum") != digest_of(_parts(header, data), header.texts):
        raise CorruptModelError(_damaged(header.path, "its checksum does not match"))


def _tensor(place: Place, data: bytearray) -> Tensor:
    kind = getattr(torch, TYPES[place.dtype])
    if place.start == place.end:
        return torch.empty(place.shape, dtype=kind)
    if place.start % BYTES[place.dtype]:  # allowed, but no machine's number stands so
        piece = bytearray(data[place.start : place.end])
        return torch.frombuffer(piece, dtype=kind).reshape(place.shape)
    count = math.prod(place.shape)
    found = torch.frombuffer(data, dtype=kind, count=count, offset=place.start)
    return found.reshape(place.shape)


def _parts(header: Header, data: bytearray) -> Iterator[Part]:
    """The tensors of a file as they lie there."""
    view = memoryview(data)
    for name, place in header.places.items():
        kind = f"torch.{TYPES[place.dtype]}"
        yield name, kind, place.shape, view[place.start : place.end]


def _damaged(path: Path, why: str) -> str:
    return f"{brief(path.name)}: truncated or altered ({why}); copy it again from where it was made"
