"""RunHandle: how a run is, and what anybody may ask of it, by its folder alone."""

from __future__ import annotations

from distill.errors import RunFolderError
from distill.training.run import states
from distill.training.run.control import PAUSE, RUN, STOP, STOP_NOW, change_control, read_control
from distill.training.run.folder import RunFolder


class RunHandle:
    """A run, wherever it is trained. It remembers nothing: any number may be made, and dropped.

    Every command returns its serial number at once; `acknowledged` says whether the trainer has
    received it.

    Args:
        folder: of a run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def state(self) -> str:
        """See `distill.training.run.states`."""
        return self.folder.read_state()

    def pause(self) -> int:
        """Asks the trainer to wait after its step."""
        return self._request(wanted=PAUSE)

    def unpause(self) -> int:
        """Asks the trainer not to wait any longer."""
        return self._request(wanted=RUN)

    def stop(self, *, now: bool = False) -> int:
        """Asks the trainer to finish its step, validate and keep the model.

        A run that has ended is left as it is.

        Args:
            now: does not validate; keeps the best model so far.
        """
        if self.state in states.ENDED:
            return read_control(self.folder.path).serial  # as wanted already
        return change_control(self.folder.path, wanted=STOP_NOW if now else STOP)

    def request_preview(self) -> int:
        """Asks for sounds to listen to, from the weights as they are now."""
        return self._request(preview=True)

    def request_save(self) -> int:
        """Asks for a checkpoint now, and for the best model so far as `model.distill`."""
        return self._request(save=True)

    def request_weights(self) -> int:
        """Asks for the weights as they are now, as a file of the run folder that is there for a
        moment; `distill.training.present_weights` reads it.
        """
        return self._request(weights=True)

    def acknowledged(self, serial: int) -> bool:
        """Whether the trainer has received a command."""
        status = self.folder.read_status()
        return status is not None and status.acknowledged >= serial

    def _request(
        self,
        *,
        wanted: str | None = None,
        preview: bool = False,
        save: bool = False,
        weights: bool = False,
    ) -> int:
        """Sends a command that only a trainer can fulfil.

        Raises:
            RunFolderError: the run has ended, or its folder cannot be written.
        """
        path, state = self.folder.path, self.state
        if state in states.ENDED:
            raise RunFolderError(f"{path}: is not training, it is {state}")
        return change_control(path, wanted=wanted, preview=preview, save=save, weights=weights)
