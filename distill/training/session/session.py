"""One session of a run: from the request in its folder, or its newest checkpoint, to a model."""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from distill.audio.corpus import AudioCorpus
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.report import remarks
from distill.errors import CorpusError, DistillError, ModelFileError, TrainingError
from distill.models.device import check_devices
from distill.models.file.persistence import save_model
from distill.training.engine.contention import Contention
from distill.training.engine.engine import STOPPED, Engine
from distill.training.engine.placement import Placement
from distill.training.engine.task import Task
from distill.training.run import states
from distill.training.run.preparation import write_request
from distill.training.run.request import RunRequest
from distill.training.run.resume_point import ResumePoint, find_resume_point
from distill.training.run.writer import RunWriter
from distill.training.session.assembly import assemble
from distill.training.session.monitor import Monitor
from distill.training.session.reporter import RunReporter
from distill.training.session.result import TrainingResult
from distill.training.session.signals import Cancel, StopSignals
from distill.training.watch.event_lines import (
    Gaps,
    MetricsCallback,
    ResumeEvent,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    call_back,
    events_from_lines,
)
from distill.versions import library_versions

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # Linux, Windows, MPS
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_WAITS_FOR_ROOM_S, _LOOKS_FOR_ROOM_S = 60.0, 0.5
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
    with monitor, kept_rng():
        session: _Session | None = None
        try:
            request = RunRequest.from_dict(folder.read_request())
            if request.devices > 1 and Placement.from_environment().processes == 1:
                check_devices(request.device, request.devices)  # or there would be others
            unseen = corpus is None
            corpus = corpus or _read_corpus(
                request, folder, monitor, progress=progress, decoded=decoded
            )
            session = _Session(request, corpus, folder, monitor, callback)
            # Events are forgotten before the new session is reported: watchers read anew after it.
            point = find_resume_point(folder, request.config)
            monitor.begin_session()
            before = None
            if unseen and point is None and (said := remarks(corpus.files, corpus.refusals)):
                session.reporter.log.warn("corpus", said)
            session.new_sounds = request.about_new_sounds() if unseen and point is not None else ""
            return session.train(point)
        except Exception as error:
            told = monitor.lost or explain(as_told(error))
            kept = session.keep_what_is_good() if session and not before else None
            event = TrainingFailedEvent(type(told).__name__, str(told), kept)
            if before:
                call_back(callback, event)
            else:
                _report(session, folder, callback, event)
                monitor.enter(states.FAILED)
            if told is error:
                raise
            raise told from error


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
        return request.read_corpus(last_host=folder.last_host, cancel=monitor.no_time, **options)
    except CorpusError as error:
        if monitor.lost or not monitor.no_time.is_set():
            raise
        raise TrainingError(
            "stopped by signals while its sounds were read: nothing was learned in this session; "
            "resume goes on from where the run was"
        ) from error


@contextlib.contextmanager
def kept_rng() -> Iterator[None]:
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


def as_told(error: Exception) -> Exception:
    """The same error, in words that help."""
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _NO_MEMORY)
    )
    if is_full(error):
        return TrainingError(
            f"the disk is full ({error}): nothing that a checkpoint holds is lost; make room, then "
            "resume"
        )
    if out_of_memory:
        detail = (str(error) or "MemoryError").splitlines()[0]
        return TrainingError(
            "out of memory: a smaller batch_size, segment_frames or width needs less; "
            f"the run can be resumed ({detail})"
        )
    return error


