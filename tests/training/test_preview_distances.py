"""How far previews are from their originals, as people read it."""

from __future__ import annotations

from distill.training import PreviewPair
from distill.training.watch.preview_distances import distances_of

OLD = PreviewPair("kick", 0.5, "previews/a/00-original.wav", "previews/a/00-reconstruction.wav")


def measured(*distances: float | None) -> PreviewPair:
    return PreviewPair(OLD.name, OLD.seconds, OLD.original, OLD.reconstruction, *distances)


def test_the_means_stand_beside_their_floors() -> None:
    pairs = [measured(1.0, 3.0, 0.5, 1.0), measured(2.0, 5.0, 0.7, 2.0)]
    assert distances_of(pairs[:1]) == "mel 1.00 (floor 0.50), STFT 3.00 (floor 1.00)"
    assert distances_of(pairs) == "mel 1.50 (floor 0.60), STFT 4.00 (floor 1.50)"


def test_what_was_not_measured_counts_for_nothing() -> None:
    assert distances_of([]) == distances_of([OLD]) == ""
    assert distances_of([OLD, measured(1.0, None, 0.5, None)]) == "mel 1.00 (floor 0.50)"
