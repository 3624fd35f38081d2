"""Told: what a new sound of a `Generator` is asked to be, where its prior can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distill.markup import plain


@dataclass(frozen=True)
class Told:
    """A class and a loudness; nothing where any will do."""

    kind: str = ""
    loudness_db: tuple[float, ...] = ()

    @classmethod
    def of(cls, kind: str | None, loudness: float | Sequence[float] | None) -> Told:
        """Of what `Generator` is asked for."""
        levels = loudness if isinstance(loudness, Sequence) else (loudness,)
        return cls(kind or "", () if loudness is None else tuple(levels))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """As `model.generate` takes it."""
        asked = {"classes": self.kind, "loudness": self.loudness_db}
        return {name: value for name, value in asked.items() if value}

    def __str__(self) -> str:
        levels = ", ".join(f"{level:g}" for level in self.loudness_db)
        parts = (f"class {plain(self.kind)}" if self.kind else "", f"{levels} dB" if levels else "")
        return "".join(f" · {part}" for part in parts if part)


ANY = Told()
