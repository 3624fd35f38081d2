"""Finds out what container a file is, and walks it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import BinaryIO

from distill.audio.containers import chunk_headers, old_headers
from distill.audio.containers.chunks import Samples, walk_chunks
from distill.audio.containers.flac import walk_flac
from distill.audio.containers.layout import Layout, Part, Stream
from distill.audio.containers.mpeg import walk_mpeg
from distill.audio.containers.ogg import walk_ogg
from distill.audio.containers.trailing_data import SOUND_MAGIC
from distill.audio.file_types import HEAD_BYTES, foreign

_FINDERS: dict[bytes, Callable[[Stream], Samples | None]] = {
    b"RIFF": chunk_headers.find_wav,
    b"RIFX": chunk_headers.find_wav,
    b"RF64": chunk_headers.find_wav,
    b"BW64": chunk_headers.find_wav,
    b"riff": chunk_headers.find_w64,
    b"FORM": chunk_headers.find_aiff,
    b".snd": chunk_headers.find_au,
    b"dns.": chunk_headers.find_au,
    b"caff": chunk_headers.find_caf,
    **old_headers.OLD_FORMATS,
}


_LARGE_HEADER = 4096
MOST_PARTS = 4096
"""Files with more streams than that are read up to there, and said to be."""


def walk(file: BinaryIO) -> Layout:
    """What an open file holds, by its own structure and not by what its header promises."""
    stream = Stream.of(file)
    layout = _walk_one(stream)
    if layout.refusal:
        return layout
    parts, notes = _placed(stream, layout), list(layout.notes)
    while layout.rest_at is not None and len(parts) <= MOST_PARTS:
        stream = stream.part(layout.rest_at)
        layout = _walk_one(stream)
        if layout.refusal:
            if not parts:
                return layout
            notes.append(f"what is joined to it is not used: {layout.refusal}")
            break
        parts += _placed(stream, layout)
        notes += layout.notes
    if len(parts) > MOST_PARTS:
        notes.append(f"only the first {MOST_PARTS} of its streams are used")
    return Layout(tuple(parts[:MOST_PARTS]), tuple(notes), sound_bytes=layout.sound_bytes)


def _placed(stream: Stream, layout: Layout) -> list[Part]:
    """The parts of a layout, where they lie in the file."""
    whole = stream.start == 0 and layout.rest_at is None
    span = stream.stretch(0, layout.rest_at)
    return [part if part.spans or whole else Part((span,), part.frames) for part in layout.parts]


def _walk_one(stream: Stream) -> Layout:
    """What the first file in a stretch holds; parts without spans are the stretch as it is."""
    head = stream.read(0, HEAD_BYTES)
    if reason := foreign(head):
        return Layout(refusal=reason)
    magic = head[:4]
    if magic == b"OggS":
        return walk_ogg(stream)
    if magic == b"fLaC":
        return walk_flac(stream)
    if (finder := _finder(head)) is not None:
        found = finder(stream)
        if found is None:
            return Layout(sound_bytes=max(0, stream.size - _LARGE_HEADER))
        layout = walk_chunks(stream, found)
        return dataclasses.replace(layout, sound_bytes=max(0, stream.size - _LARGE_HEADER))
    if magic[:3] == b"ID3" and (inner_at := _behind_tag(stream, head)) is not None:
        return Layout(parts=(), rest_at=inner_at)
    return walk_mpeg(stream) or Layout()


def _finder(head: bytes) -> Callable[[Stream], Samples | None] | None:
    if head[:4] == b"FORM" and head[8:12] in {b"8SVX", b"16SV"}:
        return old_headers.find_svx
    if head[:2] == old_headers.MPC_MAGIC:
        return old_headers.find_mpc
    return _FINDERS.get(head[:4])


def _behind_tag(stream: Stream, head: bytes) -> int | None:
    """Where another kind of file begins that some program put behind a tag as of an MP3."""
    size = 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
    return size if stream.read(size, 4) in SOUND_MAGIC else None
