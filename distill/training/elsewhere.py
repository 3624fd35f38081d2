"""Training in processes of its own for a caller that waits: what several devices need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from distill.audio.corpus import AudioCorpus
from distill.errors import RunLostError
from distill.training.run.folder import RunFolder
from distill.training.run.handle import RunHandle
from distill.training.session.result import TrainingResult
from distill.training.session.signals import Cancel, StopSignals, stopped_by_signals
from distill.training.trainers import ProcessTrainer
from distill.training.watch.event_lines import MetricsCallback
from distill.training.watch.follower import places_of
from distill.training.watched_run import WatchedRun

_POLL_S = 0.1


def train_elsewhere(
    path: Path,
    callback: MetricsCallback | None,
    cancel_event: Cancel | None,
    corpus: AudioCorpus | None = None,
) -> TrainingResult:
    """Has a run trained by processes that end, keeping the model, if this one does.

    Args:
        path: of a run that is ready to be trained.
        callback: gets what is reported from here on, in a thread of this process.
        cancel_event: asks for a stop, as do signals; see `train_vqvae`.
        corpus: its sounds, where they were read already.

    Raises:
        DistillError: whatever ended the run.
    """
    folder = RunFolder(path)
    run = WatchedRun(folder, callback, places_of(folder.read_events()[0]))
    trainer = ProcessTrainer(path, corpus, tied=True)
    run.trainer = trainer
    try:
        with _signals(cancel_event) as signals:
            run.follow()
            _wait(run, signals, cancel_event)
    finally:
        trainer.let_go()
        run.close()
    if error := run.error:
        raise error
    result = run.result
    if result is None:
        raise RunLostError(f"{path}: its trainer has ended, and what it left is not there any more")
    return result


def _wait(run: WatchedRun, signals: StopSignals, cancel_event: Cancel | None) -> None:
    handle, asked = RunHandle(run.folder), (False, False)
    while not run.wait(_POLL_S, progress=False):
        cancelled = cancel_event is not None and cancel_event.is_set()
        wanted = (cancelled or signals.is_set(), signals.want_now)
        if wanted != asked and any(wanted):
            asked = wanted
            handle.stop(now=signals.want_now)


@contextlib.contextmanager
def _signals(cancel_event: Cancel | None) -> Iterator[StopSignals]:
    if isinstance(cancel_event, StopSignals):  # the caller receives them, and ends as it likes
        yield cancel_event
        return
    with stopped_by_signals(repeat=True) as signals:
        yield signals
