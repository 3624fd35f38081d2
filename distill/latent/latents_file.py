"""The file of latents: what its arrays must be."""

from __future__ import annotations

from distill.checked import ArraySpec
from distill.encoded.file import EncodedFile
from distill.errors import LatentsError

_MOST_NUMBERS = 1 << 27

LATENTS_FILE = EncodedFile(
    "latents",
    LatentsError,
    {"values": ArraySpec(kinds="f", ndim=2, most=_MOST_NUMBERS, finite=True)},
)
