"""How far previews are from their originals, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from distill.training.watch.events import PreviewPair


def distances_of(pairs: Sequence[PreviewPair]) -> str:
    """The mean distances, each beside its floor: what no model gets below, by the vocoder alone.

    Args:
        pairs: one, or all of an event.

    Returns:
        As "mel 1.76 (floor 0.97), STFT 2.20 (floor 1.53)"; nothing where none was measured.
    """
    parts = (
        ("mel", [(pair.mel, pair.mel_floor) for pair in pairs]),
        ("STFT", [(pair.stft, pair.stft_floor) for pair in pairs]),
    )
    return ", ".join(text for name, found in parts if (text := _mean(name, found)))


def _mean(name: str, found: Sequence[tuple[float | None, float | None]]) -> str:
    measured = [(one, floor) for one, floor in found if one is not None and floor is not None]
    if not measured:
        return ""
    distance, floor = (sum(values) / len(measured) for values in zip(*measured, strict=True))
    return f"{name} {distance:.2f} (floor {floor:.2f})"
