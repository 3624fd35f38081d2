"""FLAC: how many samples there are, by its last frame and not by its header."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from distill.audio.containers.layout import Layout, Part, Stream

_READ = 1 << 22
_HEAD_BYTES = 42
_AGAIN = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_SMALLEST_WINDOW, _LARGEST_WINDOW = 1 << 17, 1 << 23
_BLOCKS = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {n: 256 << (n - 8) for n in range(8, 16)}


@dataclass(frozen=True)
class _Info:
    """What the header says."""

    smallest_block: int
    largest_block: int
    largest_frame: int
    channels: int
    total: int


@dataclass(frozen=True)
class _Frame:
    at: int
    end_sample: int


def walk_flac(stream: Stream) -> Layout:
    """Finds out how many samples the frames hold, and whether another file is joined to it."""
    head = stream.read(0, _HEAD_BYTES)
    if len(head) < _HEAD_BYTES or head[4] & 0x7F or head[5:8] != b"\0\0\x22":
        return Layout()
    info = _info(head[8:])
    again = _next_file(stream)
    own = stream if again is None else stream.part(0, again)
    return dataclasses.replace(_own(own, info, head), rest_at=again)


def _info(data: bytes) -> _Info:
    bits = int.from_bytes(data[10:18], "big")
    return _Info(
        smallest_block=int.from_bytes(data[0:2], "big"),
        largest_block=int.from_bytes(data[2:4], "big"),
        largest_frame=int.from_bytes(data[7:10], "big"),
        channels=(bits >> 41 & 7) + 1,
        total=bits & (1 << 36) - 1,
    )


def _own(stream: Stream, info: _Info, head: bytes) -> Layout:
    end = _without_tags(stream)
    last, is_whole = _last_frame(stream, info, end)
    if last is None:
        return Layout()
    if last.end_sample == info.total or (info.total and last.end_sample < info.total):
        return Layout()  # as it says, or cut: then decoding fails where it breaks off
    if is_whole:
        return Layout((_resized(stream, head, last.end_sample),))
    if info.total:
        return Layout()
    found, _ = _last_frame(stream, info, last.at)  # it has no length, and its last frame is cut
    total = found.end_sample if found else 0
    note = "its last frame is cut off: all before it is used"
    return Layout((_resized(stream, head, total),), (note,))


def _resized(stream: Stream, head: bytes, total: int) -> Part:
    total = min(total, (1 << 36) - 1)
    bits = int.from_bytes(head[18:26], "big") & ~((1 << 36) - 1) | total
    # The digest of the samples goes too: it may be that of another number of them.
    made = head[:18] + bits.to_bytes(8, "big") + bytes(16)
    return Part((made, stream.stretch(_HEAD_BYTES)), total)


def _next_file(stream: Stream) -> int | None:
    """Where another FLAC file begins, if one is joined to this."""
    at = 4
    while block := stream.read(at, _READ):
        if match := _AGAIN.search(block):
            return at + match.start()
        if len(block) < _READ:
            return None
        at += len(block) - 8
    return None


def _without_tags(stream: Stream) -> int:
    end = stream.size
    if end > 128 and stream.read(end - 128, 3) == b"TAG":
        end -= 128
    if end > 32 and (foot := stream.read(end - 32, 32))[:8] == b"APETAGEX":
        size = int.from_bytes(foot[12:16], "little") + (32 if foot[23] & 0x80 else 0)
        end -= min(end, size)
    return end


def _last_frame(stream: Stream, info: _Info, end: int) -> tuple[_Frame | None, bool]:
    """The last frame before a place, and whether it ends exactly there."""
    wanted = max(_SMALLEST_WINDOW, 2 * info.largest_frame + _HEAD_BYTES)
    window = min(end, _LARGEST_WINDOW, wanted)
    data = stream.read(end - window, window)
    for match in reversed(list(_SYNC.finditer(data))):
        at = match.start()
        sample = _end_sample(data[at : at + 16], info)
        if sample is None:
            continue
        if _crc16(data[at:]) == 0:  # over a whole frame with its own checksum
            return _Frame(end - window + at, sample), True
        if _is_plausible(sample, info):
            return _Frame(end - window + at, sample), False
    return None, False


def _is_plausible(sample: int, info: _Info) -> bool:
    return not info.total or sample <= info.total


def _end_sample(head: bytes, info: _Info) -> int | None:
    """The sample behind a frame, by its header; None: it is no header of this file."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    block_code, rate_code = head[2] >> 4, head[2] & 15
    channel_code = head[3] >> 4
    channels = channel_code + 1 if channel_code < 8 else 2
    if not block_code or rate_code == 15 or channel_code > 10 or channels != info.channels:
        return None
    number, at = _coded_number(head)
    if number is None:
        return None
    if block_code in {6, 7}:
        width = block_code - 5
        block = int.from_bytes(head[at : at + width], "big") + 1
        at += width
    else:
        block = _BLOCKS[block_code]
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at] or block > max(info.largest_block, 1):
        return None
    first = number if head[1] & 1 else number * info.largest_block
    return first + block


def _coded_number(head: bytes) -> tuple[int | None, int]:
    first = head[4]
    if first < 0x80:
        return first, 5
    more = 8 - (first ^ 0xFF).bit_length() - 1
    if not 1 <= more <= 6 or len(head) < 5 + more:
        return None, 0
    value = first & (0x3F >> more)
    for byte in head[5 : 5 + more]:
        if byte & 0xC0 != 0x80:
            return None, 0
        value = value << 6 | byte & 0x3F
    return value, 5 + more


def _table(polynomial: int, width: int) -> tuple[int, ...]:
    top, mask = 1 << (width - 1), (1 << width) - 1
    values = []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        values.append(value)
    return tuple(values)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
    return value
