"""AttachedRun: one run from outside, in whatever process it is trained."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from distill.errors import ConfigError, DistillError, RunFolderError
from distill.names import printable
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.handle import RunHandle
from distill.training.run.marks import Mark, change_mark
from distill.training.session.result import TrainingResult
from distill.training.watch.history import MetricsHistory
from distill.training.watched_run import RunSnapshot, WatchedRun

if TYPE_CHECKING:  # what opens models, only where one is asked for
    from distill.models.use.base import Waveform
    from distill.training.present_weights import PresentWeights
    from distill.training.trying import TriedSound


class AttachedRun:
    """What a run shows, what may be requested of its trainer, and waiting for its end.

    Everything comes from the run folder, and every request goes there: any number of these, in any
    process, can be attached to the same run. `states` has the states and what may follow what.
    """

    def __init__(self) -> None:
        self._run: WatchedRun | None = None

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
    def marks(self) -> dict[str, Mark]:
        """What somebody called good or bad by ear, by the names of the previews' sounds."""
        return self._run.folder.marks if self._run else {}

    def mark(self, name: str, mark: str | None, *, epoch: int | None = None) -> None:
        """Calls a sound of the previews good or bad by ear; kept with the run, also once it ended.

        Args:
            name: of the sound.
            mark: `good`, `bad`, or None to take the mark away.
            epoch: of the sound that was heard, from 0; None stands for that of the newest.

        Raises:
            ConfigError: no such mark, or no such sound among the previews.
            RunFolderError: there is no run, or its folder cannot be written.
        """
        folder, heard = self._handle.folder, self.history.previews
        known = [pair.name for event in heard for pair in event.pairs]
        if known and name not in known:
            raise ConfigError(
                f"{printable(name)!r}: expected the name of a sound of the previews, as "
                f"{printable(known[0])!r}"
            )
        newest = heard[-1].epoch if heard else None
        change_mark(folder.path, name, mark, epoch=newest if epoch is None else epoch)

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

    def request_weights(self) -> int:
        """Asks for the weights as they are now; `present_weights` asks for them and reads them."""
        return self._handle.request_weights()

    def acknowledged(self, serial: int) -> bool:
        """Whether the trainer has received a command."""
        return self._run is not None and self._handle.acknowledged(serial)

    # --- the weights of this moment ----------------------------------------------------------

    def present_weights(self, patience_s: float = 10.0) -> PresentWeights:
        """The model as it is at this moment, while it is trained; the trainer goes on undisturbed.

        Args:
            patience_s: how long its trainer may take, in seconds. Where none hands over its
                weights, those that the run keeps serve, and `instead` says why.

        Returns:
            Of a run that learns a prior, the model whose codes it learns, with the prior in it.

        Raises:
            RunFolderError: there is no run yet, or it has no weights yet.
            ModelFileError: the weights that it keeps cannot be read.

        Example:
            codes = runner.present_weights().model.encode(waveform, 48_000)
        """
        from distill.training.present_weights import present_weights

        return present_weights(self._handle.folder, patience_s)

    def try_sound(
        self,
        sound: Waveform | str | os.PathLike[str],
        sample_rate: int | None = None,
        *,
        patience_s: float = 10.0,
    ) -> TriedSound:
        """Any sound through the weights of this moment, beside the original and with its distance.

        Args:
            sound: a sound file, or mono float samples (samples,). The first 30 s are used.
            sample_rate: of the samples, in Hz.
            patience_s: see `present_weights`.

        Raises:
            AudioFileError: the file is no sound.
            ShapeError, ConfigError: samples that are not mono, or a rate that is none.
            ModelTypeError: a run that learns the codes of another model.
            DistillError: see `present_weights`.

        Example:
            tried = runner.try_sound("kick.wav")  # tried.made, tried.distances
        """
        from distill.training.trying import try_sound

        folder = self._handle.folder
        return try_sound(folder, sound, sample_rate, patience_s=patience_s)

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

        For front ends where nothing is updated behind a cell that has ended. Widgets are answered
        meanwhile.

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
        return f"{type(self).__name__}({self.state}{where})"

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
