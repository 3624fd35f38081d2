"""FrameRun: the frames of one MPEG stream, and how libsndfile should see them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from distill.audio.containers.layout import Part, Stream
from distill.audio.containers.mpeg_frames import read_frame
from distill.audio.containers.virtual_file import Span


@dataclass
class FrameRun:
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
        at = read_frame(self.info).info_at + 8 if self.info[36:40] != b"VBRI" else 0
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
        """How long its frames last."""
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


def part_of(stream: Stream, run: FrameRun) -> Part:
    """The run as a stream of its own, behind a header that counts its frames."""
    spans: list[Span] = [stream.stretch(begin, end - begin) for begin, end in run.ranges]
    if run.kind[1] != 1:  # only layer III has a header of its own to correct
        return Part(tuple(spans), run.frames * run.samples)
    if run.is_even and not run.info:
        return Part(tuple(spans), run.frames * run.samples)
    size = sum(end - begin for begin, end in run.ranges)
    return Part((_info_frame(run, size), *spans))


def _info_frame(run: FrameRun, size: int) -> bytes:
    """A header in front of the frames that says how many there are."""
    if run.promised is not None and run.info[36:40] != b"VBRI":
        at = read_frame(run.info).info_at + 8  # it also knows what to cut at the ends
        counts = struct.pack(">I", run.frames)
        if run.info[at - 1] & 2:
            counts += struct.pack(">I", size + len(run.info))
        return run.info[:at] + counts + run.info[at + len(counts) :]
    version, _, _, _ = run.kind
    bits = 9 if version == 3 else 8  # 128 and 64 kbit/s: room for the header
    head = bytes([0xFF, run.first[1] | 1, bits << 4 | run.first[2] & 0x0C, run.first[3]])
    made = read_frame(head)
    body = struct.pack(">4sIII", b"Xing", 3, run.frames, size + made.size)
    return (head.ljust(made.info_at, b"\0") + body).ljust(made.size, b"\0")
