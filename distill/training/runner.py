"""TrainingRunner: start a training, close the lid, come back to it."""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Literal

from tqdm.auto import tqdm

from distill import errors
from distill.audio.corpus import AudioCorpus, Source
from distill.config import VQVAEConfig
from distill.errors import (
    DistillError,
    IncompleteRunError,
    RunFolderError,
    RunnerBusyError,
    TrainingError,
)
from distill.models.device import choose_device
from distill.names import printable
from distill.own_folder import OwnFolder
from distill.training.run import states
from distill.training.run.control import PAUSE, RUN, STOP, STOP_NOW, change_control, read_control
from distill.training.run.death_notice import FAILED, LOST, rebuilt, why_it_ended
from distill.training.run.detach import start_detached
from distill.training.run.folder import WORKER_LOG, RunFolder
from distill.training.run.request import RunRequest, check_source
from distill.training.run.runs import RunList, list_runs
from distill.training.run.writer import announce_trainer, begin_run, extend_run, hold_run
from distill.training.session.result import TrainingResult
from distill.training.session.session import run_session
from distill.training.watch.event_lines import (
    MetricsCallback,
    TrainingCompleteEvent,
    TrainingFailedEvent,
)
from distill.training.watch.follower import Follower
from distill.training.watch.history import VQMetricsHistory
from distill.training.watch.progress import ProgressBar
from distill.turns import take_short_turns

Backend = Literal["process", "thread"]

_LOOK_S = 0.5


