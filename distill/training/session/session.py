"""One session of a run: from the request in its folder, or its newest checkpoint, to a model."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch

from distill.audio.corpus import AudioCorpus
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.report import remarks
from distill.errors import CorpusError, TrainingError
from distill.models.device import check_devices
from distill.training.engine.engine import STOPPED
from distill.training.engine.placement import Placement
from distill.training.run import states
from distill.training.run.request import RunRequest
from distill.training.run.resume_point import find_resume_point
from distill.training.run.run_sounds import about_new_sounds, read_corpus
from distill.training.run.writer import RunWriter
from distill.training.session.failures import with_advice
from distill.training.session.monitor import Monitor
from distill.training.session.result import TrainingResult
from distill.training.session.signals import Cancel, StopSignals
from distill.training.session.training_session import TrainingSession
from distill.training.watch.event_lines import (
    Gaps,
    MetricsCallback,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    call_back,
    events_from_lines,
)

_LONGEST_LAST_LINE = 4096
_log = logging.getLogger(__name__)


def run_session(
    folder: RunWriter,
    *,
    corpus: AudioCorpus | None = None,
    callback: MetricsCallback | None = None,
    cancel_event: Cancel | None = None,
    signals: StopSignals | None = None,
    progress: bool = False,
    explain: Callable[[Exception], Exception] = lambda error: error,
    decoded: DecodedSounds | None = None,
) -> TrainingResult:
    """Trains what the folder's request asks for, from where its newest checkpoint is.

    Args:
        folder: held by the caller.
        corpus: the sounds, where they were read already.
        callback: gets every event of this session.
        cancel_event: once set, training stops and keeps the model.
        signals: those that ask for the same, where the caller receives them.
        progress: shows a bar while sounds are read.
        explain: finds the cause of an error that ended the session; see `Replicas`.
        decoded: what need not be decoded again of the sounds.

    Raises:
        DistillError: whatever ended the run; it is also the run's last event.
    """
    # A run that ended well stays as it is until another session of it can begin.
    before = _ended_well(folder)
    monitor = Monitor(folder, cancel_event, signals=signals, fallback=before or states.FAILED)
    with monitor, restored_rng():
        session: TrainingSession | None = None
        try:
            request = RunRequest.from_dict(folder.read_request())
            if request.devices > 1 and Placement.from_environment().processes == 1:
                check_devices(request.device, request.devices)  # or there would be others
            unseen = corpus is None
            corpus = corpus or _read_corpus(
                request, folder, monitor, progress=progress, decoded=decoded
            )
            session = TrainingSession(request, corpus, folder, monitor, callback)
            # Events are forgotten before the new session is reported: watchers read anew after it.
            point = find_resume_point(folder, request.config)
            monitor.begin_session()
            before = None
            if unseen and point is None and (said := remarks(corpus.files, corpus.refusals)):
                session.reporter.log.warn("corpus", said)
            session.new_sounds = about_new_sounds(request) if unseen and point is not None else ""
            return session.train(point)
        except Exception as error:
            cause = monitor.lost or explain(with_advice(error))
            model = session.keep_what_is_good() if session and not before else None
            event = TrainingFailedEvent(type(cause).__name__, str(cause), model)
            if before:
                call_back(callback, event)
            else:
                _report(session, folder, callback, event)
                monitor.enter(states.FAILED)
            if cause is error:
                raise
            raise cause from error


def _ended_well(folder: RunWriter) -> str | None:
    """The state of a run whose last session ended well; None where it did not."""
    lines, _ = folder.read_lines(max(0, folder.events_bytes - _LONGEST_LAST_LINE))
    last = next(events_from_lines(lines[-1:], Gaps()), None)
    if not isinstance(last, TrainingCompleteEvent):
        return None
    return states.STOPPED if last.reason == STOPPED else states.FINISHED


def _read_corpus(
    request: RunRequest, folder: RunWriter, monitor: Monitor, **options: Any
) -> AudioCorpus:
    try:
        return read_corpus(request, last_host=folder.last_host, cancel=monitor.no_time, **options)
    except CorpusError as error:
        if monitor.lost or not monitor.no_time.is_set():
            raise
        raise TrainingError(
            "stopped by signals while its sounds were read: nothing was learned in this session; "
            "resume goes on from where the run was"
        ) from error


@contextlib.contextmanager
def restored_rng() -> Iterator[None]:
    """Leaves torch's global generators, which were the caller's before, as they were."""
    # Where CUDA was not begun yet there is no state of anybody's, and asking would begin it.
    begun = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = torch.cuda.get_rng_state_all() if begun else []
    outer = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(outer)
        if devices:
            torch.cuda.set_rng_state_all(devices)


def _report(
    session: TrainingSession | None,
    folder: RunWriter,
    callback: MetricsCallback | None,
    event: TrainingFailedEvent,
) -> None:
    if session:
        session.reporter.log.emit(event)
        return
    try:
        folder.append(event)
    except OSError:
        _log.exception("the end of the run could not be written")
    call_back(callback, event)
