"""Finds out what container a file is, and walks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from distill.audio.containers import chunks
from distill.audio.containers.layout import Layout, Stream
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
    finder = _FINDERS.get(magic)
    if finder is not None:
        found = finder(stream)
        return chunks.walk_chunks(stream, found) if found is not None else Layout()
    return Layout()
