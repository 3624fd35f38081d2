"""MP3 and its sisters: frames, one behind the other, and nothing that says where they end.

What a header in front of them promises may be absent, wrong, or true of the first of several
streams only. So the frames are walked from the first to the last.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from distill.audio.containers.layout import CHANGED, Layout, Part, Stream
from distill.audio.containers.virtual_file import Span

_READ = 1 << 20
_SURE = 3  # this many fitting headers in a row are no accident
_START_BYTES = 1 << 14
_SMALLEST_FRAME = 96
_SMALL_GAP = 2881  # a frame of the largest size: what is left of one where a stream was cut
_SYNC = re.compile(rb"\xff[\xe2-\xff]")
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class Frame:
    """What a frame's four bytes say."""

    kind: tuple[int, int, int, int]
    """Version and layer as coded, samples a second, channels."""
    size: int
    samples: int
    info_at: int
    """Where Xing's header would lie; 0: not in this layer."""


@dataclass
class _Run:
    """Frames of one stream."""

    kind: tuple[int, int, int, int]
    samples: int
    frames: int = 0
    promised: int | None = None
    added: tuple[int, int] = (0, 0)
    """Samples in front and at the end."""
    info: bytes = b""
    first: bytes = b""
    ranges: list[list[int]] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)

    @property
    def lacks_bytes(self) -> bool:
        """Whether the header counts bytes that are not there: the file was cut."""
        at = _frame(self.info).info_at + 8 if self.info[36:40] != b"VBRI" else 0
        if not at or self.info[at - 1] & 3 != 3:
            return False
        there = len(self.info) + self.ranges[-1][1] - self.ranges[0][0]
        return there < 0.98 * int.from_bytes(self.info[at + 4 : at + 8], "big")

    @property
    def is_even(self) -> bool:
        """Whether all frames have one bit rate, so that their size tells their number."""
        return max(self.sizes) - min(self.sizes) <= 1

    @property
    def seconds(self) -> float:
        return self.seconds_of(self.frames)

    def seconds_of(self, frames: int) -> float:
        """How long so many frames last, without what the encoder added at the ends."""
        return max(0, frames * self.samples - sum(self.added)) / self.kind[2]

    def take(self, at: int, size: int) -> None:
        """The next frame, from `at` on."""
        self.frames += 1
        self.sizes.add(size)
        if self.ranges and self.ranges[-1][1] == at:
            self.ranges[-1][1] = at + size
        else:
            self.ranges.append([at, at + size])


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


