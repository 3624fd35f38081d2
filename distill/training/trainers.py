"""What trains a run in the background: a process that outlives this one, or a thread in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Protocol

from distill.audio.corpus import AudioCorpus
from distill.audio.decoded_sounds import forget
from distill.audio.handover import hand_over
from distill.own_folder import OwnFolder
from distill.time_slices import take_short_turns
from distill.training.run.detach import start_detached, start_tied
from distill.training.run.layout import WORKER_LOG
from distill.training.run.preparation import announce_trainer
from distill.training.run.writer import hold_run
from distill.training.session.session import run_session

WORKER = "distill.training.worker"
TIED = "--tied"
"""Tells a worker to stop when its standard input ends."""
SOUNDS = "--sounds"
"""Gives a worker the file of decoded sounds that was written for it; see `handover`."""


def sounds_option(path: Path | None) -> list[str]:
    """Arguments that hand decoded sounds over to a worker."""
    return [] if path is None else [SOUNDS, str(path.resolve())]


class Trainer(Protocol):
    """What was started to train a run."""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, however."""
        ...

    @property
    def exit_code(self) -> int | None:
        """Of its process, once it has ended; negative: the signal that killed it."""
        ...

    @property
    def error(self) -> BaseException | None:
        """What it raised, where that can be known."""
        ...


class ProcessTrainer:
    """A process of its own, in a session of its own; what it prints is in the run's worker.log.

    Args:
        path: of a run that is ready to be trained.
        corpus: its sounds, where they were read already: they are handed over.
        tied: stops, and keeps the model, once this process lets go of it or ends.

    Raises:
        OSError: the process cannot be started, or its log not written.
    """

    def __init__(
        self, path: Path, corpus: AudioCorpus | None = None, *, tied: bool = False
    ) -> None:
        sounds = hand_over(corpus) if corpus is not None else None
        arguments = [str(path.resolve()), *([TIED] if tied else []), *sounds_option(sounds)]
        try:
            with OwnFolder(path) as folder, folder.append(WORKER_LOG) as log:
                start = start_tied if tied else start_detached
                self._process = start(WORKER, arguments, log=log)
        except BaseException:
            forget(sounds)
            raise
        announce_trainer(path, self._process.pid)

    def let_go(self) -> None:
        """Asks a process that is tied to this one to stop."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    @property
    def is_alive(self) -> bool:
        """See `Trainer`."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """See `Trainer`."""
        return self._process.poll()

    error = None


class ThreadTrainer:
    """A thread of this process, to debug in.

    Args:
        path: of a run that is ready to be trained.
        corpus: its sounds, where they were read already.
    """

    exit_code = None

    def __init__(self, path: Path, corpus: AudioCorpus | None = None) -> None:
        self.error: BaseException | None = None
        announce_trainer(path, os.getpid())
        self._thread = threading.Thread(
            target=self._train, args=(path, corpus), name="distill-training", daemon=True
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """See `Trainer`."""
        return self._thread.is_alive()

    def _train(self, path: Path, corpus: AudioCorpus | None) -> None:
        take_short_turns()
        try:
            with hold_run(path) as folder:
                run_session(folder, corpus=corpus)
        except BaseException as error:  # the runner's boundary: wait() raises it again
            self.error = error
