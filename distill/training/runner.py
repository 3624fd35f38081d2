"""TrainingRunner: start a training, close the lid, come back to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from distill.audio.corpus import AudioCorpus, Source
from distill.config import PriorConfig, TrainingConfig, VQVAEConfig
from distill.errors import RunFolderError
from distill.family import model_config
from distill.models.device import check_devices
from distill.names import as_path
from distill.training.launched_run import Backend, LaunchedRun
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.handle import RunHandle
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.request import RunRequest
from distill.training.run.run_sounds import check_source
from distill.training.run.runs import RunList, list_runs
from distill.training.run.start import RunStart, StartFrom
from distill.training.watch.event_lines import MetricsCallback

if TYPE_CHECKING:  # other families are trained without the library of codebooks
    from distill.models.prior.corpus import CodeCorpus
    from distill.models.use.loaded import LoadedVQModel


class TrainingRunner(LaunchedRun):
    """One training at a time, in a process of its own that needs nobody to watch it.

    Everything it shows comes from the run folder, and every request goes there (`AttachedRun`): any
    number of runners, in any process, can be attached to the same run.

    Args:
        backend: where trainings are started: a process that outlives this one, or, for debugging,
            a thread in it.
    """

    def __init__(self, backend: Backend = "process") -> None:
        super().__init__(backend)

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
        path = as_path(output_dir, RunFolderError)
        if not isinstance(sounds, (str, os.PathLike, AudioCorpus)):
            sounds = list(sounds)  # it is iterated twice
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

    def start_prior(
        self,
        model: LoadedVQModel | str | os.PathLike[str],
        corpus: Source | AudioCorpus | CodeCorpus,
        output_dir: str | Path,
        config: PriorConfig | None = None,
        device: str = "auto",
        callback: MetricsCallback | None = None,
        *,
        overwrite: bool = False,
        devices: int = 1,
        start: str | None = None,
    ) -> TrainingRunner:
        """Starts `train_prior` in the background; returns itself, once the recordings are read.

        Args:
            model: an RVQ-VAE, or its file; its own file stays as it is.
            corpus: recordings: a folder, a file, several of either, or what was scanned or encoded
                before.
            output_dir: see `start`, as the others.
            config: default one that fits; see `get_adaptive_prior_config`.
            device: see `start`.
            callback: see `start`.
            overwrite: see `start`.
            devices: see `start`.
            start: see `train_prior`.

        Raises:
            DistillError: see `start` and `train_prior`.
        """
        from distill.training.prior import begin_prior

        path = as_path(output_dir, RunFolderError)
        with self._lock:
            self._refuse_if_busy()
            self._check_thread(devices)
            sounds = begin_prior(
                model, corpus, path, config, device,
                overwrite=overwrite, devices=devices, start=start,
            )  # fmt: skip
            self._launch(path, callback, corpus=sounds)
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
        """Resumes a run: a paused one at once, one that ended or died from its checkpoint.

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


def _usable(source: Source | AudioCorpus, sample_rate: int) -> AudioCorpus | None:
    """What need not be decoded again."""
    usable = isinstance(source, AudioCorpus) and source.sample_rate == sample_rate
    return source if usable else None  # type: ignore[return-value]
