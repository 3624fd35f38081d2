"""How much of some codes stands in the recordings that were learned from, word for word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from distill.models.prior.sounds import LENGTH_OF, LENGTHS, CodedSound, copy_name

LONGEST_HELD = 4
"""Steps for which the same codes may be held and count: a tone that is held, or silence, is no
copy."""
ALIKE_S = 0.2
"""Runs of the first level that are shorter than this nobody calls a copy."""
VERBATIM_STEPS = LONGEST_HELD + 2
"""Runs of several levels this long do not come about by chance: held-out `sonic_pi` has 2 steps.
Silence with the step before it is shorter."""


@dataclass(frozen=True)
class SharedRun:
    """The longest run of codes that a sound shares with a training recording."""

    levels: int = 1
    """How many of the first levels were compared."""
    steps: int = 0
    """Those for which a step is held longer are passed over, and do not count."""
    seconds: float = 0.0
    begins_s: float = 0.0
    """Where in the sound."""
    recording: str = ""
    """File name of the recording; "" where nothing is shared."""
    recording_s: float = 0.0
    """Where in it."""
    changed: str = ""
    """How the copy that was learned from differs from the recording; "" for itself."""
    usual_s: float = 0.0
    """The longest run that 9 in 10 of the held-out recordings share with them."""
    usual_is_expected: bool = False
    """Whether they are shorter than the sound, and would share so much if they were as long."""

    @property
    def is_copy(self) -> bool:
        """Whether it is longer than chance, and than what the recordings share among themselves."""
        by_chance = self.steps < VERBATIM_STEPS if self.levels > 1 else self.seconds < ALIKE_S
        return not by_chance and self.seconds > self.usual_s

    def __str__(self) -> str:
        what = "level 1" if self.levels == 1 else f"levels 1 to {self.levels}"
        if not self.steps:
            return f"no copy: nothing of {what} stands in your recordings"
        changed = f", {self.changed}" if self.changed else ""
        verdict = "a copy" if self.is_copy else "no copy"
        share = "as long would share" if self.usual_is_expected else "share"
        usual = (
            f"; 9 in 10 held-out recordings {share} up to {self.usual_s:.2f} s"
            if self.usual_s
            else ""
        )
        return (
            f"{verdict}: {what} of {self.seconds:.2f} s from {self.begins_s:.2f} s on stands in "
            f"{self.recording} at {self.recording_s:.2f} s{changed}{usual}"
        )


def longest_shared_run(
    codes: Tensor,
    sounds: Sequence[CodedSound],
    step_seconds: float,
    *,
    levels: int = 1,
    usual_s: float = 0.0,
) -> SharedRun:
    """The longest run of steps that stand in a row in a recording too.

    Args:
        codes: (steps, level).
        sounds: what was learned from, copies included.
        step_seconds: length of a step.
        levels: how many of the first must be equal. The first one has the structure; all of them
            are equal in what was copied word for word alone.
        usual_s: see `SharedRun`.
    """
    pieces = [(sound, number, grid) for sound in sounds for number, grid in enumerate(sound.grids)]
    if not pieces or not len(codes):
        return SharedRun(levels, usual_s=usual_s)
    same = _the_same(codes, [grid for _, _, grid in pieces]) if levels == codes.shape[1] else None
    if same is None:
        grids = [grid[:, :levels] for _, _, grid in pieces]
        length, here, there = _longest_run(codes[:, :levels], grids)
    else:
        length, here, there = len(codes), 0, sum(len(grid) + 1 for _, _, grid in pieces[:same])
    if not length:
        return SharedRun(levels, usual_s=usual_s)
    begins = list(accumulate((len(grid) + 1 for _, _, grid in pieces), initial=0))
    piece = bisect_right(begins, there) - 1
    sound, number, _ = pieces[piece]
    stretched = LENGTHS[number - 1] / LENGTH_OF if 0 < number <= len(LENGTHS) else 1.0
    return SharedRun(
        levels=levels,
        steps=length,
        seconds=length * step_seconds,
        begins_s=here * step_seconds,
        recording=sound.name,
        recording_s=(there - begins[piece]) * step_seconds / stretched,
        changed=copy_name(number),
        usual_s=usual_s,
    )


def _the_same(codes: Tensor, grids: Sequence[Tensor]) -> int | None:
    """Which grid is a hold of one step from end to end, as the codes are; None: there is none.

    A recording that is one held step can be copied in no other way.
    """
    if not bool((codes == codes[0]).all()):
        return None
    return next((n for n, grid in enumerate(grids) if bool((grid == codes[0]).all())), None)


def _longest_run(codes: Tensor, grids: Sequence[Tensor]) -> tuple[int, int, int]:
    """(length, place in the codes, place in the grids, which lie `apart`) of the longest run.

    Steps that are held are passed over on both sides: a run goes on behind them, and they make it
    no longer.
    """
    columns = apart([codes, *grids])
    places = (~is_held(columns)).nonzero()[:, 0]
    names = _names_of_steps(columns[places])
    split = int((places <= len(codes)).sum())
    length, here, there = _longest_common(names[:split], names[split:])
    if not length:
        return 0, 0, 0
    return length, int(places[here]), int(places[split + there]) - len(codes) - 1


def _names_of_steps(columns: Tensor) -> Tensor:
    """A whole number for each step: equal ones for equal codes; nobody else's where a run ends."""
    _, names = torch.unique(columns[:, 0], return_inverse=True)
    for level in range(1, columns.shape[1]):
        names = _pair_names(names, columns[:, level] + 1)
    fresh = torch.arange(len(names)) + len(names)
    return torch.where(columns[:, 0] < 0, fresh, names)


