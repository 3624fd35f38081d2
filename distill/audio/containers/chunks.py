"""How far the samples of a WAV, RF64, W64, AIFF, AU or CAF really go, whatever its header says.

A recorder that crashed leaves 0 there, one that writes into a pipe a size near 2^31 or 2^32, and
files beyond 4 GB the remainder. What lies between the chunk's beginning and the next thing that
is no sample is the sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from distill.audio.containers.layout import Layout, Part, Stream
from distill.audio.containers.trailing_data import ChunkShape, Follows, what_follows
from distill.audio.containers.virtual_file import Stretch

_NO_SAMPLES = "truncated: only its header is there; copy or export it again"
_SHORTFALL = 0.98
_NEAR = 1 << 16  # a header's worth beside a power of two is still "no idea"
_NO_SIZES = 0x7F00_0000, 1 << 31, 1 << 32  # the first is what SoX leaves in an AIFF
_SMALLEST_TAIL_S = 0.05
_LARGEST_HEADER = 1 << 26
_HEADER_SIGN = 16
_MOST_REPEATS = 4
_MOST_CHUNKS = 4096

Header = Callable[[bytes, int], bytes]
"""Makes the bytes before the samples say that so many bytes of samples follow."""


@dataclass(frozen=True)
class Samples:
    """Where a file's samples lie, by its header."""

    at: int
    declared: int
    """Bytes; may exceed the file."""
    frame_bytes: float
    rate: float
    header: Header
    shape: ChunkShape
    exact_end: bool = False
    """libsndfile takes what follows for samples, so it must not see it."""
    mended: bool = False
    """The header is wrong in another way, which `header` corrects."""
    name: bytes = b""
    """Of the chunk that the samples are in, where another of its name holds more of them."""
    skip: int = 0
    """Bytes between the head of such a chunk and its samples."""

    def seconds(self, size: float) -> float:
        """How long so many bytes of samples last."""
        per_second = self.frame_bytes * self.rate
        return size / per_second if per_second > 0 else 0.0


def chunks(stream: Stream, shape: ChunkShape, at: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks from a place on: name, place of the content, size by its head."""
    for _ in range(_MOST_CHUNKS):
        head = stream.read(at, shape.head)
        name = head[: shape.name_bytes]
        if len(head) < shape.head:
            if len(head) > shape.name_bytes:  # the file is cut amid a size
                yield name, at + shape.head, 0
            return
        size = int.from_bytes(head[shape.name_bytes :], shape.order)  # type: ignore[arg-type]
        size -= shape.head if shape.counts_itself else 0
        if size < 0:  # it does not even count itself: nobody filled it in
            yield name, at + shape.head, 0
            return
        yield name, at + shape.head, size
        at += shape.head + size
        at += -at % shape.align
        if at > stream.size:
            return


def walk_chunks(stream: Stream, found: Samples) -> Layout:
    """Finds out how far the samples really go.

    Args:
        stream: the file.
        found: what its header says.
    """
    there = stream.size - found.at
    if there < 0:
        return Layout(refusal=_NO_SAMPLES)
    if (between := _between_headers(stream, found)) is not None:
        return between
    if found.declared > there:
        return _short(stream, found, there)
    rest_at = found.at + found.declared
    if rest_at == stream.size:
        return Layout((_resized(stream, found, there),) if found.mended else (Part(),))
    if more := _more_samples(stream, found, rest_at):
        spans = [stream.stretch(found.at, found.declared), *more]
        header = found.header(stream.read(0, found.at), sum(span.length for span in spans))
        return Layout((Part((header, *spans)),))
    follows = what_follows(stream, rest_at, found.shape)
    if follows.kind is Follows.SOUND:
        return Layout((Part((stream.stretch(0, rest_at),)),), rest_at=follows.at)
    if follows.kind is Follows.NOTHING:
        is_empty = not found.declared and any(stream.read(rest_at, 4))  # zeros may be its silence
        cut = Part((stream.stretch(0, rest_at),))
        return Layout((cut,)) if found.exact_end or is_empty else Layout()
    tail = there - found.declared
    if found.declared and found.seconds(tail) < _SMALLEST_TAIL_S:
        said = (f"{tail} bytes behind its sound are not used",) if tail >= found.frame_bytes else ()
        parts = (Part((stream.stretch(0, rest_at),)),) if found.exact_end else (Part(),)
        return Layout(parts, said)
    notes: tuple[str, ...] = ()
    if found.declared:
        promised_s, found_s = found.seconds(found.declared), found.seconds(there)
        notes = (
            f"its header says {promised_s:.2f} s, but sound goes on to the end of the file: "
            f"read as {found_s:.2f} s",
        )
    return Layout((_resized(stream, found, there),), notes)


def _more_samples(stream: Stream, found: Samples, at: int) -> list[Stretch]:
    """Further chunks of samples behind the first: some writers make them against the standard."""
    if not found.name or found.at > _LARGEST_HEADER:
        return []
    more = []
    for name, begin, size in chunks(stream, found.shape, at + -at % found.shape.align):
        if name == found.name and (length := min(size, stream.size - begin) - found.skip) > 0:
            more.append(stream.stretch(begin + found.skip, length))
    return more


def _between_headers(stream: Stream, found: Samples) -> Layout | None:
    """The sound of a file whose header stands there several times; None where it does not.

    A writer corrects its header when it is done. SoX does so with CAF and W64 in a pipe too, where
    it cannot go back: each correction lands among the samples, the last one behind them.
    """
    begin, end = found.at, stream.size
    head = stream.read(0, _HEADER_SIGN)

    def is_header(at: int) -> bool:
        other = stream.read(at, _HEADER_SIGN)
        # Bytes 4 to 8 are a size where there is one.
        return len(other) == _HEADER_SIGN and other[:4] == head[:4] and other[8:] == head[8:]

    for _ in range(_MOST_REPEATS):
        if found.at < _HEADER_SIGN or not is_header(begin):
            break
        begin += found.at
    if begin == found.at or begin > end:
        return None
    if end - found.at >= begin and is_header(end - found.at):
        end -= found.at
    if found.at > _LARGEST_HEADER:
        return None
    header = found.header(stream.read(0, found.at), end - begin)
    return Layout((Part((header, stream.stretch(begin, end - begin))),))


def _short(stream: Stream, found: Samples, there: int) -> Layout:
    made = _resized(stream, found, there)
    if _is_no_size(found.declared):
        return Layout((made,))
    whole, part = (_length(found, size) for size in (found.declared, there))
    if there < max(1.0, found.frame_bytes):
        return Layout(refusal=_NO_SAMPLES)
    if there < _SHORTFALL * found.declared:
        return Layout(
            refusal=f"truncated: its header promises {whole}, {part} are there; copy or export "
            "it again"
        )
    missing = found.declared - there
    note = f"used {part} of {whole}: the end is missing in the file"
    return Layout((made,), (note,) if missing >= found.frame_bytes else ())


def _length(found: Samples, size: int) -> str:
    """In seconds; in bytes where packets of any size lie there."""
    return f"{found.seconds(size):.2f} s" if found.seconds(size) else f"{size} bytes"


def _is_no_size(size: int) -> bool:
    """Whether a size is one that writers leave who do not know it."""
    return any(abs(size - known) <= _NEAR for known in _NO_SIZES) or size >= 1 << 60


def _resized(stream: Stream, found: Samples, size: int) -> Part:
    if found.at > _LARGEST_HEADER:
        return Part()
    header = found.header(stream.read(0, found.at), size)
    return Part((header, stream.stretch(found.at, size)))
