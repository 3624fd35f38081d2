"""TrainingRunner: start a training, go on working, come back to it."""

from __future__ import annotations

import threading
from pathlib import Path

from distill.audio.corpus import AudioCorpus, Source
from distill.config import VQVAEConfig
from distill.errors import RunnerBusyError
from distill.training.history import VQMetricsHistory
from distill.training.metrics import MetricsCallback
from distill.training.run_folder import RunFolder
from distill.training.vqvae import TrainingResult, train_vqvae


class TrainingRunner:
    """One training at a time, in the background.

    What it shows comes from the run folder, as any other watcher would read it. States: idle,
    running, stopping, then finished, stopped or failed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._cancel = threading.Event()
        self._folder: RunFolder | None = None
        self._result: TrainingResult | None = None
        self._error: BaseException | None = None
        self._history, self._offset = VQMetricsHistory(), 0

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
    ) -> None:
        """Starts `train_vqvae` in the background and returns at once.

        Raises:
            RunnerBusyError: this runner is training already.

        """
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                where = self._folder.path if self._folder else "?"
                raise RunnerBusyError(
                    f"a training is running in {where}: stop() it or wait() for it first"
                )
            self._cancel = threading.Event()
            self._folder = RunFolder(output_dir)
            self._result = self._error = None
            self._history, self._offset = VQMetricsHistory(), 0
            self._thread = threading.Thread(
                target=self._train,
                args=(config, file_paths, output_dir, device, callback, self._cancel),
                kwargs={"model_name": model_name, "overwrite": overwrite},
                name="distill-training",
                daemon=True,  # a closing notebook is not held up; the run folder has the rest
            )
            self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether a training is going on."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def state(self) -> str:
        """idle, running, stopping, finished, stopped or failed."""
        if self._thread is None:
            return "idle"
        if self.is_running:
            return "stopping" if self._cancel.is_set() else "running"
        if self._error is not None:
            return "failed"
        stopped = self._result is not None and self._result.reason == "stopped"
        return "stopped" if stopped else "finished"

    @property
    def folder(self) -> RunFolder | None:
        """The run folder of the last training started."""
        return self._folder

    @property
    def history(self) -> VQMetricsHistory:
        """What the run has told so far, read from its folder."""
        with self._lock:
            if self._folder is not None and self._error is None:
                events, self._offset = self._folder.read_events(self._offset)
                for event in events:
                    self._history.update(event)
            return self._history

    @property
    def result(self) -> TrainingResult | None:
        """What the run left behind; None until it has ended well."""
        return self._result

    @property
    def last_error(self) -> BaseException | None:
        """What the training raised, if it did."""
        return self._error

    def stop(self) -> None:
        """Asks the training to finish its step, validate and keep the model; returns at once."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> TrainingResult | None:
        """Waits for the end.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The result; None where the time ran out or nothing was started.

        Raises:
            Exception: what the training raised.

        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                return None
        if self._error is not None:
            raise self._error
        return self._result

    def __repr__(self) -> str:
        where = f" in {self._folder.path}" if self._folder else ""
        return f"TrainingRunner({self.state}{where})"

    def _train(self, *arguments: object, **options: object) -> None:
        try:
            self._result = train_vqvae(*arguments, **options)  # type: ignore[arg-type]
        except BaseException as error:  # the runner's boundary: wait() raises it again
            self._error = error
