"""One session of a run: from the request in its folder, or its newest checkpoint, to a model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from distill.audio.corpus import AudioCorpus
from distill.audio.segments import SegmentSampler, whole_sounds
from distill.audio.spectrogram import LogMel
from distill.audio.split import Split
from distill.audio.vocoder import GriffinLimVocoder
from distill.errors import CheckpointError, DistillError, TrainingError
from distill.models.loaded import LoadedVQModel
from distill.models.persistence import load_model_v2, save_model_v2
from distill.models.vqvae import ConvVQVAE
from distill.training import states
from distill.training.checkpoint import list_checkpoints, load_vqvae_checkpoint
from distill.training.device import choose_device, make_fabric
from distill.training.engine import STOPPED, Engine, Reporter
from distill.training.history import VQMetricsHistory
from distill.training.loop import Batch, EpochResult, StepResult
from distill.training.metrics import (
    MetricsCallback,
    TrainingCompleteEvent,
    TrainingFailedEvent,
)
from distill.training.monitor import Monitor
from distill.training.preview import choose_preview_sounds
from distill.training.reporter import VQReporter
from distill.training.request import RunRequest
from distill.training.run_folder import RunFolder
from distill.training.run_writer import RunWriter, write_request
from distill.versions import library_versions

_log = logging.getLogger(__name__)
_VALIDATION_PIECE_SEGMENTS = 4


@dataclass(frozen=True)
class TrainingResult:
    """What a run left behind."""

    model_path: Path
    reason: str
    """What ended it: max_epochs, max_steps, max_seconds or stopped."""
    best_epoch: int
    best_val_loss: float
    epochs: int
    steps: int
    elapsed_s: float
    history: VQMetricsHistory

    def load(self) -> LoadedVQModel:
        """The trained model, ready to use."""
        return load_model_v2(self.model_path)

    @classmethod
    def of(
        cls, model_path: Path, event: TrainingCompleteEvent, history: VQMetricsHistory
    ) -> TrainingResult:
        """The result a run's last event tells of."""
        return cls(
            model_path=model_path,
            reason=event.reason,
            best_epoch=event.best_epoch,
            best_val_loss=event.best_val_loss,
            epochs=event.epochs,
            steps=event.steps,
            elapsed_s=event.elapsed_s,
            history=history,
        )


def run_session(
    folder: RunWriter,
    *,
    corpus: AudioCorpus | None = None,
    callback: MetricsCallback | None = None,
    cancel_event: threading.Event | None = None,
    progress: bool = False,
) -> TrainingResult:
    """Trains what the folder's request asks for, from where its newest checkpoint is.

    Args:
        folder: held by the caller.
        corpus: the sounds, where they were read already.
        callback: gets every event of this session.
        cancel_event: once set, training stops and keeps the model.
        progress: shows a bar while sounds are read.

    Raises:
        DistillError: whatever ended the run; it is also the run's last event.
    """
    with Monitor(folder, cancel_event) as monitor:
        session: _Session | None = None
        outer_rng = torch.get_rng_state()
        try:
            request = RunRequest.from_dict(folder.read_request())
            corpus = corpus or request.read_corpus(progress=progress)
            session = _Session(request, corpus, folder, monitor, callback)
            return session.train()
        except Exception as error:
            told = as_told(error)
            kept = session.keep_what_is_good() if session else None
            event = TrainingFailedEvent(type(told).__name__, str(told), kept)
            _tell(session, folder, callback, event)
            monitor.enter(states.FAILED)
            if told is error:
                raise
            raise told from error
        finally:
            # The library draws from torch's global generator, which was the caller's before.
            torch.set_rng_state(outer_rng)


def as_told(error: Exception) -> Exception:
    """The same error, in words that help."""
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
    if out_of_memory:
        detail = (str(error) or "MemoryError").splitlines()[0]
        return TrainingError(
            "out of memory: a smaller batch_size, segment_frames or width needs less; "
            f"the run can be resumed ({detail})"
        )
    return error


