"""Replicas: the other processes of a run on several devices, as the first starts and watches them.

When one of them dies, the run ends and says so; when the first ends, or dies, none of them stays.
One that is suspended, or stuck, holds up the others; when the run is to stop, it is ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from distill.errors import DistillError, TrainingError
from distill.training.engine.placement import Placement
from distill.training.run.death_notice import read_last_words
from distill.training.run.detach import start_tied
from distill.training.run.layout import WORKER_LOG

_NOTICED_WITHIN_S = 2.0
_OTHERS_WITHIN_S = (
    0.3  # one that is killed takes others with it: its own error is the one to report
)
_GRACE_S = 8.0
_ENDS_WITHIN_S = 5.0
SILENT_S = 10.0
"""A process that has given no sign of life for so long is ended, once the run is to stop: a stop is
fulfilled within this and `_GRACE_S`."""
_STARTS_WITHIN_S = 60.0  # a cold disk takes its time to read torch
_SIGN_S, _POLL_S = 1.0, 0.5


@dataclass(frozen=True)
class _Death:
    rank: int
    code: int
    words: DistillError | None

    @property
    def likeness(self) -> int:
        """How likely it is the first cause, 0 most."""
        if self.code < 0:
            return 0
        return 1 if self.words is not None and type(self.words) is not TrainingError else 2


class Replicas:
    """Processes 2 to n of a run; this one is the first.

    Args:
        module: what they run.
        arguments: for it.
        devices: processes in all, this one among them.
        end_at_once: called in a thread where one has died and this process does not notice: it
            waits for an answer that never comes.
        wants_stop: whether the run is to end.
    """

    def __init__(
        self,
        module: str,
        arguments: list[str],
        devices: int,
        end_at_once: Callable[[], None],
        wants_stop: Callable[[], bool],
    ) -> None:
        self._devices, self._end_at_once, self._wants_stop = devices, end_at_once, wants_stop
        self._deaths: list[_Death] = []
        self._noticed, self._answered = threading.Event(), threading.Event()
        self._closing = False
        self._meeting = tempfile.TemporaryDirectory(prefix="distill-", ignore_cleanup_errors=True)
        self._place = str(Path(self._meeting.name, "meeting"))
        self._processes: list[subprocess.Popen[bytes]] = []
        begins_by = time.monotonic() + _STARTS_WITHIN_S
        self._signs = dict.fromkeys(range(1, devices), begins_by)
        self._silent: set[int] = set()
        for rank in range(1, devices):
            environment = self.environment(rank)
            self._processes.append(start_tied(module, arguments, environment=environment))
        self._watchers = [
            threading.Thread(target=self._watch, args=(rank, process), daemon=True)
            for rank, process in enumerate(self._processes, 1)
        ]
        for watcher in [*self._watchers, threading.Thread(target=self._guard, daemon=True)]:
            watcher.start()

    def environment(self, rank: int) -> dict[str, str]:
        """Variables that one of the processes needs; together they use the cores there are."""
        placement = Placement(rank, self._devices, self._devices, self._place)
        threads = max(1, torch.get_num_threads() // self._devices)
        return placement.environment() | {"OMP_NUM_THREADS": str(threads)}

    @property
    def lost(self) -> TrainingError | None:
        """What became of a process that died; None while all are well."""
        if not self._deaths:
            return None
        death = min(self._deaths, key=lambda death: (death.likeness, death.rank))
        who = f"process {death.rank + 1} of {self._devices}"
        if death.words is not None:
            return TrainingError(f"{who} failed: {type(death.words).__name__}: {death.words}")
        if death.rank in self._silent:
            return TrainingError(
                f"{who} gave no sign of life for {SILENT_S:.0f} s when the run was to stop: it was "
                "suspended, or is stuck; it was ended, and with it the run: resume() goes on from "
                "the last checkpoint"
            )
        how = f"was killed by signal {-death.code}" if death.code < 0 else "ended without a word"
        hint = " (out of memory is the usual reason)" if death.code == -9 else ""
        return TrainingError(
            f"{who} {how}{hint}, and with it the run: resume() goes on from the last checkpoint, "
            f"{WORKER_LOG} has what the processes printed"
        )

    def explain(self, error: Exception) -> Exception:
        """The cause of an error of this process: what became of another, where that is it."""
        self._answered.set()
        if isinstance(error, DistillError) or not isinstance(error, RuntimeError):
            return error
        if self._noticed.wait(_NOTICED_WITHIN_S):
            threading.Event().wait(_OTHERS_WITHIN_S)
        return self.lost or error

    def close(self) -> None:
        """Ends those that have not ended by themselves."""
        self._closing = True
        self._answered.set()
        self._noticed.set()
        for process in self._processes:
            if process.stdin:
                process.stdin.close()
        for process, watcher in zip(self._processes, self._watchers, strict=True):
            watcher.join(_ENDS_WITHIN_S)
            process.kill()
            watcher.join()
        self._meeting.cleanup()

    def _watch(self, rank: int, process: subprocess.Popen[bytes]) -> None:
        """Reads what a process prints until it ends."""
        words: DistillError | None = None
        if process.stdout:
            with process.stdout as output:
                for line in output:
                    self._signs[rank] = time.monotonic()
                    words = read_last_words(line.decode(errors="replace").strip()) or words
        code = process.wait()
        if code and not self._closing:
            self._deaths.append(_Death(rank, code, words))
            self._noticed.set()

    def _guard(self) -> None:
        while not self._noticed.wait(_POLL_S):
            self._end_silent_ones()
        if not self._answered.wait(_GRACE_S):
            self._end_at_once()

    def _end_silent_ones(self) -> None:
        latest = time.monotonic() - SILENT_S
        silent = {rank for rank, seen in self._signs.items() if seen < latest} - self._silent
        if silent and self._wants_stop():
            self._silent |= silent
            for rank in silent:
                self._processes[rank - 1].kill()


def give_signs_of_life() -> None:
    """Prints an empty line every second, for as long as somebody reads."""
    with contextlib.suppress(OSError):
        while True:
            os.write(1, b"\n")
            time.sleep(_SIGN_S)