class TrainingRunner:
    """One training at a time, in a process of its own that needs nobody to watch it.

    Everything it shows comes from the run folder, and everything it asks goes there: any number of
    runners, in any process, can be attached to the same run. `states` has the states and what may
    follow what.
    """

    def __init__(self, backend: Backend = "process") -> None:
        """Args:
        backend: where trainings are started: a process that outlives this one, or, for debugging,
            a thread in it.
        """
        if backend not in ("process", "thread"):
            raise errors.ConfigError(f"backend={backend!r}: expected 'process' or 'thread'")
        self._backend = backend
        self._lock = threading.RLock()
        self._folder: RunFolder | None = None
        self._follower: Follower | None = None
        self._callback: MetricsCallback | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._thread_error: BaseException | None = None

    # --- beginning ---------------------------------------------------------------------------

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
    ) -> TrainingRunner:
        """Starts `train_vqvae` in the background and returns at once, itself.

        Args:
            config: see `get_adaptive_vqvae_config`.
            file_paths: a folder, a file, several of either, or a corpus scanned before.
            output_dir: the run folder, made if missing.
            device: auto, cpu, cuda, cuda:1 or mps.
            callback: gets every event once, in order, in a thread of this process; one that is slow
                or raises disturbs nobody else.
            model_name: default the name of the run folder.
            overwrite: replaces an earlier run in `output_dir`.

        Raises:
            RunnerBusyError: this runner is training already.
            ConfigError: no such device.
            CorpusError: no such file or folder.
            RunFolderError: the folder is taken, not empty, or cannot be written.
        """
        path = Path(output_dir)
        if not isinstance(file_paths, (str, os.PathLike, AudioCorpus)):
            file_paths = list(file_paths)  # it is looked at twice
        with self._lock:
            self._refuse_if_busy()
            choose_device(device)
            check_source(file_paths)
            name = model_name or path.resolve().name
            request = RunRequest.of(config, file_paths, name=name, device=device)
            begin_run(path, request.to_dict(), overwrite=overwrite)
            self._launch(path, callback, {})
        return self

    @classmethod
    def attach(
        cls, run_folder: str | Path, callback: MetricsCallback | None = None
    ) -> TrainingRunner:
        """A runner for a run that was started elsewhere: its history so far, then live.

        Raises:
            RunFolderError: no run is there.
        """
        runner = cls()
        RunFolder(run_folder).read_request()
        with runner._lock:
            runner._take(RunFolder(run_folder))
            follower = runner._follow(callback, {})
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
        return self._folder

    @property
    def state(self) -> str:
        """idle, starting, running, paused, stopping, not answering, finished, stopped, failed or
        gone.
        """
        folder = self._folder
        if folder is None:
            return states.IDLE
        return folder.read_state()

    @property
    def is_running(self) -> bool:
        """Whether a trainer is at work, also while it is paused."""
        return self.state in states.ACTIVE

    @property
    def history(self) -> VQMetricsHistory:
        """What the run has told so far; it grows while the run does."""
        follower = self._follow_again()
        return follower.history if follower else VQMetricsHistory()

    @property
    def trouble(self) -> Exception | None:
        """Why what this runner shows of its run is not everything, or keeps it from following."""
        follower = self._follower
        if follower is None or follower.error is not None:
            return follower.error if follower else None
        gaps = follower.history.gaps
        return IncompleteRunError(f"{self._run.path}: {gaps}") if gaps else None

    @property
    def is_caught_up(self) -> bool:
        """Whether the history has all of a run that has ended: a state is read sooner than events.

        Ask before reading the history.
        """
        follower = self._follow_again()
        return follower is None or follower.is_whole or not follower.is_following

    @property
    def result(self) -> TrainingResult | None:
        """What the run left behind; None until it has ended well."""
        folder = self._folder
        if folder is None:
            return None
        history = self.history
        outcome = history.outcome
        if isinstance(outcome, TrainingCompleteEvent):
            return TrainingResult.of(folder.model_path, outcome, history)
        if outcome is None:
            return self._result_without_its_event(folder, history)
        return None

    @staticmethod
    def _result_without_its_event(
        folder: RunFolder, history: VQMetricsHistory
    ) -> TrainingResult | None:
        """What is left of a run that ended well, but whose log was damaged since."""
        status = folder.read_status()
        if status is None or status.state not in (states.FINISHED, states.STOPPED):
            return None
        return TrainingResult(
            model_path=folder.model_path,
            reason=status.state,
            best_epoch=history.best_epoch or 0,
            best_val_loss=history.best.val_loss if history.best else math.nan,
            epochs=status.epoch,
            steps=status.step,
            elapsed_s=history.elapsed_s,
            history=history,
        )

    @property
    def last_error(self) -> BaseException | None:
        """What ended the run, if it did not end well."""
        if self._folder is None or self.is_running:
            return None
        outcome = self.history.outcome
        if isinstance(outcome, TrainingFailedEvent):
            return rebuilt(outcome)
        if self._thread_error is not None:
            return self._thread_error
        code = self._process.poll() if self._process is not None else None
        if self.result is not None and code not in (FAILED, LOST):
            return None  # else it ended well before, and could not be resumed
        return why_it_ended(self._run, code, str(self.history.gaps or ""))

    # --- commands ----------------------------------------------------------------------------

    def pause(self) -> int:
        """Asks the trainer to wait after its step. Commands return their serial number at once;
        `acknowledged` tells when the trainer has seen it.
        """
        return self._command(wanted=PAUSE)

    def resume(
        self,
        run_folder: str | Path | None = None,
        *,
        max_epochs: int | None = None,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        sounds: Source | None = None,
        new_sounds: bool = False,
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
            folder = self._run if run_folder is None else RunFolder(run_folder)
            same = self._folder is not None and folder.path.resolve() == self._folder.path.resolve()
            if not same:
                self._refuse_if_busy()
            folder.read_request()
            state = self.state if same else folder.read_state()
            if state in states.ACTIVE:
                new = any(value is not None for value in (*budget.values(), sounds)) or new_sounds
                if new or (same and callback):
                    raise RunFolderError(
                        f"{folder.path}: is {state}; stop it before giving it another budget or "
                        "other sounds, attach to it for another callback"
                    )
                if not same:
                    self._take(folder)
                    self._follow(callback, {})
                if state == states.STOPPING:
                    raise RunFolderError(f"{folder.path}: is stopping; resume it once it has")
                self._command(wanted=RUN)
                return self
            extend_run(folder.path, budget, sounds=sounds, new_sounds=new_sounds)
            seen = self._follower.seen if same and self._follower else {}
            self._launch(folder.path, callback or (self._callback if same else None), seen)
        return self

    def stop(self, *, now: bool = False) -> int:
        """Asks the trainer to finish its step, validate and keep the model.

        Args:
            now: does not validate; keeps the best model so far.
        """
        return self._command(wanted=STOP_NOW if now else STOP)

    def request_preview(self) -> int:
        """Asks for sounds to listen to, from the weights as they are now."""
        return self._command(preview=True)

    def request_save(self) -> int:
        """Asks for a checkpoint now, and for the best model so far as `model.distill`."""
        return self._command(save=True)

    def acknowledged(self, serial: int) -> bool:
        """Whether the trainer has seen a command."""
        status = self._folder.read_status() if self._folder else None
        return status is not None and status.acknowledged >= serial

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
        follower = self._follow_again()
        if follower is None:
            return None
        ends = None if timeout is None else time.monotonic() + timeout
        with ProgressBar(shown=progress) as bar:
            while not follower.wait(_LOOK_S):
                bar.show(follower.history)
                if ends is not None and time.monotonic() >= ends:
                    return None
            bar.show(follower.history)
        if follower.error is not None:
            raise TrainingError(f"the run cannot be followed: {follower.error}") from follower.error
        if error := self.last_error:
            raise error
        return self.result

    def watch(self) -> VQMetricsHistory:
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
        if self._follower is not None:
            self._follower.close()

    def __repr__(self) -> str:
        where = f" in {printable(self._folder.path)}" if self._folder else ""
        return f"TrainingRunner({self.state}{where})"

    # --- inside ------------------------------------------------------------------------------

    @property
    def _run(self) -> RunFolder:
        """The run this runner is about.

        Raises:
            RunFolderError: it is about none yet.
        """
        if self._folder is None:
            raise RunFolderError("there is no run yet: start one, attach to one, or name it")
        return self._folder

    def _refuse_if_busy(self) -> None:
        if self._folder is not None and self.is_running:
            raise RunnerBusyError(
                f"a training is running in {self._folder.path}: stop() it or wait() for it first, "
                "or use another runner"
            )

    def _take(self, folder: RunFolder) -> None:
        """Makes a run the one this runner is about; its trainer is not ours yet."""
        if self._follower is not None:  # its callback may be waiting for the lock that we hold
            self._follower.close(wait=False)
        self._folder, self._process, self._thread, self._thread_error = folder, None, None, None

    def _launch(
        self, path: Path, callback: MetricsCallback | None, seen: dict[str, tuple[int, int]]
    ) -> None:
        self._take(RunFolder(path))
        if self._backend == "process":
            worker = "distill.training.worker"
            with OwnFolder(path) as folder, folder.append(WORKER_LOG) as log:
                self._process = start_detached(worker, [str(path.resolve())], log)
            announce_trainer(path, self._process.pid)
        else:
            announce_trainer(path, os.getpid())
            self._thread = threading.Thread(
                target=self._train, args=(path,), name="distill-training", daemon=True
            )
            self._thread.start()
        self._follow(callback, seen)

    def _follow(
        self, callback: MetricsCallback | None, seen: dict[str, tuple[int, int]]
    ) -> Follower:
        self._callback = callback
        follower = Follower(self._run, callback, trainer_ended=self._trainer_ended, seen=seen)
        self._follower = follower
        follower.start()
        return follower

    def _follow_again(self) -> Follower | None:
        """The follower; a new one where our trainer has ended and somebody resumed the run."""
        with self._lock:
            follower = self._follower
            over = follower is not None and not (
                follower.is_following or follower.is_closed or follower.error
            )
            if follower is not None and over and self.is_running:
                self._process = self._thread = None
                return self._follow(self._callback, follower.seen)
            return follower

    def _train(self, path: Path) -> None:
        take_short_turns()
        try:
            with hold_run(path) as folder:
                run_session(folder)
        except BaseException as error:  # the runner's boundary: wait() raises it again
            self._thread_error = error

    def _trainer_alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._thread is not None and self._thread.is_alive()

    def _trainer_ended(self) -> bool:
        if self._process is not None or self._thread is not None:
            return not self._trainer_alive()
        return self._run.read_state() in states.ENDED

    def _command(self, **wish: Any) -> int:
        path, state = self._run.path, self.state
        if state in states.ENDED:
            if wish.get("wanted") in (STOP, STOP_NOW):
                return read_control(path).serial  # as wanted already
            raise RunFolderError(f"{path}: is not training, it is {state}")
        return change_control(path, **wish)
