"""How much of what a training wanted of the cores others had."""

from __future__ import annotations

from pathlib import Path

_TASKS = Path("/proc/self/task")
_BUSY = 1.5
"""From this factor on a run is said to have met a busy machine; on a quiet one it is 1.0 to 1.1."""

_EARLY_STEPS = 100
"""Before it, levels that look collapsed usually fill."""


class Contention:
    """Measures, from when it is made, how often this process's threads had to wait for a core.

    The system counts it: a thread that could run, but another one had its core. It is not what a
    clock says, which is as slow for a large model as for a busy machine.

    Args:
        tasks: where Linux keeps the process's threads; other systems do not have it.
    """

    def __init__(self, tasks: Path = _TASKS) -> None:
        self._tasks = tasks
        self._began = self._read()

    def factor(self) -> float:
        """How many times longer the work took than with cores of its own; 1 where unknown."""
        ran, waited = self.times_ns()
        return (ran + waited) / ran if ran > 0 else 1.0

    def times_ns(self) -> tuple[int, int]:
        """Nanoseconds that all threads ran, and waited for a core; 0 where unknown."""
        ran = waited = 0
        for thread, (ran_by_now, waited_by_now) in self._read().items():
            ran_before, waited_before = self._began.get(thread, (0, 0))
            ran += ran_by_now - ran_before
            waited += waited_by_now - waited_before
        return ran, waited

    def few_steps(self, steps: int) -> str | None:
        """A sentence on a time budget that got fewer steps than the machine makes alone, or None.

        Args:
            steps: made since this was made.
        """
        factor = self.factor()
        if factor < _BUSY:
            return None
        early = ", too few to judge it by" if steps < _EARLY_STEPS else ""
        return (
            f"only {steps} of about {_round(steps * factor)} steps{early}: the machine was busy, "
            "other programs had the cores; resume with a larger budget goes on from here"
        )

    def _read(self) -> dict[str, tuple[int, int]]:
        """Nanoseconds that each thread ran, and could have run but waited."""
        found = {}
        try:
            threads = list(self._tasks.iterdir())
        except OSError:
            return {}
        for thread in threads:
            try:
                ran, waited, _ = (thread / "schedstat").read_text().split()
                found[thread.name] = int(ran), int(waited)
            except (OSError, ValueError):  # it has just ended, or the system does not count
                continue
        return found


def _round(steps: float) -> int:
    """Two digits are what such an estimate is worth."""
    digits = max(0, len(str(int(steps))) - 2)
    return round(steps / 10**digits) * 10**digits