def is_full(error: BaseException | None) -> bool:
    """Whether it comes from a disk, or a share of one, that has no room left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        error = error.__cause__
    return False


def _report(
    session: _Session | None,
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


class _Session:
    """Corpus, model, engine and reporter of a run, put together."""

    def __init__(
        self,
        request: RunRequest,
        corpus: AudioCorpus,
        folder: RunWriter,
        monitor: Monitor,
        callback: MetricsCallback | None,
    ) -> None:
        config = request.config
        self.request, self.config, self.corpus = request, config, corpus
        self.folder, self.monitor = folder, monitor
        self.new_sounds = ""
        """What to say of sounds that are no part of a run that is resumed."""
        self.split = corpus.split(config.validation_fraction)
        if not request.corpus:
            write_request(folder.files, request.with_corpus(corpus, self.split).to_dict())

        def make_reporter(task: Task) -> RunReporter:
            return RunReporter(
                task, folder, monitor, callback=callback, save_model=self._save_model
            )

        self.engine, self.reporter = assemble(request, self.split, make_reporter)

    def train(self, point: ResumePoint | None) -> TrainingResult:
        """Trains until the run ends, from where it was saved or from its beginning."""
        engine, monitor = self.engine, self.monitor
        self._resume(point)
        if not monitor.wants_stop:
            monitor.enter(states.RUNNING)
        self._began_with, self._contention = engine.step, Contention()
        try:
            reason = engine.run()
        except KeyboardInterrupt:
            self._finish(STOPPED)
            raise
        self.reporter.refuse_if_lost(engine)  # noticed while it validated, which was cut short
        return self._finish(reason)

    def keep_what_is_good(self) -> str | None:
        """Saves the best weights there are; names the model file, or None where there is none."""
        if self.engine.best_weights:
            try:
                self._save_model(self.engine)
            except DistillError:  # the first error is the one to tell
                _log.exception("the last good weights could not be kept")
        return self.folder.model_path.name if self.folder.model_path.exists() else None

    def _resume(self, point: ResumePoint | None) -> None:
        """Resumes the run where it was saved; one that was not begins with its start."""
        self.engine.fabric.broadcast(str(point.path) if point else None)
        if point is None:
            self.request.start.apply(self.engine.task.module)
            if self.request.start.remark:
                self.reporter.log.warn("start", self.request.start.remark)
            if self.folder.session > 1:  # died before its first checkpoint
                self.reporter.log.emit(ResumeEvent(0, 0, self.folder.session))
            return
        self.engine.load_state_dict(point.state)
        self.reporter.resume(point.state["reporter"], self.engine)
        for problem in point.problems:
            self.reporter.log.warn("checkpoint", f"{problem}; went back to {point.path.name}")
        for kind, said in (("events", point.missing_events), ("corpus", self.new_sounds)):
            if said:
                self.reporter.log.warn(kind, said)
        self._warn_of_devices(point.state.get("processes"))
        self._warn_of_versions()

    def _warn_of_devices(self, before: int | None) -> None:
        """Where a batch is taken by each of another number of processes."""
        now, each = self.engine.fabric.world_size, self.config.batch_size
        if before not in (None, now):
            self.reporter.log.warn(
                "devices",
                f"trains in {now} process{'es' * (now > 1)} from here on, before in {before}: each "
                f"takes batch_size={each} segments, so a step learns from {now * each}, before "
                f"from {before * each}; an epoch has {self.engine.steps_per_epoch} steps",
            )

    def _warn_of_versions(self) -> None:
        now, then = library_versions(), self.request.versions
        changed = [
            f"{name} {then[name]} → {now.get(name)}" for name in then if now.get(name) != then[name]
        ]
        if changed:
            self.reporter.log.warn(
                "versions",
                f"goes on with other libraries than it began with ({', '.join(changed)}): what "
                "follows may differ slightly from a run never interrupted",
            )

    def _finish(self, reason: str) -> TrainingResult:
        engine, reporter = self.engine, self.reporter
        if reason == STOPPED:
            self.monitor.enter(states.STOPPING)
        self._save_model_once_there_is_room()
        hurried = self.monitor.wants_stop_now or not self.monitor.signals.from_a_person
        if self.config.preview_every_epochs and not hurried:
            engine.task.module.load_state_dict(engine.weights_to_keep)
            reporter.preview(engine, engine.best_epoch)
        if reason == "max_seconds":
            few = self._contention.few_steps(engine.step - self._began_with)
            if few is not None:
                reporter.log.warn("busy", few)
        done = TrainingCompleteEvent(
            reason=reason,
            model_path=self.folder.model_path.name,
            best_epoch=engine.best_epoch,
            best_val_loss=engine.best_loss,
            epochs=engine.epoch,
            steps=engine.step,
            elapsed_s=engine.elapsed_s,
        )
        reporter.log.emit(done)
        with contextlib.suppress(OSError):  # the state must not outlive what it is the end of
            self.folder.sync_events()
        self.monitor.move(engine.epoch, engine.step)
        self.monitor.enter(states.STOPPED if reason == STOPPED else states.FINISHED)
        return TrainingResult.of(self.folder.model_path, done, reporter.history)

    def _save_model_once_there_is_room(self) -> None:
        ends = time.monotonic() + _WAITS_FOR_ROOM_S
        told = False
        while True:
            try:
                return self._save_model(self.engine)
            except ModelFileError as error:
                if not is_full(error) or self.monitor.wants_stop_now or time.monotonic() > ends:
                    raise
                if not told:
                    told = True
                    self.reporter.log.warn(
                        "disk",
                        f"no room for the model in {self.folder.path}: training is over and waits "
                        f"for {_WAITS_FOR_ROOM_S:.0f} seconds; make room",
                    )
                self.monitor.wait_for_change(_LOOKS_FOR_ROOM_S)

    def _save_model(self, engine: Engine) -> None:
        """Writes the best weights so far; the engine's own stay as they are."""
        self.folder.follow_move()
        model = self.request.family.build(self.config)
        model.load_state_dict(engine.weights_to_keep)
        corpus = self.corpus
        save_model(
            self.folder.model_path,
            model,
            metadata={
                "name": self.request.name,
                "corpus": {
                    "files": len(corpus),
                    "seconds": round(corpus.seconds, 3),
                    "sample_rates": sorted({file.sample_rate for file in corpus.files}),
                    "refused": len(corpus.refusals),
                },
                "training": {
                    "epochs": engine.epoch,
                    "steps": engine.step,
                    "seconds": round(engine.elapsed_s, 3),
                    "best_epoch": engine.best_epoch,
                },
                **({"start": start} if (start := self.request.start.about) else {}),
            },
            health=self.reporter.best_health,
            loss_curves=self.reporter.history.curves(),
            overwrite=True,
        )
