"""The background: latents of sound in general, which codebooks are fitted to beside new sounds.

A few minutes of recordings are fewer latents than codebooks have numbers: fitted to these alone
they say these almost without loss, and other sounds of the same kind several times worse. With each
base that distill brings comes a sample of what its encoder makes of the material that it learned
from, said in codes of its own, so that thousands of latents take little room.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from distill.checked import parse_json
from distill.errors import CorruptModelError, OutsideDataError
from distill.models.file.container import Header, read_container, read_header, write_container
from distill.models.file.weights import check_numbers
from distill.names import printable

_SECTION, _VERSION, _LIMIT = "background", "1", 1 << 16
_BYTE = 127.0


class _Said(msgspec.Struct):
    model: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


def background_paths() -> tuple[Path, ...]:
    """Where those lie that were installed with distill, one for each base."""
    folder = Path(str(resources.files("distill"))) / "data"
    return folder / "base-background.distill", folder / "base-fine-background.distill"


def background_of(digest: str) -> Tensor | None:
    """Latents by the encoder of a base, in no order; None for a model that there are none of.

    Args:
        digest: of the model.

    Returns:
        (position, dim) float32.

    Raises:
        ModelFileError: a file of ours cannot be read.
    """
    for path in filter(Path.is_file, background_paths()):
        if _model_of(read_header(path)) == digest:
            return read_background(path)
    return None


def read_background(path: Path) -> Tensor:
    """The latents that a file holds, (position, dim) float32.

    Raises:
        ModelFileError: it is none, or altered.
    """
    header, tensors = read_container(path)
    _model_of(header)
    name = printable(path.name)
    try:
        entries, scales, codes = (tensors[part] for part in ("entries", "scales", "codes"))
    except KeyError as error:
        raise CorruptModelError(f"{name}: the tensor {error} is missing") from error
    is_whole = entries.dtype == torch.int8 and codes.dtype == torch.uint8
    fits = entries.ndim == 3 and scales.shape == codes.shape[1:] == entries.shape[:1]
    if not (is_whole and fits and codes.numel() and int(codes.max()) < entries.shape[1]):
        raise CorruptModelError(f"{name}: its codes are not of its entries")
    check_numbers(tensors, name)
    books = entries.float() * scales.float()[:, None, None]
    return sum((book[codes[:, level].long()] for level, book in enumerate(books)), torch.zeros(1))


def write_background(
    path: Path, entries: Tensor, codes: Tensor, model: str, texts: Mapping[str, str]
) -> Path:
    """Writes a file that `read_background` reads; entries become bytes.

    Args:
        path: of the file.
        entries: (level, entry, dim), at most 256 of them.
        codes: (position, level) of the latents that are kept.
        model: digest of the base by whose encoder they are.
        texts: what else the file says, JSON by key.

    Raises:
        ModelFileError: it cannot be written.
    """
    scales = entries.abs().amax(dim=(1, 2)).clamp(min=torch.finfo(torch.float32).tiny) / _BYTE
    kept = {
        "entries": (entries / scales[:, None, None]).round().to(torch.int8),
        "scales": scales.float(),
        "codes": codes.to(torch.uint8),
    }
    said = msgspec.json.encode(_Said(model)).decode()
    return write_container(path, kept, {"version": _VERSION, _SECTION: said, **texts})


def _model_of(header: Header) -> str:
    name = printable(header.path.name)
    try:
        said: _Said = parse_json(
            header.texts[_SECTION], _Said, name=f"{name}: {_SECTION}", limit=_LIMIT
        )
    except (KeyError, OutsideDataError) as error:
        raise CorruptModelError(f"{name}: no latents of sound in general: {error}") from error
    return said.model