def _tell(
    session: _Session | None,
    folder: RunWriter,
    callback: MetricsCallback | None,
    event: TrainingFailedEvent,
) -> None:
    if session:
        session.reporter.emit(event)
        return
    try:
        folder.append(event)
    except OSError:
        _log.exception("the end of the run could not be written")
    if callback:
        callback(event)


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
        self.split = corpus.split(config.validation_fraction)
        if not request.corpus:
            write_request(folder.path, request.with_corpus(corpus, self.split).to_dict())
        self.fabric = make_fabric(choose_device(request.device))
        torch.manual_seed(config.seed)
        model = ConvVQVAE(config)
        self.log_mel = LogMel(config.spectrogram).to(self.fabric.device)
        self.sampler = make_sampler(request, self.split)
        names = [corpus.files[index].path.stem for index in self.split.validation_files]
        self.reporter = VQReporter(
            config,
            folder,
            monitor,
            callback=callback,
            log_mel=self.log_mel,
            vocoder=GriffinLimVocoder(self.log_mel),
            preview_sounds=choose_preview_sounds(
                self.split.validation,
                names,
                count=config.preview_count,
                samples=int(config.preview_seconds * config.spectrogram.sample_rate),
            ),
            save_model=self._save_model,
        )
        self.engine = make_engine(
            request, model, self.fabric, self.log_mel, self.sampler, self.split, self.reporter
        )

    def train(self) -> TrainingResult:
        """Trains until the run ends."""
        engine, monitor = self.engine, self.monitor
        self._go_on()
        if not monitor.wants_stop:
            monitor.enter(states.RUNNING)
        try:
            reason = engine.run()
        except KeyboardInterrupt:
            self._finish(STOPPED)
            raise
        return self._finish(reason)

    def keep_what_is_good(self) -> str | None:
        """Saves the best weights there are; names the model file, or None where there is none."""
        if self.engine.best_weights:
            try:
                self._save_model(self.engine)
            except DistillError:  # the first error is the one to tell
                _log.exception("the last good weights could not be kept")
        return self.folder.model_path.name if self.folder.model_path.exists() else None

    def _go_on(self) -> None:
        """Takes up the newest checkpoint that can be read."""
        checkpoints = list_checkpoints(self.folder.checkpoints)
        if not checkpoints:
            self.fabric.broadcast(None)
            self.folder.rewind_events(0)
            return
        problems: list[str] = []
        for info in checkpoints:
            try:
                state = load_vqvae_checkpoint(info.path)
            except CheckpointError as error:
                problems.append(str(error))
                info.path.unlink()  # or it would be the newest again
                continue
            self.fabric.broadcast(str(info.path))
            past = self.folder.rewind_events(state["events_bytes"])
            self.engine.load_state_dict(state)
            self.reporter.go_on(state["reporter"], past)
            for problem in problems:
                self.reporter.warn("checkpoint", f"{problem}; went back to {info.path.name}")
            self._warn_of_versions()
            return
        raise CheckpointError(
            f"{self.folder.checkpoints}: none of its checkpoints can be read "
            f"({'; '.join(problems)}); start a new run"
        )

    def _warn_of_versions(self) -> None:
        now, then = library_versions(), self.request.versions
        changed = [f"{name} {then[name]} → {now.get(name)}" for name in then
                   if now.get(name) != then[name]]  # fmt: skip
        if changed:
            self.reporter.warn(
                "versions",
                f"goes on with other libraries than it began with ({', '.join(changed)}): what "
                "follows may differ slightly from a run never interrupted",
            )

    def _finish(self, reason: str) -> TrainingResult:
        engine, reporter = self.engine, self.reporter
        if reason == STOPPED:
            self.monitor.enter(states.STOPPING)
        self._save_model(engine)
        if self.config.preview_every_epochs:
            engine.inner.load_state_dict(engine.best_weights)
            reporter.preview(engine, engine.best_epoch)
        done = TrainingCompleteEvent(
            reason=reason,
            model_path=self.folder.model_path.name,
            best_epoch=engine.best_epoch,
            best_val_loss=engine.best_loss,
            epochs=engine.epoch,
            steps=engine.step,
            elapsed_s=engine.elapsed_s,
        )
        reporter.emit(done)
        self.monitor.move(engine.epoch, engine.step)
        self.monitor.enter(states.STOPPED if reason == STOPPED else states.FINISHED)
        return TrainingResult.of(self.folder.model_path, done, reporter.history)

    def _save_model(self, engine: Engine) -> None:
        """Writes the best weights so far; the engine's own stay as they are."""
        model = ConvVQVAE(self.config)
        model.load_state_dict(engine.best_weights)
        corpus = self.corpus
        save_model_v2(
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
            },
            codebook_health=self.reporter.best_health,
            loss_curves=self.reporter.history.curves(),
        )


