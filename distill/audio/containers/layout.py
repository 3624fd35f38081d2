"""What walking a container finds: the streams to decode, and what has to be said about them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from distill.audio.containers.virtual_file import Span, Stretch

CHANGED = "changed while it was read; wait until it is written, then try again"
"""Why a file is refused that was another when it was read once more."""


@dataclass(frozen=True)
class Part:
    """One stream of a file, as libsndfile should see it."""

    spans: tuple[Span, ...] | None = None
    """None: the file as it is."""
    frames: int | None = None
    """Frames that the container's own structure counts; None where it counts none."""


@dataclass(frozen=True)
class Layout:
    """The streams of a file, in order."""

    parts: tuple[Part, ...] = (Part(),)
    notes: tuple[str, ...] = ()
    """Words on what is used otherwise than the file says."""
    refusal: str = ""
    """Why the file is not to be decoded, where that can be known already."""
    sound_bytes: int = 0
    """At least as many bytes should be samples; 0 where nobody can say."""
    rest_at: int | None = None
    """Where another file begins that is joined to this one."""


@dataclass(frozen=True)
class Stream:
    """A stretch of an open file in which one container lies."""

    file: BinaryIO
    start: int
    end: int

    @classmethod
    def of(cls, file: BinaryIO) -> Stream:
        """A whole file."""
        return cls(file, 0, file.seek(0, os.SEEK_END))

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start

    def read(self, at: int, count: int) -> bytes:
        """Bytes from a place counted from the start of the stretch; fewer at its end."""
        at += self.start
        self.file.seek(at)
        return self.file.read(max(0, min(count, self.end - at)))

    def stretch(self, at: int, length: int | None = None) -> Stretch:
        """A part of the stretch as a span; None: to its end."""
        return Stretch(self.start + at, self.size - at if length is None else length)

    def part(self, at: int, length: int | None = None) -> Stream:
        """A stretch inside this one."""
        begin = self.start + at
        return Stream(self.file, begin, self.end if length is None else begin + length)


Walker = Callable[[Stream], Layout]
