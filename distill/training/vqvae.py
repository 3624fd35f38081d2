"""Training an RVQ-VAE: thin fronts of the one engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from distill.audio.corpus import AudioCorpus, Source
from distill.audio.segments import SegmentSampler, whole_sounds
from distill.audio.spectrogram import LogMel
from distill.audio.split import Split
from distill.audio.vocoder import GriffinLimVocoder
from distill.config import VQVAEConfig
from distill.errors import DistillError
from distill.models.loaded import LoadedVQModel
from distill.models.persistence import load_model_v2, save_model_v2
from distill.models.vqvae import ConvVQVAE
from distill.training.device import choose_device, make_fabric
from distill.training.engine import Engine
from distill.training.history import VQMetricsHistory
from distill.training.loop import Batch, EpochResult, Learner, run_epoch
from distill.training.metrics import (
    MetricsCallback,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    call_back,
)
from distill.training.preview import choose_preview_sounds
from distill.training.reporter import VQReporter
from distill.training.run_folder import RunFolder, RunWriter
from distill.versions import library_versions

_VALIDATION_PIECE_SEGMENTS = 4
_log = logging.getLogger(__name__)


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


def train_vqvae(
    config: VQVAEConfig,
    file_paths: Source | AudioCorpus,
    output_dir: str | Path,
    device: str = "auto",
    callback: MetricsCallback | None = None,
    cancel_event: threading.Event | None = None,
    *,
    model_name: str | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> TrainingResult:
    """Trains on a folder of recordings and keeps the best weights as `model.distill`.

    Args:
        config: see `get_adaptive_vqvae_config`.
        file_paths: a folder, a file, several of either, or a corpus scanned before.
        output_dir: the run folder, made if missing.
        device: auto, cpu, cuda, cuda:1 or mps.
        callback: gets every event in the training thread; one that raises is detached.
        cancel_event: once set, training finishes its step, validates and keeps the model.
        model_name: default the name of the run folder.
        overwrite: replaces an earlier run in `output_dir`.
        progress: shows a bar while sounds are read.

    Raises:
        ConfigError: no such device.
        CorpusError: no usable sound; the message lists why.
        RunFolderError: the folder is taken, not empty, or cannot be written.
        TrainingError: ten steps in a row were not finite; the last good weights are kept.

    """
    told = False
    try:
        chosen = choose_device(device)
        RunFolder(output_dir).check_free(overwrite=overwrite)
        corpus = _corpus(file_paths, config.spectrogram.sample_rate, progress)
        with RunFolder.trainer(output_dir, overwrite=overwrite) as folder:
            run = _Run(config, corpus, folder, chosen, callback, model_name)
            told = True
            return run.train(cancel_event.is_set if cancel_event else lambda: False)
    except Exception as error:
        if not told:
            call_back(callback, TrainingFailedEvent(type(error).__name__, str(error)))
        raise


def train_vqvae_epoch(
    model: nn.Module,
    batches: Iterable[Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    gradient_clip: float = 1.0,
) -> EpochResult:
    """Trains a model once over batches, on the device it is on.

    Args:
        model: an AudioModel, such as ConvVQVAE.
        batches: log-mel frames, (batch, n_mels, frames).
        optimizer: of the model's parameters.
        gradient_clip: largest norm of a gradient.

    Raises:
        TrainingError: ten batches in a row were not finite.

    """
    fabric = make_fabric(next(model.parameters()).device)
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer, move_to_device=False)
    learner = Learner(wrapped, wrapped_optimizer, fabric, gradient_clip)
    return run_epoch(wrapped, ((mel, 1.0) for mel in batches), learner=learner)


def validate_vqvae_epoch(model: nn.Module, batches: Iterable[Tensor]) -> EpochResult:
    """Judges a model once over batches, (batch, n_mels, frames), changing nothing in it."""
    was_training = model.training
    try:
        return run_epoch(model, ((mel, float(mel.shape[0] * mel.shape[-1])) for mel in batches))
    finally:
        model.train(was_training)


class _Run:
    """One training: corpus, model, engine and reporter, put together."""

    def __init__(
        self,
        config: VQVAEConfig,
        corpus: AudioCorpus,
        folder: RunWriter,
        device: torch.device,
        callback: MetricsCallback | None,
        name: str | None,
    ) -> None:
        self.config, self.corpus, self.folder = config, corpus, folder
        self.name = name or folder.path.resolve().name
        split = corpus.split(config.validation_fraction)
        folder.write_request(self._request(split, device))
        # The library draws from torch's global generator: seed it here, give it back in `train`.
        self._outer_rng = torch.get_rng_state()
        torch.manual_seed(config.seed)
        model = ConvVQVAE(config)
        log_mel = LogMel(config.spectrogram).to(device)
        hop = config.spectrogram.hop_length
        sampler = SegmentSampler(
            split.training,
            segment_samples=(config.segment_frames - 1) * hop,
            batch_size=config.batch_size,
            gain_db=config.augment_gain_db,
            seed=config.seed,
        )
        self.reporter = VQReporter(
            config,
            folder,
            callback=callback,
            log_mel=log_mel,
            vocoder=GriffinLimVocoder(log_mel),
            preview_sounds=choose_preview_sounds(
                split.validation,
                [corpus.files[index].path.stem for index in split.validation_files],
                count=config.preview_count,
                samples=int(config.preview_seconds * config.spectrogram.sample_rate),
            ),
        )
        self._frames_of: Callable[[Tensor], Tensor] = lambda waves: log_mel(
            waves.to(device, non_blocking=True)
        )
        self._split, self._hop = split, hop
        self._sampler, self._model, self._device = sampler, model, device

    def train(self, should_stop: Callable[[], bool]) -> TrainingResult:
        reporter = self.reporter
        reporter.status("starting")
        engine: Engine | None = None
        try:
            engine = Engine(
                self._model,
                self.config,
                fabric=make_fabric(self._device),
                sampler=self._sampler,
                frames_of=self._frames_of,
                validation=self._validation,
                training_samples=sum(map(len, self._split.training)),
                reporter=reporter,
                should_stop=should_stop,
            )
            try:
                reason = engine.run()
            except KeyboardInterrupt:
                self._finish(engine, "stopped")
                raise
            return self._finish(engine, reason)
        except Exception as error:
            self._fail(engine, error)
            raise
        finally:
            torch.set_rng_state(self._outer_rng)

    def _finish(self, engine: Engine, reason: str) -> TrainingResult:
        reporter = self.reporter
        if reporter.history.epochs:
            reporter.checkpoint(engine)
        self._save_model(engine)
        done = TrainingCompleteEvent(
            reason=reason,
            model_path=self.folder.model_path.name,
            best_epoch=engine.best_epoch,
            best_val_loss=engine.best_loss,
            epochs=engine.epoch,
            steps=engine.step,
            elapsed_s=engine.elapsed_s,
        )
        if self.config.preview_every_epochs:
            reporter.preview(engine, engine.best_epoch)
        reporter.emit(done)
        reporter.status("stopped" if reason == "stopped" else "finished", engine)
        return TrainingResult(
            model_path=self.folder.model_path,
            reason=reason,
            best_epoch=done.best_epoch,
            best_val_loss=done.best_val_loss,
            epochs=done.epochs,
            steps=done.steps,
            elapsed_s=done.elapsed_s,
            history=reporter.history,
        )

    def _fail(self, engine: Engine | None, error: Exception) -> None:
        kept = None
        if engine and engine.best_weights and not self.folder.model_path.exists():
            try:
                self._save_model(engine)
            except DistillError:  # the first error is the one to tell
                _log.exception("the last good weights could not be kept")
        if self.folder.model_path.exists():
            kept = self.folder.model_path.name
        self.reporter.emit(TrainingFailedEvent(type(error).__name__, str(error), kept))
        self.reporter.status("failed", engine)

    def _save_model(self, engine: Engine) -> None:
        engine.inner.load_state_dict(engine.best_weights)
        corpus = self.corpus
        save_model_v2(
            self.folder.model_path,
            engine.inner,
            metadata={
                "name": self.name,
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

    def _validation(self) -> Iterator[Batch]:
        segment = self._sampler.segment_samples
        pieces = whole_sounds(
            self._split.validation,
            piece_samples=_VALIDATION_PIECE_SEGMENTS * segment,
            batch_samples=2 * self.config.batch_size * segment,
        )
        for waves, lengths in pieces:
            yield self._frames_of(waves), float(sum(1 + n // self._hop for n in lengths))

    def _request(self, split: Split, device: torch.device) -> dict[str, Any]:
        judged = set(split.validation_files)
        parts = "both" if len(self.corpus) == 1 else None
        return {
            "name": self.name,
            "model_type": "vqvae",
            "config": self.config.to_dict(),
            "device": str(device),
            "versions": library_versions(),
            "corpus": [
                {
                    "path": str(file.path.resolve()),
                    "sha256": file.sha256,
                    "seconds": file.seconds,
                    "split": parts or ("validation" if index in judged else "training"),
                }
                for index, file in enumerate(self.corpus.files)
            ],
        }


def _corpus(source: Source | AudioCorpus, sample_rate: int, progress: bool) -> AudioCorpus:
    if isinstance(source, AudioCorpus) and source.sample_rate == sample_rate:
        return source
    if isinstance(source, AudioCorpus):  # scanned for another rate
        source = [file.path for file in source.files]
    return AudioCorpus.scan(source, sample_rate=sample_rate, progress=progress)
