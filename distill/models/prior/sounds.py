"""CodedSound: one recording as codes, and the copies of it that are learned from too."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class CodedSound:
    """A recording as codes of a model."""

    name: str
    """Of its file, for people."""
    grids: tuple[Tensor, ...]
    """(steps, level) int32 each: itself, then its copies; see `copy_name`."""
    group: str = ""
    """The folder that it lies in; see `distill.audio.groups`."""
    loudness_db: Tensor | None = None
    """Of each of its own steps, (steps,), beside the recordings on the average; see `contour`."""
    brightness_hz: Tensor | None = None
    """Of each of its own steps, (steps,); see `step_brightness`."""

    @property
    def codes(self) -> Tensor:
        """Of the recording itself, (steps, level) int32."""
        return self.grids[0]

    @property
    def steps(self) -> int:
        """Of the recording itself."""
        return len(self.grids[0])


def copy_name(number: int) -> str:
    """What was done to a copy of a recording, for people; "" for the recording itself.

    Example:
        >>> copy_name(1), copy_name(5)
        ('at 0.93 of its speed', 'at half its level')
    """
    if number == 0:
        return ""
    if number <= len(LENGTHS):
        return f"at {LENGTH_OF / LENGTHS[number - 1]:.2f} of its speed"
    return "at half its level"


LENGTH_OF, LENGTHS = 25, (27, 23, 30, 21)
"""Copies at other speeds, by their length: slower and faster, up to a minor third."""
QUIETER = 0.5
"""The level of the last copy."""
