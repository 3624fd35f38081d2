"""What the headers of WAV, RF64, W64, AIFF, AU and CAF say: where samples lie, and how many."""

from __future__ import annotations

import struct

from distill.audio.containers.chunks import Samples, chunks
from distill.audio.containers.layout import Stream
from distill.audio.containers.trailing_data import ChunkShape

_MOST_32_BIT = 0xFFFF_F000

RIFF = ChunkShape()
RIFX = ChunkShape(order="big")
W64 = ChunkShape(16, 8, counts_itself=True, align=8)
_AIFC_WIDTHS = {b"ima4": 34 / 64, b"gsm ": 33 / 160, b"ulaw": 1, b"alaw": 1}
CAF = ChunkShape(4, 8, order="big", align=1)


def find_wav(stream: Stream) -> Samples | None:
    """The samples of a RIFF, RIFX, RF64 or BW64 WAVE file."""
    magic = stream.read(0, 4)
    shape, sign = (RIFX, ">") if magic == b"RIFX" else (RIFF, "<")
    rate = frame_bytes = 0.0
    long_size: int | None = None
    for name, at, size in chunks(stream, shape, 12):
        if name == b"ds64":
            sizes = stream.read(at, 16)
            long_size = struct.unpack("<8xQ", sizes)[0] if len(sizes) == 16 else None
        elif name == b"fmt ":
            rate, frame_bytes = _wave_format(stream.read(at, 16), sign)
        elif name == b"data":
            if size == 0xFFFFFFFF and long_size is not None:
                size = long_size or 1 << 62

            def header(head: bytes, length: int, at: int = at) -> bytes:
                if magic in {b"RF64", b"BW64"} or length > _MOST_32_BIT:
                    return _as_rf64(head, length)
                sizes = struct.pack(f"{sign}I", len(head) - 8 + length)
                return head[:4] + sizes + head[8 : at - 4] + struct.pack(f"{sign}I", length)

            return Samples(at, size, frame_bytes, rate, header, shape, name=name)
    return None


def _wave_format(fmt: bytes, sign: str) -> tuple[float, float]:
    if len(fmt) < 16:
        return 0.0, 0.0
    kind, channels, rate, per_second, block, bits = struct.unpack(f"{sign}HHIIHH", fmt)
    if kind in {1, 3, 6, 7, 0xFFFE} or not per_second or not rate:
        return rate, block or channels * bits / 8
    return rate, per_second / rate


def _as_rf64(head: bytes, length: int) -> bytes:
    formats, at = b"", 12
    while at + 8 <= len(head) - 8:
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            formats += head[at : at + 8 + size]
        at += 8 + size + size % 2
    total = 4 + 8 + 28 + len(formats) + 8 + length
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, total, length, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + formats + b"data\xff\xff\xff\xff"


def find_w64(stream: Stream) -> Samples | None:
    """The samples of a Sony Wave64 file."""
    rate = frame_bytes = 0.0
    for name, at, size in chunks(stream, W64, 40):
        if name[:4] == b"fmt ":
            rate, frame_bytes = _wave_format(stream.read(at, 16), "<")
        elif name[:4] == b"data":

            def header(head: bytes, length: int) -> bytes:
                total, size = struct.pack("<Q", len(head) + length), struct.pack("<Q", length + 24)
                return head[:16] + total + head[24:-8] + size

            return Samples(at, size, frame_bytes, rate, header, W64, exact_end=True, name=name)
    return None


def find_aiff(stream: Stream) -> Samples | None:
    """The samples of an AIFF or AIFC file."""
    rate = frame_bytes = 0.0
    frames_at, samples, mended = 0, None, False
    for name, at, size in chunks(stream, RIFX, 12):
        if name == b"COMM":
            frames_at = at + 2
            rate, frame_bytes = _aiff_format(stream.read(at, 22))
        elif name == b"SSND":
            offset = int.from_bytes(stream.read(at, 4), "big")
            mended = offset > max(0, min(size, stream.size - at) - 8)
            offset = 0 if mended else offset
            samples = at + 8 + offset, max(0, size - 8 - offset)
        if samples and frame_bytes:
            break
    if samples is None:
        return None
    begin, declared = samples

    def header(head: bytes, length: int) -> bytes:
        if not frames_at or frames_at + 4 > len(head):
            return head
        frames = struct.pack(">I", min(0xFFFFFFFF, int(length / frame_bytes)) if frame_bytes else 0)
        head = head[:frames_at] + frames + head[frames_at + 4 :]
        at = head.rindex(b"SSND") + 4
        size = struct.pack(">I", min(0xFFFFFFFF, len(head) - at - 4 + length))
        total = struct.pack(">I", min(0xFFFFFFFF, len(head) - 8 + length))
        offset = struct.pack(">I", len(head) - at - 12)
        return head[:4] + total + head[8:at] + size + offset + head[at + 8 :]

    return Samples(
        begin, declared, frame_bytes, rate, header, RIFX, mended=mended, name=b"SSND", skip=8
    )


def _aiff_format(comm: bytes) -> tuple[float, float]:
    if len(comm) < 18:
        return 0.0, 0.0
    channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", comm[:18])
    rate = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63) if exponent < 0x4040 else 0.0
    if (width := _AIFC_WIDTHS.get(comm[18:22].lower())) is not None:  # whatever `bits` says
        return rate, channels * width
    return rate, channels * ((bits + 7) // 8)


def find_au(stream: Stream) -> Samples | None:
    """The samples of a Sun/NeXT file."""
    head = stream.read(0, 24)
    if len(head) < 24:
        return None
    sign = ">" if head[:4] == b".snd" else "<"
    at, size, encoding, rate, channels = struct.unpack(f"{sign}5I", head[4:])
    mended = not 24 <= at <= stream.size
    at = 24 if mended else at
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0.5)

    def header(head: bytes, length: int) -> bytes:
        sizes = struct.pack(f"{sign}2I", len(head), min(0xFFFFFFFF, length))
        return head[:4] + sizes + head[12:]

    return Samples(at, size, width * channels, rate, header, RIFX, mended=mended)


def find_caf(stream: Stream) -> Samples | None:
    """The samples of a Core Audio file."""
    rate = frame_bytes = 0.0
    for name, at, size in chunks(stream, CAF, 8):
        if name == b"desc":
            desc = stream.read(at, 32)
            if len(desc) == 32:
                rate, _, _, packet, per_packet, _, _ = struct.unpack(">d4sIIIII", desc)
                frame_bytes = packet / per_packet if per_packet else 0.0
        elif name == b"data":

            def header(head: bytes, length: int) -> bytes:
                return head[:-12] + struct.pack(">Q", length + 4) + head[-4:]

            declared = size - 4 if size < 1 << 63 else 1 << 62
            return Samples(
                at + 4, max(0, declared), frame_bytes, rate, header, CAF, name=name, skip=4
            )
    return None
