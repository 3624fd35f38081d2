"""A file as libsndfile should see it: stretches of the real one, and bytes put in their place."""

from __future__ import annotations

import bisect
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class Stretch:
    """Bytes of the real file."""

    start: int
    length: int


Span = bytes | Stretch


class Window:
    """A read-only file made of spans; only what is asked for is ever read.

    libsndfile calls it from C, where no exception can pass: a failed read ends the file there,
    and `error` holds the reason.
    """

    def __init__(self, file: BinaryIO, spans: Sequence[Span]) -> None:
        self._file = file
        self._spans = [span for span in spans if _length(span)]
        self._starts = [0]
        for span in self._spans:
            self._starts.append(self._starts[-1] + _length(span))
        self._at = 0
        self.error: OSError | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self._starts[-1]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a place, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The place of the next read."""
        return self._at

    def read(self, count: int = -1) -> bytes:
        """Up to `count` bytes; fewer only at the end."""
        count = self.size - self._at if count < 0 else count
        parts = []
        while count > 0 and self._at < self.size:
            part = self._read_span(count)
            if not part:
                break
            parts.append(part)
            count -= len(part)
            self._at += len(part)
        return b"".join(parts)

    def _read_span(self, count: int) -> bytes:
        number = bisect.bisect_right(self._starts, self._at) - 1
        span, inside = self._spans[number], self._at - self._starts[number]
        count = min(count, _length(span) - inside)
        if isinstance(span, bytes):
            return span[inside : inside + count]
        try:
            self._file.seek(span.start + inside)
            return self._file.read(count)
        except OSError as error:
            self.error = error
            return b""


def _length(span: Span) -> int:
    return len(span) if isinstance(span, bytes) else span.length
