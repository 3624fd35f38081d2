"""Standard MIDI files: just what a renderer needs, one track of one channel."""

from __future__ import annotations

from dataclasses import dataclass

_TICKS_PER_BEAT = 480
_TICKS_PER_S = 960  # at 120 beats a minute


@dataclass(frozen=True)
class Event:
    """A channel message at a moment."""

    at_s: float
    status: int
    data: tuple[int, ...]


def note(channel: int, key: int, velocity: int, start_s: float, length_s: float) -> list[Event]:
    """A key pressed and let go."""
    return [
        Event(start_s, 0x90 | channel, (key, velocity)),
        Event(start_s + length_s, 0x80 | channel, (key, 0)),
    ]


def midi_file(events: list[Event]) -> bytes:
    """The bytes of a format 0 file at 120 beats a minute."""
    track, last = bytearray(), 0
    for event in sorted(events, key=lambda event: event.at_s):
        ticks = round(event.at_s * _TICKS_PER_S)
        track += _variable_length(ticks - last) + bytes([event.status, *event.data])
        last = ticks
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1])
    header += _TICKS_PER_BEAT.to_bytes(2, "big")
    return header + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)


def _variable_length(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | (value & 0x7F))
    return bytes(reversed(parts))
