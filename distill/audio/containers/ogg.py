"""Ogg: pages, and the streams chained one behind the other (RFC 3533)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from distill.audio.containers.chunk_headers import RIFF
from distill.audio.containers.layout import Layout, Part, Stream
from distill.audio.containers.trailing_data import Follows, what_follows
from distill.audio.containers.virtual_file import Span, Stretch

_READ = 1 << 20
_LARGEST_PAGE = 27 + 255 + 255 * 255
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """One page, as it lies in the file."""

    at: int
    size: int
    flags: int
    granule: int
    serial: int
    number: int
    body: bytes
    whole: bool
    sound: bool
    """Whether its checksum is right."""


@dataclass
class _Link:
    """One of the streams that follow one another, with what has to be said of it."""

    at: int
    end: int
    serial: int
    rate: int
    number: int
    closed: bool = False
    cut: bool = False
    granule: int = 0
    damaged: int = 0
    lost: int = 0
    bad_at: int = 0
    flac: bytes = b""
    """The head of a FLAC file, where the stream is one in pages."""
    spans: list[Span] = field(default_factory=list)
    """Of a FLAC file, behind its head."""
    own: list[Stretch] = field(default_factory=list)
    """Its pages, where others lie between them."""
    is_mixed: bool = False
    """Whether there are pages that libsndfile must not see."""
    beside: int = 0
    """Other streams of sound at the same time."""
    wrong_end: bool = False
    """Whether its last page counts less than the one before: taken at its word it takes away."""
    open_end: bool = False
    """Whether its last page says of no sample in it that it ends there: none of them is played."""

    @property
    def seconds(self) -> float:
        return max(0, self.granule) / self.rate if self.rate else 0.0


def walk_ogg(stream: Stream) -> Layout:
    """Finds the chained streams, and pages that are damaged, missing or cut."""
    links = _links(stream)
    if not links:
        return Layout()
    last = links[-1]
    if last.cut and not last.closed:
        return Layout(
            refusal="truncated: the last page of its Ogg stream is missing; copy or export it again"
        )
    notes = tuple(note for link in links for note in _notes(link))
    if len(links) == 1:
        parts: tuple[Part, ...] = (Part(),)
        if last.flac or last.is_mixed:
            parts = (_part(stream, last),)
        elif last.at or (last.end < stream.size and stream.size - last.end > _LARGEST_PAGE):
            parts = (Part((stream.stretch(last.at, last.end - last.at),)),)
    else:
        parts = tuple(_part(stream, link) for link in links)
    if last.end < stream.size:
        follows = what_follows(stream, last.end, RIFF)
        if follows.kind is Follows.SOUND and stream.read(follows.at, 4) != b"OggS":
            return Layout((*parts[:-1], _part(stream, last)), notes, rest_at=follows.at)
    return Layout(parts, notes)


def _part(stream: Stream, link: _Link) -> Part:
    """A stream alone; FLAC without its pages, which not every libsndfile takes off."""
    if not link.flac and link.is_mixed:
        return Part(tuple(link.own))
    if not link.flac:
        return Part((stream.stretch(link.at, link.end - link.at),))
    counts = int.from_bytes(link.flac[18:26], "big") >> 36 << 36
    counts |= max(0, link.granule) & (1 << 36) - 1
    return Part((link.flac[:18] + counts.to_bytes(8, "big") + link.flac[26:], *link.spans))


def _links(stream: Stream) -> list[_Link]:
    links: list[_Link] = []
    link: _Link | None = None
    in_headers = False
    for page in pages(stream):
        if page.flags & _FIRST and not in_headers and page.sound:
            rate = _rate(page.body)
            link = _Link(page.at, page.at, page.serial, rate, page.number)
            links.append(link)
            in_headers = True
        elif not page.flags & _FIRST:
            in_headers = False
        if link is None:
            continue
        if page.flags & _FIRST and page.sound and (rate := _rate(page.body)):
            if not link.rate:
                link.serial, link.rate, link.number = page.serial, rate, page.number
                link.own, link.is_mixed = [], True  # what came before it is no sound
            elif page.serial != link.serial:
                link.beside += 1
        if not page.whole:
            link.cut = link.cut or page.serial == link.serial
            continue
        link.end = page.at + page.size
        _take(stream, link, page)
    return links


def _take(stream: Stream, link: _Link, page: Page) -> None:
    before = link.number
    _count(link, page)
    if not page.sound:
        return
    if page.serial != link.serial:
        link.is_mixed = True
    elif page.flags & _FIRST and page.body.startswith(b"\x7fFLAC"):
        link.flac = page.body[9:]
    elif link.wrong_end or (page.number == before and not page.flags & _FIRST):
        link.is_mixed = True  # a page that came twice is sound but once
    elif link.flac:
        link.spans.append(stream.stretch(link.end - len(page.body), len(page.body)))
    else:
        _append(link.own, stream.stretch(page.at, page.size))


def _append(spans: list[Stretch], span: Stretch) -> None:
    last = spans[-1] if spans else None
    if last and last.start + last.length == span.start:
        spans[-1] = Stretch(last.start, last.length + span.length)
    else:
        spans.append(span)


def _count(link: _Link, page: Page) -> None:
    if not page.sound:
        link.bad_at = link.bad_at or max(1, link.granule)
        link.damaged += 1
        return
    if page.serial != link.serial:
        return
    if page.number > link.number + 1:
        link.bad_at = link.bad_at or max(1, link.granule)
        link.lost += page.number - link.number - 1
    link.number = page.number
    link.closed = link.closed or bool(page.flags & _LAST)
    if page.flags & _LAST and 0 <= page.granule < link.granule:
        link.wrong_end = True
    elif page.flags & _LAST and page.granule < 0 and page.body:
        link.open_end = True
    elif page.granule >= 0:
        link.granule = page.granule


def _notes(link: _Link) -> Iterator[str]:
    at_s = link.bad_at / link.rate if link.rate else 0.0
    if link.damaged:
        count = "a page" if link.damaged == 1 else f"{link.damaged} pages"
        yield f"{count} of its Ogg stream damaged at {at_s:.2f} s: what is in there is not used"
    lost = link.lost - link.damaged  # a damaged page leaves a hole in the numbers, too
    if lost > 0:
        count = "a page" if lost == 1 else f"{lost} pages"
        yield f"{count} of its Ogg stream missing at {at_s:.2f} s"
    if link.wrong_end:
        yield f"its last page counts wrong and is not used: used {link.seconds:.2f} s"
    if link.open_end:
        yield f"its last page does not say where it ends: used {link.seconds:.2f} s"
    if link.beside:
        count = "another stream" if link.beside == 1 else f"{link.beside} more streams"
        yield f"{count} of sound beside its first: not used; split it to use all"
    if not link.closed:
        yield f"its Ogg stream was never closed: used {link.seconds:.2f} s, all that is there"


def pages(stream: Stream) -> Iterator[Page]:
    """The pages of a stream in order; bytes between them are passed over."""
    buffer, begin, at = b"", 0, 0
    while True:
        if at - begin + _LARGEST_PAGE > len(buffer) and begin + len(buffer) < stream.size:
            buffer, begin = stream.read(at, _READ), at
        place = buffer.find(b"OggS", at - begin)
        if place < 0:
            if begin + len(buffer) >= stream.size:
                return
            at = max(at, begin + len(buffer) - 3)
            buffer, begin = stream.read(at, _READ), at
            continue
        if place != at - begin:
            at = begin + place
            continue
        page = _page(buffer[place : place + _LARGEST_PAGE], at)
        if page is None:
            at += 4
            continue
        yield page
        at += page.size if page.whole and page.sound else 4


def _page(data: bytes, at: int) -> Page | None:
    if len(data) >= 5 and data[4]:
        return None  # a version that does not exist
    lengths = data[27 : 27 + data[26]] if len(data) > 26 else b""
    whole = len(data) > 26 and len(lengths) == data[26]
    size = 27 + len(lengths) + sum(lengths)
    whole = whole and len(data) >= size
    head = data[:27].ljust(27, b"\0")
    page = data[:size]
    return Page(
        at=at,
        size=size,
        flags=head[5],
        granule=int.from_bytes(head[6:14], "little", signed=True),
        serial=int.from_bytes(head[14:18], "little"),
        number=int.from_bytes(head[18:22], "little"),
        body=page[27 + len(lengths) :],
        whole=whole,
        sound=whole and _crc(page) == int.from_bytes(head[22:26], "little"),
    )


def _crc(page: bytes) -> int:
    """Ogg's checksum: the polynomial of zlib's, with every bit order reversed and no inversions."""
    blank = page[:22] + bytes(4) + page[26:]
    reflected = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def _rate(body: bytes) -> int:
    """Granules a second of an audio stream, by its first packet; 0: not one of sound."""
    if body[:7] == b"\x01vorbis":
        return int.from_bytes(body[12:16], "little")
    if body[:8] == b"OpusHead":
        return 48_000
    if body[:5] == b"\x7fFLAC":
        return int.from_bytes(body[27:30], "big") >> 4
    if body[:8] == b"Speex   ":
        return int.from_bytes(body[36:40], "little")
    return 0