def make_sampler(request: RunRequest, split: Split) -> SegmentSampler:
    """The crops a run learns from."""
    config = request.config
    return SegmentSampler(
        split.training,
        segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
        seed=config.seed,
    )


def make_engine(
    request: RunRequest,
    model: ConvVQVAE,
    fabric: Fabric,
    log_mel: LogMel,
    sampler: SegmentSampler,
    split: Split,
    reporter: Reporter,
) -> Engine:
    """The engine of a run; the same in every process of a run on several devices."""
    config, hop = request.config, request.config.spectrogram.hop_length

    def frames_of(waves: Tensor) -> Tensor:
        mel: Tensor = log_mel(waves.to(fabric.device, non_blocking=True))
        return mel

    def validation() -> Iterator[Batch]:
        pieces = whole_sounds(
            split.validation,
            piece_samples=_VALIDATION_PIECE_SEGMENTS * sampler.segment_samples,
            batch_samples=2 * config.batch_size * sampler.segment_samples,
        )
        for waves, lengths in pieces:
            yield frames_of(waves), float(sum(1 + length // hop for length in lengths))

    return Engine(
        model,
        config,
        fabric=fabric,
        sampler=sampler,
        frames_of=frames_of,
        validation=validation,
        training_samples=sum(map(len, split.training)),
        reporter=reporter,
    )


class _Silent:
    """The reporter of a process that only computes: it says nothing and wants nothing."""

    def between_steps(self, engine: Engine) -> str | None:  # noqa: ARG002
        """See `Reporter`."""
        return None

    def step_done(self, engine: Engine, result: StepResult, rate: float) -> None:
        """See `Reporter`."""

    def step_skipped(self, engine: Engine, reason: str) -> None:
        """See `Reporter`."""

    def epoch_done(
        self, engine: Engine, training: EpochResult, validation: EpochResult, is_best: bool
    ) -> None:
        """See `Reporter`."""

    def last_moment(self, engine: Engine) -> None:
        """See `Reporter`."""


def run_replica(path: Path) -> None:
    """Computes along in a run on several devices; the first process alone touches its folder.

    Raises:
        DistillError: whatever ended the run.
    """
    request = RunRequest.from_dict(RunFolder(path).read_request())
    corpus = request.read_corpus(progress=False)
    split = corpus.split(request.config.validation_fraction)
    fabric = make_fabric(choose_device(request.device))
    torch.manual_seed(request.config.seed)
    model = ConvVQVAE(request.config)
    log_mel = LogMel(request.config.spectrogram).to(fabric.device)
    sampler = make_sampler(request, split)
    engine = make_engine(request, model, fabric, log_mel, sampler, split, _Silent())
    checkpoint = fabric.broadcast(None)
    if checkpoint is not None:
        engine.load_state_dict(load_vqvae_checkpoint(Path(checkpoint)))
    engine.run()
