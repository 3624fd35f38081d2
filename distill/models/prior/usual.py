"""Usual runs: what held-out recordings share with those that were learned from, by their length."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice

import numpy as np
from torch import Tensor

from distill.models.prior.copying import apart, longest_shared_run
from distill.models.prior.novelty import Runs
from distill.models.prior.sounds import CodedSound

_DOUBLES_OF, _MOST_JUDGED = 10, 20
"""One in so many held-out recordings may be a double; so many of them, evenly, are looked at."""
_MOST_STEPS = 2000
"""Steps of these by which the growth is known."""
_LIKELIEST = 0.9
"""That a run goes on by chance: above, what is held back are doubles, and says nothing of it."""


@dataclass(frozen=True)
class UsualRuns:
    """The runs that held-out recordings share, of the first level and of all levels."""

    seconds: tuple[float, float] = (0.0, 0.0)
    """The longest that 9 in 10 of them share."""
    doubling_s: tuple[float, float] = (0.0, 0.0)
    """How much longer it is to be expected in a sound that is twice as long."""
    length_s: float = 0.0
    """Of a held-out recording, on the average; 0 where nobody knows (earlier versions)."""

    def of_length(self, length_s: float) -> tuple[float, float]:
        """What 9 in 10 held-out recordings would share if they were as long as a sound.

        A sound as long as n recordings has n times the chances of a long run. Where a run goes on
        with a probability of q from step to step, runs longer by log_{1/q}(n) steps are then as
        likely. A shorter sound than they are is compared with them as they are.

        Source: the longest run of matches, Erdős and Rényi 1970; Arratia and Waterman 1985.
        """
        doublings = math.log2(length_s / self.length_s) if 0 < self.length_s < length_s else 0.0
        first, every = (
            seconds + doublings * more
            for seconds, more in zip(self.seconds, self.doubling_s, strict=True)
        )
        return first, every


NOTHING_USUAL = UsualRuns()


def usual_runs(
    held_out: tuple[Tensor, ...], sounds: tuple[CodedSound, ...], step_seconds: float
) -> UsualRuns:
    """The runs that held-out recordings share with those learned from.

    Without the tenth of them that share most, which may be doubles of what was learned. Of one
    recording, of which the end was held out, that says nothing: 0.

    Args:
        held_out: (steps, level) each.
        sounds: what was learned from.
        step_seconds: length of a step.
    """
    if len(sounds) < 2 or not held_out:
        return NOTHING_USUAL
    judged = held_out[:: -(-len(held_out) // _MOST_JUDGED)]
    (first, more), (every, more_of_every) = (
        _usual_run_s(judged, sounds, step_seconds, levels) for levels in (1, judged[0].shape[1])
    )
    length_s = sum(map(len, judged)) / len(judged) * step_seconds
    return UsualRuns((first, every), (more, more_of_every), length_s)


def _usual_run_s(
    judged: tuple[Tensor, ...], sounds: tuple[CodedSound, ...], step_seconds: float, levels: int
) -> tuple[float, float]:
    """The longest run without those of doubles, and how much longer it is in twice the length."""
    left = list(judged)
    for doubles in reversed(range(-(-(len(judged) - 1) // _DOUBLES_OF) + 1)):
        run = longest_shared_run(apart(left), sounds, step_seconds, levels=levels)
        if not run.steps or not doubles:
            break
        ends = accumulate(len(grid) + 1 for grid in left)
        del left[bisect_right(list(ends), round(run.begins_s / step_seconds))]
    return run.seconds, _doubling_steps(left, sounds, levels) * step_seconds


def _doubling_steps(judged: Sequence[Tensor], sounds: tuple[CodedSound, ...], levels: int) -> float:
    """By how many steps the longest run grows in a sound twice as long, as 1 / log2(1 / q).

    q is the share that goes on of all runs as long as the longest at a step usually is.
    """
    runs = Runs([grid for sound in sounds for grid in sound.grids], levels)
    steps = chain.from_iterable((*grid.tolist(), [-1] * grid.shape[1]) for grid in judged)
    longest, counts = [], np.zeros(_MOST_STEPS + 2, np.int64)
    for step in islice(steps, _MOST_STEPS):
        lengths = runs.take(tuple(step))
        if len(lengths):
            longest.append(int(lengths.max()))
            counts += np.bincount(lengths.clip(max=_MOST_STEPS), minlength=len(counts))
    usually = int(np.median(longest)) if longest else 0
    as_long, longer = counts[usually:].sum(), counts[usually + 1 :].sum()
    if not usually or not longer:
        return 0.0
    return 1 / math.log2(1 / min(_LIKELIEST, longer / as_long))
