"""TrainingSession: a run from its beginning or its checkpoint to a saved model."""

from __future__ import annotations

import contextlib
import copy
import logging
import time
from functools import partial
from typing import Any

from distill.audio.corpus import AudioCorpus
from distill.errors import DistillError, ModelFileError
from distill.models.file.persistence import model_bytes, save_model
from distill.training.engine.contention import Contention
from distill.training.engine.engine import STOPPED, Engine
from distill.training.engine.task import Task
from distill.training.engine.waiting import expect_company
from distill.training.run import states
from distill.training.run.codec import material_of
from distill.training.run.layout import MOMENT, SERIAL, WEIGHTS
from distill.training.run.preparation import write_request
from distill.training.run.request import RunRequest
from distill.training.run.resume_point import ResumePoint
from distill.training.run.writer import RunWriter
from distill.training.session.assembly import assemble
from distill.training.session.failures import is_full
from distill.training.session.monitor import Monitor
from distill.training.session.reporter import RunReporter
from distill.training.session.result import TrainingResult
from distill.training.watch.event_lines import MetricsCallback, ResumeEvent, TrainingCompleteEvent
from distill.versions import library_versions

_WAITS_FOR_ROOM_S, _POLLS_FOR_ROOM_S = 60.0, 0.5
_log = logging.getLogger(__name__)


class TrainingSession:
    """Corpus, model, engine and reporter of a run, put together.

    Args:
        request: what is asked of the run.
        corpus: its sounds.
        folder: held by the caller.
        monitor: receives its commands.
        callback: gets every event.
    """

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
                task,
                folder,
                monitor,
                callback=callback,
                save_model=self._save_model,
                write_weights=self._hand_over_weights,
            )

        self.material = material_of(request, folder.path, corpus, self.split)
        self.engine, self.reporter = assemble(request, self.material, make_reporter)

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
            except DistillError:  # the first error is the one to report
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
        warned = False
        while True:
            try:
                return self._save_model(self.engine)
            except ModelFileError as error:
                if not is_full(error) or self.monitor.wants_stop_now or time.monotonic() > ends:
                    raise
                if not warned:
                    warned = True
                    self.reporter.log.warn(
                        "disk",
                        f"no room for the model in {self.folder.path}: training is over and waits "
                        f"for {_WAITS_FOR_ROOM_S:.0f} seconds; make room",
                    )
                self.monitor.wait_for_change(_POLLS_FOR_ROOM_S)

    def _hand_over_weights(self, engine: Engine, serial: int) -> None:
        """Writes the weights as they are now, for somebody who will have them make sound."""
        expect_company()  # already now: until threads take turns it takes a moment
        self._write_weights(engine, serial)
        expect_company()

    def _write_weights(self, engine: Engine, serial: int) -> None:
        """Writes their file; no model is made, which would draw random numbers.

        Not to last: nothing waits for the disk, but where a prior's codec goes into the file, too.
        """
        of_codec, progress = self.request.family.of_codec, _progress(engine)
        if of_codec is not None:  # no model by themselves
            self.folder.follow_move()
            of_codec.save(
                self.folder.model_path.with_name(WEIGHTS),
                copy.deepcopy(engine.task.module).cpu(),
                material=self.material,
                moment={MOMENT: progress, SERIAL: serial},
            )
            return
        data = model_bytes(
            WEIGHTS,
            self.config,
            engine.task.module.state_dict(),
            {"name": self.request.name, "training": progress, SERIAL: serial},
        )
        with self.folder.files.write(WEIGHTS, durable=False) as file:
            file.write(data)

    def _save_model(self, engine: Engine) -> None:
        """Writes the best weights so far; the engine's own stay as they are."""
        self.folder.follow_move()
        model = self.request.family.build(self.config)
        model.load_state_dict(engine.weights_to_keep)
        corpus, of_codec = self.corpus, self.request.family.of_codec
        # What is about a codec becomes a part of its file.
        save = save_model if of_codec is None else partial(of_codec.save, material=self.material)
        save(
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
                "training": _progress(engine),
                **({"start": start} if (start := self.request.start.about) else {}),
            },
            health=self.reporter.best_health,
            loss_curves=self.reporter.history.curves(),
            overwrite=True,
        )


def _progress(engine: Engine) -> dict[str, Any]:
    """How far a training is, as metadata of a model says it."""
    return {
        "epochs": engine.epoch,
        "steps": engine.step,
        "seconds": round(engine.elapsed_s, 3),
        "best_epoch": engine.best_epoch,
    }
