"""What lies behind the samples of a file: chunks, tags, padding, another sound, or more of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from distill.audio.containers.layout import Stream

SOUND_MAGIC = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b"riff",
    b"FORM",
    b"fLaC",
    b"OggS",
    b".snd",
    b"caff",
    b"NIST",
    b"2BIT",
)
_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICS", b"distill-reconstruction")
_BLOCK = 1 << 20
_MOST_CHUNKS = 4096


class Follows(enum.Enum):
    """Kinds of what follows."""

    NOTHING = "nothing that is sound"
    SOUND = "another file of sound"
    UNKNOWN = "bytes that are neither"


@dataclass(frozen=True)
class What:
    """What follows, and where it begins."""

    kind: Follows
    at: int


@dataclass(frozen=True)
class ChunkShape:
    """How a container writes the head of a chunk."""

    name_bytes: int = 4
    size_bytes: int = 4
    order: str = "little"
    counts_itself: bool = False
    align: int = 2

    @property
    def head(self) -> int:
        """Bytes before a chunk's content."""
        return self.name_bytes + self.size_bytes


def what_follows(stream: Stream, at: int, shape: ChunkShape) -> What:
    """Looks at the bytes from a place to the end of the stream."""
    for start in (at, at + -at % shape.align):
        if stream.read(start, 4) in SOUND_MAGIC and stream.size - start > 44:
            return What(Follows.SOUND, start)
    if any(stream.read(at, 24).startswith(tag) for tag in _TAGS):
        return What(Follows.NOTHING, at)
    starts = {at, at + -at % shape.align}
    if any(_is_chain(stream, start, shape) for start in starts) or _is_zeros(stream, at):
        return What(Follows.NOTHING, at)
    return What(Follows.UNKNOWN, at)


def _is_chain(stream: Stream, at: int, shape: ChunkShape) -> bool:
    """Whether chunks follow one another up to the end, give or take padding."""
    for _ in range(_MOST_CHUNKS):
        head = stream.read(at, shape.head)
        if len(head) < shape.head:
            return not any(head)
        if not any(head):
            return _is_zeros(stream, at)
        if not all(32 <= sign < 127 for sign in head[:4]):
            return False
        size = int.from_bytes(head[shape.name_bytes :], shape.order)  # type: ignore[arg-type]
        at += size if shape.counts_itself else shape.head + size
        at += -at % shape.align
        if at >= stream.size:
            return at - stream.size < shape.align
    return False


def _is_zeros(stream: Stream, at: int) -> bool:
    while block := stream.read(at, _BLOCK):
        if any(block):
            return False
        at += len(block)
    return True
