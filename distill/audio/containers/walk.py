"""Finds out what container a file is, and walks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from distill.audio.containers import chunks
from distill.audio.containers.flac import walk_flac
from distill.audio.containers.follows import SOUND_MAGIC
from distill.audio.containers.layout import Layout, Stream
from distill.audio.containers.mpeg import walk_mpeg
from distill.audio.containers.ogg import walk_ogg
from distill.audio.endings import HEAD_BYTES, foreign

_FINDERS: dict[bytes, Callable[[Stream], chunks.Samples | None]] = {
    b"RIFF": chunks.find_wav,
    b"RIFX": chunks.find_wav,
    b"RF64": chunks.find_wav,
    b"BW64": chunks.find_wav,
    b"riff": chunks.find_w64,
    b"FORM": chunks.find_aiff,
    b".snd": chunks.find_au,
    b"dns.": chunks.find_au,
    b"caff": chunks.find_caf,
}


def walk(file: BinaryIO) -> Layout:
    """What an open file holds, by its own structure and not by what its header promises."""
    return walk_stream(Stream.of(file))


def walk_stream(stream: Stream) -> Layout:
    """What a stretch of a file holds; parts without spans are the stretch as it is."""
    head = stream.read(0, HEAD_BYTES)
    if reason := foreign(head):
        return Layout(refusal=reason)
    magic = head[:4]
    if magic == b"OggS":
        return walk_ogg(stream)
    if magic == b"fLaC":
        return walk_flac(stream)
    if (finder := _FINDERS.get(magic)) is not None:
        found = finder(stream)
        return chunks.walk_chunks(stream, found) if found is not None else Layout()
    if magic[:3] == b"ID3" and (inner := _behind_tag(stream, head)) is not None:
        return inner
    return walk_mpeg(stream) or Layout()


def _behind_tag(stream: Stream, head: bytes) -> Layout | None:
    """What some programs make: a tag as of an MP3 in front of another kind of file."""
    size = 10 + sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
    if stream.read(size, 4) not in SOUND_MAGIC:
        return None
    return chunks.joined(stream, Layout(parts=()), size)
