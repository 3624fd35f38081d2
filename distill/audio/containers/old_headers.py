"""What the headers of 8SVX, SPHERE, AVR, VOC and the MPC2000 say of their samples.

libsndfile takes all that follows such a header for samples: of a file that was cut it says nothing,
and a chunk or tag behind the samples it plays.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from distill.audio.containers.chunks import Samples, chunks
from distill.audio.containers.layout import Stream
from distill.audio.containers.trailing_data import ChunkShape

_CHUNKS = ChunkShape(order="big")
_NO_CHUNKS = ChunkShape(0, 0)
_FIELD = re.compile(rb"\n(\w+) -i (\d{1,15})\b")
_LAW = re.compile(rb"\nsample_coding -s\d+ [ua]law")
_LARGEST_SPHERE_HEADER = 1 << 16
_VOC_HEADER, _VOC_BLOCK_WRAPS = 26, 1 << 24
_AVR_HEADER, _MPC_HEADER = 128, 42


def find_svx(stream: Stream) -> Samples | None:
    """The samples of an 8SVX or 16SV file."""
    width = 2 if stream.read(8, 4) == b"16SV" else 1
    rate = 0
    for name, at, size in chunks(stream, _CHUNKS, 12):
        if name == b"VHDR":
            rate = int.from_bytes(stream.read(at + 12, 2), "big")
        elif name == b"BODY":
            return _samples(at, size, width, rate, _CHUNKS)
    return None


def find_sphere(stream: Stream) -> Samples | None:
    """The samples of a NIST SPHERE file."""
    first = stream.read(8, 8).strip()
    if not first.isdigit() or int(first) > _LARGEST_SPHERE_HEADER:
        return None
    at = int(first)
    head = stream.read(0, at)
    found = {name: int(value) for name, value in _FIELD.findall(head)}
    one = 1 if _LAW.search(head) else found.get(b"sample_n_bytes", 2)  # some write 2 for them, too
    width = one * found.get(b"channel_count", 1)
    if b"sample_count" not in found or not width:
        return None
    return _samples(at, found[b"sample_count"] * width, width, found.get(b"sample_rate", 0))


def find_avr(stream: Stream) -> Samples | None:
    """The samples of an Audio Visual Research file."""
    head = stream.read(0, _AVR_HEADER)
    if len(head) < _AVR_HEADER:
        return None
    stereo, bits, rate, frames = struct.unpack(">12xhh6xII98x", head)
    width = (2 if stereo else 1) * (2 if bits > 8 else 1)
    return _samples(_AVR_HEADER, frames * width, width, rate & 0xFFFFFF)


def find_voc(stream: Stream) -> Samples | None:
    """The samples of a Creative Voice file whose first block holds all of them."""
    head = stream.read(_VOC_HEADER, 16)
    size = int.from_bytes(head[1:4], "little")
    if len(head) < 16 or head[0] != 9 or stream.size > _VOC_BLOCK_WRAPS:
        return None
    rate, bits, channels = struct.unpack("<4xIBB6x", head)
    return _samples(_VOC_HEADER + 16, size - 12, channels * bits / 8, rate)


def find_mpc(stream: Stream) -> Samples | None:
    """The samples of an Akai MPC2000 sound."""
    head = stream.read(0, _MPC_HEADER)
    if len(head) < _MPC_HEADER:
        return None
    stereo, frames, rate = struct.unpack("<21xB8xI6xH", head)
    width = 4 if stereo else 2
    return _samples(_MPC_HEADER, frames * width, width, rate)


def _samples(
    at: int, size: int, frame_bytes: float, rate: float, shape: ChunkShape = _NO_CHUNKS
) -> Samples:
    # Nobody looks at a size in these headers: they need not be corrected.
    return Samples(at, max(0, size), frame_bytes, rate, lambda head, _: head, shape, exact_end=True)


OLD_FORMATS: dict[bytes, Callable[[Stream], Samples | None]] = {
    b"NIST": find_sphere,
    b"2BIT": find_avr,
    b"Crea": find_voc,
}
"""By the first four bytes."""
MPC_MAGIC = b"\x01\x04"
