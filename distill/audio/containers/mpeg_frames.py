"""What the bytes of an MPEG frame say: of itself, or, in a header, of all frames behind it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class Frame:
    """What a frame's four bytes say."""

    kind: tuple[int, int, int, int]
    """Version and layer as coded, samples a second, channels."""
    size: int
    samples: int
    info_at: int
    """Where Xing's header would lie; 0: not in this layer."""


@functools.lru_cache(maxsize=4096)
def frame_of(head: bytes) -> Frame | None:
    """Reads the four bytes of a frame; None: they are none, or of a size they do not say."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits, rate_code = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or rate_code == 3 or bits in {0, 15}:
        return None
    return read_frame(head)


def read_frame(head: bytes) -> Frame:
    """What the four bytes that begin a frame say."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits, rate_code = head[2] >> 4, head[2] >> 2 & 3
    rate = _RATES[version][rate_code]
    bit_rate = _KBITS[version == 3, layer][bits - 1] * 1000
    padding = head[2] >> 1 & 1
    channels = 1 if head[3] >> 6 == 3 else 2
    if layer == 3:
        size, samples = (12 * bit_rate // rate + padding) * 4, 384
    elif layer == 1 and version != 3:
        size, samples = 72 * bit_rate // rate + padding, 576
    else:
        size, samples = 144 * bit_rate // rate + padding, 1152
    side = {(True, 2): 32, (True, 1): 17, (False, 2): 17, (False, 1): 9}[version == 3, channels]
    return Frame((version, layer, rate, channels), size, samples, 4 + side if layer == 1 else 0)


def is_info(data: bytes, frame: Frame) -> bool:
    """Whether a frame holds no sound but a header of the frames behind it, Xing's or VBRI."""
    at = frame.info_at
    return bool(at) and (data[at : at + 4] in {b"Xing", b"Info"} or data[36:40] == b"VBRI")


def promised_frames(data: bytes, frame: Frame) -> int | None:
    """How many frames such a header counts; None where it does not count."""
    at = frame.info_at
    if data[36:40] == b"VBRI":
        return int.from_bytes(data[50:54], "big")
    return int.from_bytes(data[at + 8 : at + 12], "big") if data[at + 7 : at + 8][0] & 1 else None


def added_samples(data: bytes, frame: Frame) -> tuple[int, int]:
    """What LAME, and who writes like it, says of the samples it added."""
    flags = int.from_bytes(data[frame.info_at + 4 : frame.info_at + 8], "big")
    at = frame.info_at + 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags // 2 & 4)
    if data[36:40] == b"VBRI" or data[at : at + 4] not in {b"LAME", b"Lavc", b"Lavf"}:
        return 0, 0
    both = int.from_bytes(data[at + 21 : at + 24], "big")
    return both >> 12, both & 0xFFF