def apart(grids: Sequence[Tensor]) -> Tensor:
    """Codes of several sounds, (steps, level) each, in one: after each a step of -1, nobody's."""
    end = torch.full((1, grids[0].shape[1]), -1, dtype=torch.int64)
    return torch.cat([part for grid in grids for part in (grid.long(), end)])


def is_held(columns: Tensor) -> Tensor:
    """Which steps hold the same codes as the `LONGEST_HELD` before them."""
    same = (columns[1:] == columns[:-1]).all(dim=1)
    held = torch.zeros(len(columns), dtype=torch.bool)
    if len(same) >= LONGEST_HELD:
        held[LONGEST_HELD:] = same.unfold(0, LONGEST_HELD, 1).all(dim=1)
    return held


def _longest_common(ours: Tensor, theirs: Tensor) -> tuple[int, int, int]:
    """(length, place in the first, place in the second) of the longest run that both have.

    Runs of 2, 4, 8 … are named by the pair of names of their halves, as in the sorting of suffixes
    by Manber and Myers 1993; longer ones by two such runs that overlap.
    """
    split, names, power = len(ours), torch.cat([ours, theirs]), 0
    found = _common(names, split)
    if found is None:
        return 0, 0, 0
    best = (1, *found)
    while 2 ** (power + 1) <= split:
        longer = _longer(names, 2**power)
        found = _common(longer, split)
        if found is None:
            break
        names, power = longer, power + 1
        best = (2**power, *found)
    low, high = 2**power, min(split + 1, 2 ** (power + 1))
    while high - low > 1:
        middle = (low + high) // 2
        found = _common(_longer(names, middle - 2**power), split)
        if found is None:
            high = middle
        else:
            low, best = middle, (middle, *found)
    return best


def _longer(names: Tensor, further: int) -> Tensor:
    """Names of runs that are so many steps longer, at most by as much again."""
    return _pair_names(names[:-further], names[further:])


def _pair_names(first: Tensor, second: Tensor) -> Tensor:
    count = int(max(first.max(), second.max())) + 1
    _, names = torch.unique(first * count + second, return_inverse=True)
    return names


def _common(names: Tensor, split: int) -> tuple[int, int] | None:
    """Places of a run that begins on either side of `split` under one name; None without one.

    Runs that cross from one side to the other hold a step that is nobody's, and match nothing.
    """
    here, there = names[:split], names[split:]
    if not len(there):
        return None
    known, places = torch.sort(there, stable=True)
    at = torch.searchsorted(known, here).clamp(max=len(known) - 1)
    hits = (known[at] == here).nonzero()
    if not len(hits):
        return None
    place = int(hits[0])
    return place, int(places[at[place]])
