"""How well each level's codebook is used, in the numbers and words that people read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from distill.codebook.counts import (
    checked_counts,
    corrected_utilization,
    dead_codes,
    entropy_bits,
    perplexity,
    utilization,
)
from distill.codebook.labels import level_labels
from distill.health_rows import COLLAPSING, THIN, Cell, Curve, Health
from distill.markup import number

CODES_PER_ENTRY = 5
"""From so many codes for each entry on, those never chosen are dead: of a codebook used evenly less
than one entry in a hundred would be missing. It is the chi-squared test's rule; Cochran 1954.
"""
TRAINING, VALIDATION = "training", "validation"
_OTHER = {TRAINING: VALIDATION, VALIDATION: TRAINING}


@dataclass(frozen=True)
class LevelHealth(Health):
    """One level's codebook over the codes of some sounds.

    At an epoch's end those are the epoch's training codes or those of the validation set, whichever
    are more; of the others it says in brief what they show.
    """

    parts: ClassVar[str] = "Codebooks"
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("entropy / bits", lambda health: health.entropy_share, is_share=True),
        Curve("dead codes", lambda health: health.dead_codes if health.suffices else math.nan),
        Curve("churn, entries a step", lambda health: health.churn),
    )

    level: int
    label: str
    entries: int
    samples: int
    """Codes seen."""
    utilization: float
    """Share of the entries chosen at least once."""
    corrected_utilization: float
    """Relative to what `samples` codes could at most show."""
    perplexity: float
    entropy_bits: float
    dead_codes: int
    """Entries never chosen; dead only where the codes suffice to say so, see `suffices`."""
    churn: float
    """Entries replaced a training step; 0 where nothing was trained."""
    over: str = ""
    """Whose codes: TRAINING or VALIDATION; "" where it does not matter, or nobody said."""
    other_samples: int = 0
    """Codes of the other of these two; 0 where they were not counted."""
    other_utilization: float = 0.0
    other_entropy_bits: float = 0.0

    @property
    def ceiling(self) -> float:
        """Utilization that `samples` codes could at most show; see `utilization_ceiling`."""
        return 1 - (1 - 1 / self.entries) ** self.samples

    @property
    def used(self) -> float:
        """Share of the entries chosen at least once."""
        return self.utilization

    @property
    def suffices(self) -> bool:
        """Whether there are codes enough to call the entries never chosen dead."""
        return self.samples >= self.codes_needed

    @property
    def codes_needed(self) -> int:
        """Codes from which on entries can be called dead; see `CODES_PER_ENTRY`."""
        return CODES_PER_ENTRY * self.entries

    @property
    def bits(self) -> float:
        """What a code could carry at most."""
        return math.log2(self.entries)

    @property
    def entropy_share(self) -> float:
        """Entropy of its codes among their bits, 0 to 1: what of the bit rate carries anything."""
        return min(1.0, max(0.0, self.entropy_bits / self.bits)) if self.bits else 1.0

    @property
    def seen(self) -> str:
        """As `13,312 training codes`."""
        return " ".join(filter(None, (number(self.samples, ","), self.over, "codes")))

    @property
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""
        if self.verdict not in (THIN, COLLAPSING):
            return ""
        return (
            f"level {self.level + 1} ({self.label}) uses {self.used:.0%} of its "
            "entries: fewer levels or a smaller codebook would lose nothing"
        )

    def cells(self) -> tuple[Cell, ...]:
        """Its name, what its codes show, dead entries, and replaced ones a step."""
        dead = f"{number(self.dead_codes)} of {number(self.entries)}"
        needed = f"needs {number(self.codes_needed, ',')} codes"
        why = f"entries never chosen are called dead from {number(CODES_PER_ENTRY)} codes each on"
        return (
            Cell("level", f"{self.level + 1} {self.label}"),
            *self._measured(),
            Cell("dead", dead if self.suffices else needed, hint=why),
            Cell("replaced/step", number(self.churn, ".2f"), of_training=True),
        )

    def beside(self) -> tuple[tuple[Cell, ...], ...]:
        """What the smaller of training and validation codes show, where both were counted."""
        if not self.other_samples:
            return ()
        other = replace(
            self,
            over=_OTHER.get(self.over, ""),
            samples=self.other_samples,
            utilization=self.other_utilization,
            entropy_bits=self.other_entropy_bits,
        )
        nothing = Cell("dead", ""), Cell("replaced/step", "", of_training=True)
        return ((Cell("level", ""), *other._measured(), *nothing),)

    def _measured(self) -> tuple[Cell, ...]:
        """How many codes, the share in use, what that can reach for so many, and their entropy."""
        could = f"what {self.seen} of a codebook used evenly would show"
        carried = self.entropy_share * self.bits  # whatever a file says, no more than there are
        entropy = f"{number(carried, '.1f')} of {number(self.bits, '.3g')} bits"
        even = f"as much as {number(2**carried, '.0f')} entries used evenly"
        return (
            Cell("codes", f"{number(self.samples, ',')} {self.over}".rstrip()),
            Cell("used", number(self.used, ".0%"), share=self.used),
            Cell("at most", number(self.ceiling, ".0%"), hint=could),
            Cell("entropy", f"{entropy}, {number(self.entropy_share, '.0%')}", hint=even),
        )


def codebook_health(
    counts: Tensor, churn: Sequence[float] | None = None, *, over: str = ""
) -> tuple[LevelHealth, ...]:
    """Everything known about every level.

    Args:
        counts: uses of each entry, (level, entry).
        churn: entries replaced a step, one for each level.
        over: whose codes were counted, see `LevelHealth.over`.
    """
    counts = checked_counts(counts).cpu()
    levels, entries = counts.shape
    rows = zip(
        level_labels(levels),
        counts.sum(dim=1).long().tolist(),
        utilization(counts).tolist(),
        corrected_utilization(counts).tolist(),
        perplexity(counts).tolist(),
        entropy_bits(counts).tolist(),
        dead_codes(counts).tolist(),
        churn or [0.0] * levels,
        [over] * levels,
        strict=True,
    )
    return tuple(LevelHealth(level, row[0], entries, *row[1:]) for level, row in enumerate(rows))


def health_of_both(
    validation: Tensor, training: Tensor, churn: Sequence[float]
) -> tuple[LevelHealth, ...]:
    """Health at an epoch's end: every level by the larger of both counts, the other beside it.

    Args:
        validation: uses of each entry by the validation set, (level, entry).
        training: the same by the epoch's training.
        churn: entries replaced a step, one for each level.
    """
    judged = codebook_health(validation, churn, over=VALIDATION)
    trained = codebook_health(training, churn, over=TRAINING)
    return tuple(map(_by_more, judged, trained))


def _by_more(one: LevelHealth, two: LevelHealth) -> LevelHealth:
    more, fewer = (one, two) if one.samples > two.samples else (two, one)
    return replace(
        more,
        other_samples=fewer.samples,
        other_utilization=fewer.utilization,
        other_entropy_bits=fewer.entropy_bits,
    )
