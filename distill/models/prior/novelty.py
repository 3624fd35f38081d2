"""Novelty: keeps draws from running along a recording for longer than chance or custom explains."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from distill.models.prior.copying import ALIKE_S, LONGEST_HELD, VERBATIM_STEPS, apart, is_held

Step = tuple[int, ...]


class Novelty:
    """Knows how long the last steps have run along recordings, and which codes would go on so.

    Two runs are watched, as `TrainedPrior.shared_run` tells them: of all levels (word for word) and
    of the first one (the structure).

    Args:
        grids: (steps, level) each, what was learned from.
        step_seconds: length of a step.
        usual_s: runs of the first level, and of all levels, that held-out recordings share too.
        novelty: above 0. At 1 no run becomes what `shared_run` calls a copy; at 0.5 runs may be
            twice as long.
    """

    def __init__(
        self,
        grids: Sequence[Tensor],
        step_seconds: float,
        usual_s: tuple[float, float],
        novelty: float,
    ) -> None:
        levels = grids[0].shape[1]
        usual = [math.floor(seconds / step_seconds + 1e-6) for seconds in usual_s]
        alike = max(math.ceil(ALIKE_S / step_seconds) - 1, usual[0], 1)
        self._runs = [Runs(grids, 1, int(alike / novelty))]
        if levels > 1:
            verbatim = max(VERBATIM_STEPS - 1, usual[1])
            self._runs.append(Runs(grids, levels, int(verbatim / novelty)))

    def branch(self) -> Novelty:
        """Another one from here on; neither moves the other."""
        other = copy.copy(self)
        other._runs = [run.branch() for run in self._runs]
        return other

    def take(self, step: Step) -> None:
        """Takes a step that was drawn, or given."""
        for run in self._runs:
            run.take(step)

    def steer(self, logits: Tensor, codes: Sequence[int]) -> Tensor:
        """Logits without the codes that would make a run too long, unless that were all codes.

        Args:
            logits: (entry,) of the next level.
            codes: of the levels below it.
        """
        shunned = [code for run in self._runs for code in run.shunned(codes)]
        if not shunned:
            return logits
        steered = logits.index_fill(0, torch.tensor(shunned), -math.inf)
        return steered if bool(steered.isfinite().any()) else logits


class Runs:
    """Where in the recordings the last steps stand, compared by some of the first levels.

    Args:
        grids: (steps, level) each.
        levels: how many are compared.
        most: steps of a run that is not to go on.
    """

    def __init__(self, grids: Sequence[Tensor], levels: int, most: int = 1 << 62) -> None:
        columns = apart([grid[:, :levels] for grid in grids])
        rows = columns[~is_held(columns)].numpy()
        self._rows, self._levels, self._most = rows, levels, most
        order = np.argsort(rows[:, 0], kind="stable")
        self._order, self._sorted = order, rows[order, 0]
        self._lengths = np.zeros(len(rows), np.int64)  # of the run that ends at each row
        self._ends = np.zeros(0, np.int64)  # the rows at which one ends
        self._long = self._ends  # those at which it may not go on
        self._last: deque[Step] = deque(maxlen=LONGEST_HELD)

    def branch(self) -> Runs:
        """Another one from here on; neither moves the other."""
        other = copy.copy(self)
        other._lengths, other._last = self._lengths.copy(), self._last.copy()
        return other

    def take(self, step: Step) -> npt.NDArray[np.int64]:
        """Takes a step; returns the lengths of the runs that end with it, none of a held one."""
        step = tuple(step[: self._levels])
        held = self._holds(step)
        self._last.append(step)
        if held:  # passed over, as in `longest_shared_run`
            return self._ends[:0]
        first, behind = np.searchsorted(self._sorted, [step[0], step[0] + 1])
        ends = self._order[first:behind]
        ends = ends[(self._rows[ends] == step).all(axis=1)]
        lengths = self._lengths[ends - 1] + 1  # before the first row lies the end of the last sound
        self._lengths[self._ends] = 0
        self._lengths[ends] = lengths
        self._ends, self._long = ends, ends[lengths >= self._most]
        return lengths

    def shunned(self, codes: Sequence[int]) -> list[int]:
        """Codes of the next level that would make a run too long.

        Args:
            codes: of the levels below it.
        """
        if len(codes) != self._levels - 1 or not len(self._long):
            return []
        after = self._rows[self._long + 1]
        after = after[(after[:, :-1] == list(codes)).all(axis=1), -1]
        found: list[int] = np.unique(after[after >= 0]).tolist()
        return [code for code in found if not self._holds((*codes, code))]

    def _holds(self, step: Step) -> bool:
        return len(self._last) == LONGEST_HELD and all(other == step for other in self._last)
