"""Whole lines of an event log, of which the last may still be being written."""

from __future__ import annotations

import os
from typing import BinaryIO

PIECE_BYTES = 1 << 20
LONGEST_LINE_BYTES = 256 << 20
"""Of a line that is passed over; no event is a thousandth of that."""
TOO_LONG = b"(a line too long to be an event)"
"""What `read_lines` gives in the place of such a line."""


def read_lines(log: BinaryIO, offset: int, limit: int) -> tuple[list[bytes], int]:
    """Whole lines of an open log from a byte offset on, and the offset to read on from.

    Args:
        log: opened to read.
        offset: where the last reading ended.
        limit: bytes to read at most; -1 reads to the end. A line that is longer is passed over, in
            pieces, and `TOO_LONG` stands in its place.
    """
    log.seek(offset)
    data = log.read(limit)
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) == limit:
        return [TOO_LONG], offset + limit + _to_end_of_line(log)
    return data[: end - 1].split(b"\n") if end else [], offset + end


def _to_end_of_line(log: BinaryIO) -> int:
    """Bytes up to the end of the line, or of the file.

    A hole of terabytes takes no room on a disk, and would take hours to be read: where a line goes
    on for too long, all that is left of the file is passed over.
    """
    passed, begin = 0, log.tell()
    while piece := log.read(PIECE_BYTES):
        end = piece.find(b"\n") + 1
        if end:
            return passed + end
        passed += len(piece)
        if passed >= LONGEST_LINE_BYTES:
            return log.seek(0, os.SEEK_END) - begin
    return passed
