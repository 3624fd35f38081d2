"""Told: what a new sound of a `Generator` is asked to be, where its prior can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distill.markup import plain

Levels = float | Sequence[float] | None


@dataclass(frozen=True)
class Told:
    """A class, a loudness and a brightness; nothing where any will do."""

    kind: str = ""
    loudness_db: tuple[float, ...] = ()
    brightness_hz: tuple[float, ...] = ()

    @classmethod
    def of(cls, kind: str | None, loudness: Levels, brightness: Levels = None) -> Told:
        """Of what `Generator` is asked for."""
        return cls(kind or "", _several(loudness), _several(brightness))

    def to_dict(self) -> dict[str, Any]:
        """As `model.generate` takes it."""
        asked = {"classes": self.kind, "loudness": self.loudness_db,
                 "brightness": self.brightness_hz}  # fmt: skip
        return {name: value for name, value in asked.items() if value}

    def __str__(self) -> str:
        parts = [f"class {plain(self.kind)}"] if self.kind else []
        parts += [
            f"{', '.join(f'{level:g}' for level in levels)} {unit}"
            for levels, unit in ((self.loudness_db, "dB"), (self.brightness_hz, "Hz"))
            if levels
        ]
        return "".join(f" · {part}" for part in parts)


def _several(levels: Levels) -> tuple[float, ...]:
    if levels is None:
        return ()
    return tuple(levels) if isinstance(levels, Sequence) else (levels,)


ANY = Told()
