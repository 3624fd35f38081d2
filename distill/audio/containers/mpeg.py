"""MP3 and its sisters: frames, one behind the other, and nothing that says where they end.

What a header in front of them promises may be absent, wrong, or true of the first of several
streams only. So the frames are walked from the first to the last.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator

from distill.audio.containers.layout import CHANGED, Layout, Part, Stream
from distill.audio.containers.mpeg_frames import (
    Frame,
    added_samples,
    frame_of,
    is_info,
    promised_frames,
)
from distill.audio.containers.mpeg_runs import FrameRun, part_of

_READ = 1 << 20
_SURE = 3  # this many fitting headers in a row are no accident
_START_BYTES = 1 << 14
_SMALLEST_FRAME = 96
_SMALL_GAP = 2881  # a frame of the largest size: what is left of one where a stream was cut
_FOOTER = 0x10
_MOST_PADDING = 1 << 24
_SYNC = re.compile(rb"\xff[\xe2-\xff]")


class _Bytes:
    """A stream read once, from front to back, by a view that goes with it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""
        self._begin = 0
        self.size = stream.size

    def at(self, place: int, count: int) -> bytes:
        inside = place - self._begin
        if inside < 0 or inside + count > len(self._buffer):
            self._buffer, self._begin = self._stream.read(place, max(_READ, count)), place
            inside = 0
        return self._buffer[inside : inside + count]


def walk_mpeg(stream: Stream) -> Layout | None:
    """Walks the frames of a stream; None where there are none."""
    walk = _Walk(stream)
    if not walk.starts():
        return None
    walk.to_the_end()
    return Layout(refusal=CHANGED) if walk.changed else _layout(stream, walk)


class _Walk:
    def __init__(self, stream: Stream) -> None:
        self._bytes = _Bytes(stream)
        self._size = stream.size
        self._at = 0
        self.runs: list[FrameRun] = []
        self.gaps: list[tuple[float, int]] = []
        self.cut = False
        self.changed = False
        """Whether a frame was another when it was read once more."""
        self.plain = True

    def starts(self) -> bool:
        """Whether frames begin where they should: behind tags, and at most a little rubbish."""
        tags = []
        while skipped := self._tag(self._at):
            tags.append(self._bytes.at(self._at, 6))
            self._at += skipped
        padded = self._zeros(self._at)
        self._at += padded
        found = self._next_sure(self._at, self._at + _START_BYTES)
        if found is None:
            return False
        # libsndfile looks for frames behind one such tag, and not far.
        known = not tags or (len(tags) == 1 and tags[0][:3] == b"ID3" and not tags[0][5] & _FOOTER)
        self.plain = known and found == self._at and not padded
        if found - self._at > _SMALLEST_FRAME:
            self.gaps.append((0.0, found - self._at))
        self._at = found
        return True

    def to_the_end(self) -> None:
        """Takes every frame there is."""
        run: FrameRun | None = None
        while self._at < self._size - 3:
            frame = frame_of(self._bytes.at(self._at, 4))
            if frame and (run is None or frame.kind != run.kind):
                run = self._new(frame) if self._is_sure(self._at) else None
                frame = frame if run else None
            if frame is None or run is None:
                skipped = self._skip()
                run = None if skipped else run
                if skipped is None:
                    return
                continue
            if self._at + frame.size > self._size:
                self.cut = True
                return
            data = self._bytes.at(self._at, frame.size)
            if len(data) < frame.size or frame_of(data[:4]) != frame:
                self.changed = True
                return
            run = self._take(data, frame, run)

    def _take(self, data: bytes, frame: Frame, run: FrameRun) -> FrameRun:
        if is_info(data, frame):
            if run.frames or run.info:
                run = self._new(frame)
            run.info, run.promised = data, promised_frames(data, frame)
            run.added = added_samples(data, frame)
        else:
            run.first = run.first or data[:4]
            run.take(self._at, frame.size)
        self._at += frame.size
        return run

    def _new(self, frame: Frame) -> FrameRun:
        run = FrameRun(frame.kind, frame.samples)
        self.runs.append(run)
        return run

    def _skip(self) -> bool | None:
        """Passes over what is no frame.

        Returns:
            None at the end; True where a tag was passed, behind which a new stream begins.
        """
        if skipped := self._tag(self._at):
            self._at += skipped
            return True
        found = self._next_sure(self._at, self._size)
        end = self._size if found is None else found
        # Between frames nothing else belongs; behind the last there may be padding and rubbish.
        is_end = found is None
        small = is_end and end - self._at <= _SMALL_GAP
        if not small and not (is_end and self._is_padding(self._at, end)):
            self.gaps.append((sum(run.seconds for run in self.runs), end - self._at))
        self.plain = self.plain and found is None
        self._at = end
        return None if found is None else False

    def _tag(self, at: int) -> int:
        head = self._bytes.at(at, 32)
        if head[:3] == b"ID3" and len(head) >= 10:
            size = functools.reduce(lambda sum_, byte: sum_ << 7 | byte & 0x7F, head[6:10], 0)
            return 10 + size + (10 if head[5] & _FOOTER else 0)
        if head[:8] == b"APETAGEX" and len(head) == 32:
            size, flags = struct.unpack("<I4xI", head[12:24])
            return 32 + (size if flags & 0x2000_0000 else 0)
        if head[:3] == b"TAG":
            return 128
        if head[:11] == b"LYRICSBEGIN":
            text = self._bytes.at(at, 1 << 16)
            end = max(text.find(b"LYRICS200"), text.find(b"LYRICSEND"))
            return end + 9 if end > 0 else 0
        return 0

    def _is_sure(self, at: int) -> bool:
        """Whether several frames of one kind follow one another, or reach the end."""
        kind = None
        for number in range(_SURE):
            frame = frame_of(self._bytes.at(at, 4))
            if frame is None:
                return number > 0 and (at >= self._size or bool(self._tag(at)))
            if kind not in (None, frame.kind):
                return False
            kind = frame.kind
            at += frame.size
        return True

    def _next_sure(self, at: int, end: int) -> int | None:
        while at < end:
            block = self._bytes.at(at, min(1 << 16, end - at))
            if len(block) < 4:
                return None
            for match in _SYNC.finditer(block):
                if self._is_sure(at + match.start()):
                    return at + match.start()
            at += max(1, len(block) - 3)
        return None

    def _zeros(self, at: int) -> int:
        """How many bytes from a place on are zeros."""
        begin, end = at, min(self._size, at + _MOST_PADDING)
        while at < end and (block := self._bytes.at(at, min(_READ, end - at))):
            at += len(block) - len(block.lstrip(b"\0"))
            if block.strip(b"\0"):
                break
        return at - begin

    def _is_padding(self, at: int, end: int) -> bool:
        block = self._bytes.at(at, min(_READ, end - at))
        return not block.strip(b"\0") or not block.strip(b"\xff")


