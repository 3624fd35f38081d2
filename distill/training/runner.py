"""TrainingRunner: start a training, close the lid, come back to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tqdm.auto import tqdm

from distill import errors
from distill.audio.corpus import AudioCorpus, Source
from distill.config import TrainingConfig, VQVAEConfig
from distill.errors import DistillError, RunFolderError, RunnerBusyError
from distill.family import model_config
from distill.models.device import check_devices
from distill.names import printable
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.handle import RunHandle
from distill.training.run.request import RunRequest, check_source
from distill.training.run.runs import RunList, list_runs
from distill.training.run.start import RunStart, StartFrom
from distill.training.run.preparation import begin_run, extend_run
from distill.training.session.result import TrainingResult
from distill.training.trainers import ProcessTrainer, ThreadTrainer, Trainer
from distill.training.watch.event_lines import MetricsCallback
from distill.training.watch.history import MetricsHistory
from distill.training.watched_run import RunSnapshot, WatchedRun

Backend = Literal["process", "thread"]

_TRAINERS: dict[str, Callable[[Path, AudioCorpus | None], Trainer]] = {
    "process": ProcessTrainer,
    "thread": ThreadTrainer,
}


class TrainingRunner:
    """One training at a time, in a process of its own that needs nobody to watch it.

    Everything it shows comes from the run folder, and everything it asks goes there: any number of
    runners, in any process, can be attached to the same run. `states` has the states and what may
    follow what.

    Args:
        backend: where trainings are started: a process that outlives this one, or, for debugging,
            a thread in it.
    """

    def __init__(self, backend: Backend = "process") -> None:
        if backend not in _TRAINERS:
            raise errors.ConfigError(f"backend={backend!r}: expected 'process' or 'thread'")
        self._backend = backend
        self._lock = threading.RLock()
        self._run: WatchedRun | None = None

    # --- beginning ---------------------------------------------------------------------------

    def start(
        self,
        config: TrainingConfig,
        sounds: Source | AudioCorpus,
        output_dir: str | Path,
        device: str = "auto",
        callback: MetricsCallback | None = None,
        *,
        model_name: str | None = None,
        overwrite: bool = False,
        devices: int = 1,
        start: StartFrom = None,
    ) -> TrainingRunner:
        """Starts `train` in the background and returns at once, itself.

        Args:
            config: of any family; see `get_adaptive_vqvae_config` and `get_adaptive_config`.
            sounds: a folder, a file, several of either, or a corpus scanned before: its sounds are
                not decoded again.
            output_dir: the run folder, made if missing.
            device: auto, cpu, cuda, cuda:1 or mps.
            callback: gets every event once, in order, in a thread of this process; one that is slow
                or raises disturbs nobody else.
            model_name: default the name of the run folder.
            overwrite: replaces an earlier run in `output_dir`.
            devices: processes that train together, each on a GPU of its own, or on its share of the
                CPU's cores. `batch_size` is what each of them takes: a step learns from `devices`
                times as much.
            start: what to learn on from: `base`, `none`, or the path of a model; see `train`.

        Raises:
            RunnerBusyError: this runner is training already.
            ConfigError: no such device, or not so many; a model to start from does not fit.
            ModelTypeError: settings of no family, or of one that cannot start from this model.
            ModelFileError: the model to start from is not there, or cannot be read.
            CorpusError: no such file or folder.
            RunFolderError: the folder is taken, not empty, or cannot be written.
        """
        path = Path(output_dir)
        if not isinstance(sounds, (str, os.PathLike, AudioCorpus)):
            sounds = list(sounds)  # it is looked at twice
        with self._lock:
            self._refuse_if_busy()
            check_devices(device, devices)
            self._check_thread(devices)
            check_source(sounds)
            name = model_name or path.resolve().name
            config = model_config(config)
            begins_with = RunStart.chosen(start, config)
            request = RunRequest.of(
                config, sounds, name=name, device=device, devices=devices, start=begins_with
            )
            begin_run(path, request.to_dict(), overwrite=overwrite)
            self._launch(path, callback, corpus=_usable(sounds, request.sample_rate))
        return self

    def start_vqvae(
        self,
        config: VQVAEConfig,
        file_paths: Source | AudioCorpus,
        output_dir: str | Path,
        device: str = "auto",
        callback: MetricsCallback | None = None,
        *,
        model_name: str | None = None,
        overwrite: bool = False,
        devices: int = 1,
        start: StartFrom = None,
    ) -> TrainingRunner:
        """`start`, for an RVQ-VAE; arguments and errors are the same."""
        return self.start(
            config,
            file_paths,
            output_dir,
            device,
            callback,
            model_name=model_name,
            overwrite=overwrite,
            devices=devices,
            start=start,
        )

    @classmethod
    def attach(
        cls, run_folder: str | Path, callback: MetricsCallback | None = None
    ) -> TrainingRunner:
        """A runner for a run that was started elsewhere: its history so far, then live.

        Raises:
            RunFolderError: no run is there.
        """
        runner = cls()
        folder = RunFolder(run_folder)
        folder.read_request()
        with runner._lock:
            follower = runner._watch(folder, callback).follow()
        if callback is None:
            follower.wait_until_caught_up()
        return runner

    @staticmethod
    def list(runs_folder: str | Path) -> RunList:
        """What is running, paused, finished, stopped, failed or gone in a folder of runs.

        Raises:
            RunFolderError: no such folder.
        """
        return list_runs(runs_folder)

    # --- what there is to see ----------------------------------------------------------------

    @property
    def folder(self) -> RunFolder | None:
        """The run folder; None before there is a run."""
        return self._run.folder if self._run else None

    def poll(self) -> RunSnapshot:
        """The run as it is now, for who asks again and again: its status is read once.

        Where somebody has resumed a run that had ended, it is followed again.
        """
        return self._run.poll() if self._run else RunSnapshot(states.IDLE, MetricsHistory())

    @property
    def state(self) -> str:
        """idle, starting, running, paused, stopping, not answering, finished, stopped, failed or
        gone.
        """
        return self._run.folder.read_state() if self._run else states.IDLE

    @property
    def is_running(self) -> bool:
        """Whether a trainer is at work, also while it is paused."""
        return self.state in states.ACTIVE

    @property
    def history(self) -> MetricsHistory:
        """What the run has reported so far; it grows while the run does."""
        return self._run.history if self._run else MetricsHistory()

    @property
    def trouble(self) -> Exception | None:
        """Why what this runner shows of its run is not everything, or keeps it from following."""
        return self._run.trouble if self._run else None

    @property
    def is_caught_up(self) -> bool:
        """Whether the history has all of a run that has ended; see `RunSnapshot`.

        Ask before reading the history.
        """
        return self.poll().is_caught_up

    @property
    def result(self) -> TrainingResult | None:
        """What the run left behind; None until it has ended well."""
        return self._run.result if self._run else None

    @property
    def last_error(self) -> BaseException | None:
        """What ended the run, if it did not end well."""
        return self._run.error if self._run else None

    # --- commands ----------------------------------------------------------------------------

    def pause(self) -> int:
        """Asks the trainer to wait after its step. Commands return their serial number at once;
        `acknowledged` says whether the trainer has received it.
        """
        return self._handle.pause()

    def resume(
        self,
        run_folder: str | Path | None = None,
        *,
        max_epochs: int | None = None,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        sounds: Source | None = None,
        new_sounds: bool = False,
        devices: int | None = None,
        callback: MetricsCallback | None = None,
    ) -> TrainingRunner:
        """Goes on: with a paused run at once, with one that ended or died from its checkpoint.

        With a step or epoch budget, on a CPU, it ends as if it had never been interrupted.

        Args:
            run_folder: default this runner's own run.
            max_epochs: a new budget in place of the old one, for a run that is to be longer.
            max_steps: likewise.
            max_seconds: likewise.
            sounds: where the run's sounds are now, if not where they were, or if the run comes from
                another machine; they are read here first, and recognised by their content.
            new_sounds: also learns from sounds that have come to its folders since it began.
            devices: another number of processes than before. Each goes on to take `batch_size`, so
                a step learns from more or less than it did, and an epoch has fewer or more steps.
            callback: default this runner's own; gets what it has not got before.

        Raises:
            RunnerBusyError: this runner is training something else.
            RunFolderError: no run is there, it is being trained, or it is finished and has no new
                budget.
            CorpusError: the run comes from another machine and `sounds` are not given, or some are
                not there.
        """
        budget = {"max_epochs": max_epochs, "max_steps": max_steps, "max_seconds": max_seconds}
        with self._lock:
            folder = self._handle.folder if run_folder is None else RunFolder(run_folder)
            watched = self._watched_in(folder)
            if watched is None:
                self._refuse_if_busy()
            request = folder.read_request()
            self._check_thread(request.get("devices") if devices is None else devices)
            if (state := folder.read_state()) in states.ACTIVE:
                new = any(value is not None for value in (*budget.values(), sounds, devices))
                new = new or new_sounds
                if new or (watched and callback):
                    raise RunFolderError(
                        f"{folder.path}: is {state}; stop it before giving it another budget, "
                        "other sounds or devices, attach to it for another callback"
                    )
                if watched is None:
                    self._watch(folder, callback).follow()
                if state == states.STOPPING:
                    raise RunFolderError(f"{folder.path}: is stopping; resume it once it has")
                RunHandle(folder).unpause()
                return self
            found = extend_run(
                folder.path, budget, sounds=sounds, new_sounds=new_sounds, devices=devices
            )
            if self._backend == "thread":  # it would learn from all of them, and in another order
                found = None
            callback = callback or (watched.callback if watched else None)
            seen = watched.seen if watched else None
            self._launch(folder.path, callback, corpus=found, seen=seen)
        return self

    def stop(self, *, now: bool = False) -> int:
        """Asks the trainer to finish its step, validate and keep the model.

        Args:
            now: does not validate; keeps the best model so far.
        """
        return self._handle.stop(now=now)

    def request_preview(self) -> int:
        """Asks for sounds to listen to, from the weights as they are now."""
        return self._handle.request_preview()

    def request_save(self) -> int:
        """Asks for a checkpoint now, and for the best model so far as `model.distill`."""
        return self._handle.request_save()

    def acknowledged(self, serial: int) -> bool:
        """Whether the trainer has received a command."""
        return self._run is not None and self._handle.acknowledged(serial)

    # --- waiting -----------------------------------------------------------------------------

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> TrainingResult | None:
        """Waits for the end; an interrupt ends the waiting and leaves the run alone.

        Args:
            timeout: seconds; None waits as long as it takes.
            progress: shows a bar when it takes longer than a moment.

        Returns:
            The result; None where the time ran out or there is no run.

        Raises:
            DistillError: what the training raised, or that its trainer has died.
        """
        run = self._run
        if run is None or not run.wait(timeout, progress=progress):
            return None
        if error := run.error:
            raise error
        return run.result

    def watch(self) -> MetricsHistory:
        """Shows a bar until the run ends or the cell is interrupted; the run goes on either way.

        For front ends where nothing is updated behind a cell that has ended.

        Returns:
            The history so far.
        """
        try:
            self.wait()
        except KeyboardInterrupt:
            pass
        except DistillError as error:
            tqdm.write(f"{type(error).__name__}: {error}")
        return self.history

    def close(self) -> None:
        """Lets go of the run: nothing follows it here any more, and it goes on."""
        if self._run is not None:
            self._run.close()

    def __repr__(self) -> str:
        where = f" in {printable(self._run.folder.path)}" if self._run else ""
        return f"TrainingRunner({self.state}{where})"

    # --- inside ------------------------------------------------------------------------------

    @property
    def _handle(self) -> RunHandle:
        """The run that commands go to.

        Raises:
            RunFolderError: there is none yet.
        """
        if self._run is None:
            raise RunFolderError("there is no run yet: start one, attach to one, or name it")
        return RunHandle(self._run.folder)

    def _check_thread(self, devices: int | None) -> None:
        if self._backend == "thread" and devices not in (None, 1):
            raise errors.ConfigError(
                f"devices={devices}: a thread trains on one; use backend='process'"
            )

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


def _usable(source: Source | AudioCorpus, sample_rate: int) -> AudioCorpus | None:
    """What need not be decoded again."""
    usable = isinstance(source, AudioCorpus) and source.sample_rate == sample_rate
    return source if usable else None  # type: ignore[return-value]
