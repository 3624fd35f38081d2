"""Sounds in every container, and what accidents and strangers make of their bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soundfile

RATE, FRAMES = 8000, 4000
KINDS = (
    "WAV", "WAV 24", "WAV float", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "OPUS", "MP3",
    "MP3 VBR", "ADPCM", "8SVX", "SPHERE", "AVR", "VOC", "MPC2000",
)  # fmt: skip
_SUBTYPES = {
    "WAV": ("WAV", "PCM_16"), "WAV 24": ("WAV", "PCM_24"), "WAV float": ("WAV", "FLOAT"),
    "RF64": ("RF64", "PCM_16"), "W64": ("W64", "PCM_16"), "AIFF": ("AIFF", "PCM_16"),
    "AU": ("AU", "PCM_16"), "CAF": ("CAF", "PCM_16"), "FLAC": ("FLAC", "PCM_16"),
    "OGG": ("OGG", "VORBIS"), "OPUS": ("OGG", "OPUS"), "MP3": ("MP3", None),
    "MP3 VBR": ("MP3", None), "ADPCM": ("WAV", "IMA_ADPCM"),
    "8SVX": ("SVX", "PCM_16"), "SPHERE": ("NIST", "PCM_16"), "AVR": ("AVR", "PCM_16"),
    "VOC": ("VOC", "PCM_16"), "MPC2000": ("MPC2K", "PCM_16"),
}  # fmt: skip


def chirp(frames: int = FRAMES, seed: int = 0) -> np.ndarray:
    """A sound of which no two stretches are alike, quiet at first as takes are."""
    time = np.arange(frames) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.02, frames)
    loud = np.linspace(0.05, 0.5, frames)
    return (loud * np.sin(2 * np.pi * (200 + 900 * time) * time) + noise).astype(np.float32)


def encoded(kind: str, sound: np.ndarray, rate: int = RATE) -> bytes:
    """A sound as a file of one of `KINDS`."""
    file = io.BytesIO()
    form, subtype = _SUBTYPES[kind]
    mode = {"bitrate_mode": "VARIABLE", "compression_level": 0.3} if kind == "MP3 VBR" else {}
    soundfile.write(file, sound, rate, format=form, subtype=subtype, **mode)
    return without_xing(file.getvalue()) if kind == "MP3 VBR" else file.getvalue()


def without_xing(mp3: bytes) -> bytes:
    """An MP3 whose first frame, which counts the others, is gone."""
    at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    following = mp3.find(mp3[:2], at)
    return mp3[following:]


@dataclass(frozen=True)
class Mutant:
    """A file, and what must be true of whoever reads it without a word."""

    kind: str
    how: str
    data: bytes
    least_frames: int
    """Fewer than these, used without a note, are a silent part-read; 0 where nobody can say."""


Mutation = Callable[[bytes, np.random.Generator, str], tuple[bytes, int]]


def mutant(number: int, originals: dict[str, bytes]) -> Mutant:
    """The mutant of a number: always the same one."""
    random = np.random.default_rng(number)
    kind = KINDS[number % len(KINDS)]
    how = list(MUTATIONS)[number // len(KINDS) % len(MUTATIONS)]
    data, least = MUTATIONS[how](originals[kind], random, kind)
    return Mutant(kind, how, data, least)


def _flipped(data: bytes, random: np.random.Generator, kind: str, within: int) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        changed[random.integers(min(within, len(changed)))] ^= 1 << random.integers(8)
    return bytes(changed)


def _unless_uncounted(kind: str) -> int:
    return 0 if kind == "MP3 VBR" else FRAMES  # nothing in there counts its frames


def _header_bits(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    return _flipped(data, random, kind, 80), FRAMES


def _any_bits(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    return _flipped(data, random, kind, len(data)), _unless_uncounted(kind)


def _extreme_words(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    changed = bytearray(data)
    words = (0, 1, 0x7F, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 10**9, 48_000)
    for _ in range(int(random.integers(1, 4))):
        at = int(random.integers(0, 76)) & ~1
        order = "<I" if random.integers(2) else ">I"
        struct.pack_into(order, changed, at, words[random.integers(len(words))])
    return bytes(changed), FRAMES


def _cut(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    size = int(random.integers(1, len(data)))
    # Where a header counts, a cut file is one that ends too early; without one, it is only shorter.
    return data[:size], FRAMES if kind != "MP3 VBR" else int(0.8 * FRAMES * size / len(data)) - 3000


def _size_field(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    """Puts a size that says nothing where containers keep the size of their samples."""
    sizes = (0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0x80000000 - 36, 0xFFFFFFFF, 0xFFFFFFFE, 1, 999)
    size = int(sizes[random.integers(len(sizes))])
    changed = bytearray(data)
    if kind in {"WAV", "WAV 24", "WAV float"}:
        struct.pack_into("<I", changed, data.index(b"data") + 4, size)
    elif kind == "AU":
        struct.pack_into(">I", changed, 8, size)
    elif kind == "AIFF":
        struct.pack_into(">I", changed, data.index(b"SSND") + 4, (size + 8) & 0xFFFFFFFF)
    elif kind == "RF64":
        struct.pack_into("<Q", changed, data.index(b"ds64") + 16, size)
    elif kind == "FLAC":
        changed[21:26] = bytes([changed[21] & 0xF0]) + bytes(4)
    elif kind == "MP3":
        at = max(data.find(b"Xing"), data.find(b"Info")) + 8
        struct.pack_into(">I", changed, at, size)
    return bytes(changed), FRAMES


def _joined(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    times = int(random.integers(2, 5))
    return data * times, times * (FRAMES - 600)


def _junk_between(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    junk = random.bytes(int(random.integers(1, 5000)))
    tag = (b"", b"TAG".ljust(128, b" "), b"ID3\x03\x00\x00\x00\x00\x01\x00" + bytes(128))
    return data + tag[random.integers(3)] + junk, FRAMES - 600


def _hole(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    at, size = int(random.integers(0, len(data))), int(random.integers(1, 3000))
    return data[:at] + bytes(min(size, len(data) - at)) + data[at + size :], _unless_uncounted(kind)


def _left_out(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    at, size = int(random.integers(0, len(data))), int(random.integers(1, 3000))
    return data[:at] + data[at + size :], _unless_uncounted(kind)


def _repeated(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    at, size = int(random.integers(0, len(data))), int(random.integers(1, 3000))
    return data[:at] + data[at : at + size] + data[at:], 0


def _spliced(data: bytes, random: np.random.Generator, kind: str) -> tuple[bytes, int]:
    other = encoded(KINDS[random.integers(len(KINDS))], chirp(800, 1))
    at = int(random.integers(0, len(data)))
    return data[:at] + other[int(random.integers(0, len(other))) :], 0


MUTATIONS: dict[str, Mutation] = {
    "bits of the header": _header_bits,
    "bits anywhere": _any_bits,
    "extreme numbers": _extreme_words,
    "cut": _cut,
    "sizes that say nothing": _size_field,
    "joined": _joined,
    "tags and junk behind": _junk_between,
    "holes of zeros": _hole,
    "stretches left out": _left_out,
    "stretches repeated": _repeated,
    "two files spliced": _spliced,
}