@functools.lru_cache(maxsize=4096)
def frame_of(head: bytes) -> Frame | None:
    """Reads the four bytes of a frame; None: they are none, or of a size they do not say."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits, rate_code = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or rate_code == 3 or bits in {0, 15}:
        return None
    return _frame(head)


def _frame(head: bytes) -> Frame:
    """What the four bytes that begin a frame say."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits, rate_code = head[2] >> 4, head[2] >> 2 & 3
    rate = _RATES[version][rate_code]
    bit_rate = _KBITS[version == 3, layer][bits - 1] * 1000
    padding = head[2] >> 1 & 1
    channels = 1 if head[3] >> 6 == 3 else 2
    if layer == 3:
        size, samples = (12 * bit_rate // rate + padding) * 4, 384
    elif layer == 1 and version != 3:
        size, samples = 72 * bit_rate // rate + padding, 576
    else:
        size, samples = 144 * bit_rate // rate + padding, 1152
    side = {(True, 2): 32, (True, 1): 17, (False, 2): 17, (False, 1): 9}[version == 3, channels]
    return Frame((version, layer, rate, channels), size, samples, 4 + side if layer == 1 else 0)


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
        self.runs: list[_Run] = []
        self.gaps: list[tuple[float, int]] = []
        self.cut = False
        self.changed = False
        """Whether a frame was another when it was read once more."""
        self.plain = True

    def starts(self) -> bool:
        """Whether frames begin where they should: behind tags, and at most a little rubbish."""
        while skipped := self._tag(self._at):
            self._at += skipped
        found = self._next_sure(self._at, self._at + _START_BYTES)
        if found is None:
            return False
        self.plain = found == self._at
        if found - self._at > _SMALLEST_FRAME:
            self.gaps.append((0.0, found - self._at))
        self._at = found
        return True

    def to_the_end(self) -> None:
        """Takes every frame there is."""
        run: _Run | None = None
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

    def _take(self, data: bytes, frame: Frame, run: _Run) -> _Run:
        if _is_info(data, frame):
            if run.frames or run.info:
                run = self._new(frame)
            run.info, run.promised = data, _promised(data, frame)
            run.added = _added(data, frame)
        else:
            run.first = run.first or data[:4]
            run.take(self._at, frame.size)
        self._at += frame.size
        return run

    def _new(self, frame: Frame) -> _Run:
        run = _Run(frame.kind, frame.samples)
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
            return 10 + size + (10 if head[5] & 0x10 else 0)
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

    def _is_padding(self, at: int, end: int) -> bool:
        block = self._bytes.at(at, min(_READ, end - at))
        return not block.strip(b"\0") or not block.strip(b"\xff")


def _is_info(data: bytes, frame: Frame) -> bool:
    at = frame.info_at
    return bool(at) and (data[at : at + 4] in {b"Xing", b"Info"} or data[36:40] == b"VBRI")


def _promised(data: bytes, frame: Frame) -> int | None:
    at = frame.info_at
    if data[36:40] == b"VBRI":
        return int.from_bytes(data[50:54], "big")
    return int.from_bytes(data[at + 8 : at + 12], "big") if data[at + 7 : at + 8][0] & 1 else None


def _added(data: bytes, frame: Frame) -> tuple[int, int]:
    """What LAME, and who writes like it, says of the samples it added."""
    flags = int.from_bytes(data[frame.info_at + 4 : frame.info_at + 8], "big")
    at = frame.info_at + 8 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags // 2 & 4)
    if data[36:40] == b"VBRI" or data[at : at + 4] not in {b"LAME", b"Lavc", b"Lavf"}:
        return 0, 0
    both = int.from_bytes(data[at + 21 : at + 24], "big")
    return both >> 12, both & 0xFFF


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
    return Layout(tuple(_part(stream, run) for run in runs), tuple(notes))


def _part(stream: Stream, run: _Run) -> Part:
    spans: list[Span] = [stream.stretch(begin, end - begin) for begin, end in run.ranges]
    if run.kind[1] != 1:  # only layer III has a header of its own to correct
        return Part(tuple(spans), run.frames * run.samples)
    if run.is_even and not run.info:
        return Part(tuple(spans), run.frames * run.samples)
    size = sum(end - begin for begin, end in run.ranges)
    return Part((_info_frame(run, size), *spans))


def _info_frame(run: _Run, size: int) -> bytes:
    """A header in front of the frames that says how many there are."""
    if run.promised is not None and run.info[36:40] != b"VBRI":
        at = _frame(run.info).info_at + 8  # it also knows what to cut at the ends
        counts = struct.pack(">I", run.frames)
        if run.info[at - 1] & 2:
            counts += struct.pack(">I", size + len(run.info))
        return run.info[:at] + counts + run.info[at + len(counts) :]
    version, _, _, _ = run.kind
    bits = 9 if version == 3 else 8  # 128 and 64 kbit/s: room for the header
    head = bytes([0xFF, run.first[1] | 1, bits << 4 | run.first[2] & 0x0C, run.first[3]])
    made = _frame(head)
    body = struct.pack(">4sIII", b"Xing", 3, run.frames, size + made.size)
    return (head.ljust(made.info_at, b"\0") + body).ljust(made.size, b"\0")


def frames_of(stream: Stream) -> Iterator[int]:
    """Frames of each stream that follow one another; for tests and measurements."""
    walk = _Walk(stream)
    if walk.starts():
        walk.to_the_end()
        yield from (run.frames for run in walk.runs)
