"""What a prior knows of the codes to come, level by level, as rows that people read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from distill.codebook.labels import level_labels
from distill.health_rows import COLLAPSING, HEALTHY, THIN, TOO_FEW, Cell, Curve, Health
from distill.markup import number

_FEWEST_CODES = 50


@dataclass(frozen=True)
class PriorHealth(Health):
    """What a code of one level costs the prior, beside what it costs without one."""

    parts: ClassVar[str] = "Levels of codes"
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("bits a code", lambda health: health.bits),
        Curve("bits below counted pairs", lambda health: health.pairs - health.bits),
        Curve("perplexity", lambda health: health.perplexity),
    )

    level: int
    label: str
    entries: int
    codes: int
    """Codes judged."""
    bits: float
    """What a code costs on the average, by the prior."""
    singles: float = math.nan
    """By how often each code occurs in the training sounds; NaN where that was not asked."""
    pairs: float = math.nan
    """By how often it follows the one before it."""

    @property
    def uniform(self) -> float:
        """Bits of a code where every entry is as likely as any other."""
        return math.log2(max(1, self.entries))

    @property
    def perplexity(self) -> float:
        """Between how many entries, all as likely, the choice would be as hard."""
        return 2.0 ** min(self.bits, 64.0)

    @property
    def used(self) -> float:
        """Share of a code's bits that the prior knows beforehand."""
        if not self.uniform or not math.isfinite(self.bits):
            return 0.0
        return min(1.0, max(0.0, 1 - self.bits / self.uniform))

    @property
    def suffices(self) -> bool:
        """Whether enough was judged to say how well it guesses."""
        return self.codes >= _FEWEST_CODES

    @property
    def seen(self) -> str:
        """As `3,078 codes`."""
        return f"{number(self.codes, ',')} codes"

    @property
    def verdict(self) -> str:
        """healthy: better than counted pairs; thin: better than single codes; else collapsing.

        None of these, "", where nothing was counted, as in mid-epoch.
        """
        if math.isnan(self.pairs):
            return ""
        if not self.suffices:
            return TOO_FEW
        if self.bits < self.pairs:
            return HEALTHY
        return THIN if self.bits < self.singles else COLLAPSING

    @property
    def advice(self) -> str:
        """One sentence for the person who trains; empty where nothing is wrong."""
        if self.verdict == TOO_FEW and self.level == 0:
            return (
                f"only {self.seen} to judge by: too little was held out to know when it begins to "
                "learn these recordings by heart, and what it makes will repeat them; more "
                "recordings, or longer ones, help"
            )
        if self.verdict != COLLAPSING:
            return ""
        return (
            f"level {self.level + 1} ({self.label}) is guessed no better than by how often each "
            "code occurs: more recordings, or a longer training, may help"
        )

    def cells(self) -> tuple[Cell, ...]:
        """Its name, what a code costs by prior and by counting, and the perplexity."""
        hint = "bits of a code: evenly; by how often it occurs; by the code before it"
        counted = f"{number(self.uniform, '.2f')} / {self._shown(self.singles)} / "
        return (
            Cell("level", f"{self.level + 1} {self.label}"),
            Cell("codes", number(self.codes, ",")),
            Cell("bits", number(self.bits, ".2f")),
            Cell("evenly / singles / pairs", counted + self._shown(self.pairs), hint=hint),
            Cell("perplexity", number(self.perplexity, ".1f")),
            Cell("known", number(self.used, ".0%"), share=self.used),
        )

    @staticmethod
    def _shown(bits: float) -> str:
        return "?" if math.isnan(bits) else number(bits, ".2f")


def prior_health(observed: Mapping[str, Tensor]) -> tuple[PriorHealth, ...]:
    """A row a level.

    Args:
        observed: sums over codes: `uses` of each entry, (level, entry); `bits` by the prior,
            (level,); `counted`, (2, level), by single codes and by pairs, of as many codes as
            `counted_codes` says, (level,).
    """
    levels, entries = observed["uses"].shape
    codes, bits = observed["uses"].sum(dim=1).tolist(), observed["bits"].tolist()
    (singles, pairs), counted = observed["counted"].tolist(), observed["counted_codes"].tolist()

    def mean(total: float, count: int) -> float:
        return total / count if count else math.nan

    return tuple(
        PriorHealth(
            level=level,
            label=label,
            entries=entries,
            codes=codes[level],
            bits=mean(bits[level], codes[level]),
            singles=mean(singles[level], counted[level]),
            pairs=mean(pairs[level], counted[level]),
        )
        for level, label in enumerate(level_labels(levels))
    )
