"""The container of a `.distill` file: named tensors and JSON texts in one safetensors file.

It knows the format, its version and its checksum, and nothing of models. Reading executes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from distill.atomic import write_atomically
from distill.config import VQVAEConfig
from distill.errors import (
    CorruptModelError,
    ModelFileError,
    ModelVersionError,
    NotAModelError,
)

FORMAT = "distill_model"
SAVED_MODEL_VERSION_V2 = 2
_LENGTH_BYTES = 8  # safetensors: little-endian header length, header as JSON, tensor bytes
_HEADER_LIMIT = 100_000_000
_OPENINGS = (b'{"', b"{}")


@dataclass(frozen=True)
class Header:
    """What a file says of itself, read without its tensors."""

    path: Path
    texts: dict[str, str]
    """Metadata by key; the values are JSON or plain text."""
    tensors: dict[str, tuple[int, ...]]
    """Shapes by name."""


def write_container(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], texts: Mapping[str, str]
) -> Path:
    """Writes a file whole or not at all, with format, version and checksum added.

    Raises:
        ModelFileError: it cannot be written; what lay there before is untouched.
    """
    path = Path(path)
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    marked = {**texts, "format": FORMAT, "version": str(SAVED_MODEL_VERSION_V2)}
    marked["checksum"] = _checksum(ready, marked)
    return _write(path, safetensors.torch.save(ready, metadata=marked))


def rewrite_texts(
    path: str | os.PathLike[str], change: Callable[[Header], Mapping[str, str]]
) -> Path:
    """Replaces the texts of a file, whole or not at all; the bytes of its tensors are copied.

    The file is checked before: damage is never given a new checksum.

    Args:
        path: a `.distill` file.
        change: from its header to all its new texts; format, version and checksum are added.

    Raises:
        ModelFileError: see `read_container`; also where it cannot be written, or somebody else
            wrote it meanwhile. What lies there is untouched.
    """
    path = Path(path)
    before = _stamp(path)
    header = read_header(path)
    data = path.read_bytes()
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    values, tensors = json.loads(data[_LENGTH_BYTES:start]), memoryview(data)[start:]
    if header.texts.get("checksum") != _digest(_raw(header, values, tensors), header.texts):
        raise CorruptModelError(_damaged(path, "its checksum does not match"))
    marked = {**change(header), "format": FORMAT, "version": str(SAVED_MODEL_VERSION_V2)}
    marked["checksum"] = _digest(_raw(header, values, tensors), marked)
    text = json.dumps({**values, "__metadata__": marked}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # safetensors aligns what follows
    if _stamp(path) != before:
        raise ModelFileError(f"{path.name}: written by somebody else just now; try again")
    return _write(path, len(text).to_bytes(_LENGTH_BYTES, "little") + text, tensors)


def _write(path: Path, *parts: bytes | memoryview) -> Path:
    try:
        with write_atomically(path) as file:
            file.writelines(parts)
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be saved ({error.strerror}); choose another folder or make room"
        ) from error
    return path


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # reading it says why
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_header(path: str | os.PathLike[str]) -> Header:
    """Reads and judges the header alone.

    Raises:
        NotAModelError: missing, or something else than a `.distill` file.
        CorruptModelError: its header is cut off or altered.
        ModelVersionError: of a version this distill does not read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            length, size = file.read(_LENGTH_BYTES), path.stat().st_size
            announced = int.from_bytes(length, "little")
            text = file.read(min(announced, size)) if announced <= _HEADER_LIMIT else b""
    except OSError as error:
        raise NotAModelError(f"{path}: cannot be read ({error.strerror})") from error
    if len(length) < _LENGTH_BYTES or not text.startswith(_OPENINGS):
        raise NotAModelError(f"{path.name}: not a .distill file")
    if len(text) < announced:
        raise CorruptModelError(_damaged(path, "its header is cut off"))
    return _judged(path, text, size - _LENGTH_BYTES - announced)


