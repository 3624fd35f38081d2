"""The JSON in front of a safetensors file, checked: texts, and where each tensor lies."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from distill.checked import brief, parse_json
from distill.errors import OutsideDataError

HEADER_LIMIT = 32 << 20
"""Most bytes of a header: twenty times what a day of training says of itself."""
TENSOR_LIMIT = 4096
"""Most tensors; the deepest model has under a thousand."""
_TEXT_LIMIT = 1000
_PART_LIMIT = 200_000
_LONGEST_NAME = 200
TYPES = {
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
"""Names of types: as safetensors writes them, and as torch does."""
BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "I16": 2,
    "I32": 4,
    "I64": 8,
    "F16": 2,
    "BF16": 2,
    "F32": 4,
    "F64": 8,
}
_Size = Annotated[int, Meta(ge=0, le=2**40)]


class Place(msgspec.Struct, frozen=True):
    """Where a tensor lies behind the header."""

    dtype: Literal["BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"]
    shape: Annotated[tuple[_Size, ...], Meta(max_length=8)]
    data_offsets: tuple[_Size, _Size]

    @property
    def start(self) -> int:
        """First byte."""
        return self.data_offsets[0]

    @property
    def end(self) -> int:
        """Behind the last byte."""
        return self.data_offsets[1]

    def to_json(self) -> dict[str, Any]:
        """As it stands in a header."""
        return msgspec.to_builtins(self)


def parse_header(text: bytes) -> tuple[dict[str, str], dict[str, Place]]:
    """Reads a header.

    Returns:
        Its texts, and its tensors in the order in which it names them.

    Raises:
        OutsideDataError: no such header; or tensors that overlap, leave gaps, or have another
            number of bytes than their shape takes.
    """
    if text.count(b'"data_offsets"') > TENSOR_LIMIT:
        raise OutsideDataError(f"it names more than {TENSOR_LIMIT} tensors")
    found: dict[str, msgspec.Raw] = parse_json(
        text, dict[str, msgspec.Raw], name="header", limit=HEADER_LIMIT, most=_PART_LIMIT
    )
    metadata = found.pop("__metadata__", msgspec.Raw(b"{}"))
    texts: dict[str, str] = parse_json(
        metadata, dict[str, str], name="__metadata__", limit=HEADER_LIMIT
    )
    if len(texts) > _TEXT_LIMIT or len(found) > TENSOR_LIMIT:
        raise OutsideDataError(f"it names {len(texts)} texts and {len(found)} tensors")
    places: dict[str, Place] = {
        name: parse_json(raw, Place, name=brief(name)) for name, raw in found.items()
    }
    _check_places(places)
    return texts, places


def _check_places(places: dict[str, Place]) -> None:
    end = 0
    for name, place in sorted(places.items(), key=lambda item: item[1].data_offsets):
        if len(name) > _LONGEST_NAME:
            raise OutsideDataError(f"a tensor's name of {len(name)} characters")
        size = math.prod(place.shape) * BYTES[place.dtype]
        if place.start != end or place.end - place.start != size:
            raise OutsideDataError(
                f"the tensor {brief(name)!r} lies at {place.start} to {place.end}; expected {end} "
                f"to {end + size}"
            )
        end = place.end