def _layout(stream: Stream, walk: _Walk) -> Layout:
    runs = [run for run in walk.runs if run.frames]
    if not runs:
        return Layout(refusal="0 samples: its frames are all empty; copy or export it again")
    notes = []
    if walk.gaps:
        size, at_s = sum(gap for _, gap in walk.gaps), walk.gaps[0][0]
        where = f"at {at_s:.2f} s" if len(walk.gaps) == 1 else f"from {at_s:.2f} s on"
        notes.append(f"{size} bytes {where} are no frames of sound: what was there is not used")
    last = runs[-1]
    if last.promised and last.frames < 0.98 * last.promised:
        promised_s = last.seconds_of(last.promised)
        if walk.cut or last.lacks_bytes:
            before_s = sum(run.seconds for run in runs[:-1])
            return Layout(
                refusal=f"truncated: its header promises {before_s + promised_s:.2f} s, "
                f"{before_s + last.seconds:.2f} s are there; copy or export it again"
            )
        notes.append(
            f"its header promises {promised_s:.2f} s: used {last.seconds:.2f} s, all that is there"
        )
    if walk.cut and not last.info:
        notes.append("its last frame is cut off: all before it is used")
    if len(runs) == 1 and walk.plain and last.info[36:40] != b"VBRI":
        if last.is_even and not last.info:
            return Layout((Part(frames=last.frames * last.samples),), tuple(notes))
        if last.promised == last.frames and last.ranges[0][1] > 0.995 * stream.size:
            return Layout(notes=tuple(notes))
    return Layout(tuple(part_of(stream, run) for run in runs), tuple(notes))


def frames_of(stream: Stream) -> Iterator[int]:
    """Frames of each stream that follow one another; for tests and measurements."""
    walk = _Walk(stream)
    if walk.starts():
        walk.to_the_end()
        yield from (run.frames for run in walk.runs)