def read_container(path: str | os.PathLike[str]) -> tuple[Header, dict[str, Tensor]]:
    """Reads everything and checks it against the checksum.

    Raises:
        ModelFileError: see `read_header`; also where tensors are cut off or altered.
    """
    header = read_header(path)
    data = header.path.read_bytes()
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise CorruptModelError(_damaged(header.path, str(error))) from error
    if header.texts.get("checksum") != _checksum(tensors, header.texts):
        raise CorruptModelError(_damaged(header.path, "its checksum does not match"))
    return header, tensors


def _judged(path: Path, text: bytes, tensor_bytes: int) -> Header:
    try:
        values = json.loads(text)
        texts = values.pop("__metadata__", {})
        shapes = {name: tuple(entry["shape"]) for name, entry in values.items()}
        ends = [entry["data_offsets"][1] for entry in values.values()]
        expected = max(ends, default=0)
        if not all(isinstance(value, str) for value in texts.values()):
            raise TypeError("metadata that is not text")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CorruptModelError(_damaged(path, "its header is altered")) from error
    if texts.get("format") != FORMAT:
        raise NotAModelError(
            f"{path.name}: a safetensors file, but not of distill (format "
            f"{texts.get('format', 'not given')!r}, expected {FORMAT!r})"
        )
    if texts.get("version") != str(SAVED_MODEL_VERSION_V2):
        raise ModelVersionError(
            f"{path.name}: version {texts.get('version')!r} of the format; this distill reads "
            f"version {SAVED_MODEL_VERSION_V2}: update distill, or save the model again"
        )
    if tensor_bytes != expected:
        why = f"{tensor_bytes} bytes of tensors where {expected} belong"
        raise CorruptModelError(_damaged(path, why))
    return Header(path, texts, shapes)


_DECIDES = (
    "levels",
    "codebook_size",
    "width",
    "encoder_depth",
    "decoder_depth",
    "kernel_size",
    "latent_dim",
    "stride",
)
_DECIDES_OF_SOUND = ("sample_rate", "n_fft", "hop_length", "n_mels", "f_min_hz", "f_max_hz")


def model_digest(tensors: Mapping[str, Tensor], config: VQVAEConfig) -> str:
    """What tells a model from every other one: its weights, and what they need to make sound.

    Name, tags and how it was trained have no part in it, so that it stays when they change.

    Args:
        tensors: the state of the model.
        config: of the model.

    Returns:
        SHA-256, hexadecimal.
    """
    said = {name: getattr(config, name) for name in _DECIDES}
    said |= {name: getattr(config.spectrogram, name) for name in _DECIDES_OF_SOUND}
    return _digest(map(_part, tensors.items()), {"config": json.dumps(said, sort_keys=True)})


_Part = tuple[str, str, tuple[int, ...], bytes | memoryview]
"""Name, type as torch calls it, shape and bytes of a tensor."""
_TYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
}


def _checksum(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> str:
    return _digest(map(_part, tensors.items()), texts)


def _part(item: tuple[str, Tensor]) -> _Part:
    name, tensor = item
    data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    return name, str(tensor.dtype), tuple(tensor.shape), data


def _raw(header: Header, values: Mapping[str, Any], data: memoryview) -> Iterator[_Part]:
    """The tensors of a file as they lie there."""
    for name, shape in header.tensors.items():
        try:
            kind, (start, end) = values[name]["dtype"], values[name]["data_offsets"]
            yield name, f"torch.{_TYPES.get(kind, kind)}", shape, data[start:end]
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptModelError(_damaged(header.path, "its header is altered")) from error


def _digest(parts: Iterable[_Part], texts: Mapping[str, str]) -> str:
    """Digest of every tensor (name, type, shape, bytes) and of every text but the checksum."""
    digest = hashlib.sha256()
    for name, kind, shape, data in sorted(parts, key=lambda part: part[0]):
        digest.update(f"{name}:{kind}:{shape}:".encode())
        digest.update(data)
    for key in sorted(texts):
        if key != "checksum":
            digest.update(json.dumps([key, texts[key]]).encode())
    return digest.hexdigest()


def _damaged(path: Path, why: str) -> str:
    return f"{path.name}: truncated or altered ({why}); copy it again from where it was made"
