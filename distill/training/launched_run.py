"""LaunchedRun: what a runner does to start a training: where, watched by whom, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from distill.audio.corpus import AudioCorpus
from distill.errors import ConfigError, RunnerBusyError
from distill.training.attached_run import AttachedRun
from distill.training.run.folder import RunFolder
from distill.training.trainers import ProcessTrainer, ThreadTrainer, Trainer
from distill.training.watch.event_lines import MetricsCallback
from distill.training.watched_run import WatchedRun

Backend = Literal["process", "thread"]

_TRAINERS: dict[str, Callable[[Path, AudioCorpus | None], Trainer]] = {
    "process": ProcessTrainer,
    "thread": ThreadTrainer,
}


class LaunchedRun(AttachedRun):
    """A run that is started here, in a process of its own or in a thread.

    Args:
        backend: where trainings are started.
    """

    def __init__(self, backend: Backend) -> None:
        if backend not in _TRAINERS:
            raise ConfigError(f"backend={backend!r}: expected 'process' or 'thread'")
        super().__init__()
        self._backend = backend
        self._lock = threading.RLock()

    def _check_thread(self, devices: int | None) -> None:
        if self._backend == "thread" and devices not in (None, 1):
            raise ConfigError(f"devices={devices}: a thread trains on one; use backend='process'")

    def _refuse_if_busy(self) -> None:
        if self._run is not None and self.is_running:
            raise RunnerBusyError(
                f"a training is running in {self._run.folder.path}: stop() it or wait() for it "
                "first, or use another runner"
            )

    def _watched_in(self, folder: RunFolder) -> WatchedRun | None:
        """The run of this runner, where it is the one in a folder."""
        run = self._run
        same = run is not None and run.folder.path.resolve() == folder.path.resolve()
        return run if same else None

    def _watch(
        self,
        folder: RunFolder,
        callback: MetricsCallback | None,
        seen: dict[str, tuple[int, int]] | None = None,
    ) -> WatchedRun:
        """Makes a run the one this runner is about; nothing of it is read yet."""
        if self._run is not None:  # its callback may be waiting for the lock that we hold
            self._run.close(wait=False)
        self._run = WatchedRun(folder, callback, seen)
        return self._run

    def _launch(
        self,
        path: Path,
        callback: MetricsCallback | None,
        *,
        corpus: AudioCorpus | None = None,
        seen: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        run = self._watch(RunFolder(path), callback, seen)
        try:
            run.trainer = _TRAINERS[self._backend](path, corpus)
        except BaseException:
            run.close()
            raise
        run.follow()
