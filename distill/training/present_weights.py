"""The weights of a run as they are at this moment; where no trainer gives them, those it keeps."""

from __future__ import annotations

import contextlib
import itertools
import time
from dataclasses import dataclass
from typing import Any

from distill.errors import ForeignEntryError, ModelFileError, RunFolderError
from distill.models.file.info import read_model_info
from distill.models.use.base import LoadedModel
from distill.models.use.loading import load_model
from distill.opened_folder import OpenedFolder
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.handle import RunHandle
from distill.training.run.layout import MODEL, MOMENT, SERIAL, WEIGHTS
from distill.training.run.request import RunRequest
from distill.training.watch.events import EpochMetrics

PATIENCE_S = 10.0
"""How long a trainer may take: it answers between two steps, and not while it validates."""
_POLL_S, _POLLS_PER_STATE = 0.02, 10
_HANDS_OVER = (states.RUNNING, states.PAUSED)
_WHY = {
    states.STARTING: "the run is starting",
    states.STOPPING: "the run is stopping",
    states.NOT_ANSWERING: "its trainer does not answer",
    states.GONE: "its trainer is gone",
}


@dataclass(frozen=True)
class PresentWeights:
    """A model of a run, ready for use, and which weights it has."""

    model: LoadedModel[Any]
    """Of a run that learns the codes of another model: that one, with what was learned in it."""
    epoch: int
    """Epochs that were done; of kept weights the one they are of. From 0."""
    step: int
    """Steps that were done."""
    instead: str = ""
    """Why these are the weights that the run keeps and not those of this moment; mostly ""."""

    def __str__(self) -> str:
        kept = f"kept weights of epoch {self.epoch + 1}: {self.instead}"
        return kept if self.instead else f"weights after step {self.step:,}"


class WeightsRequest:
    """The weights of this moment, asked for when this is made and read when they are there.

    What does not need them can be done meanwhile. The trainer does not notice: it learns what it
    would have learned.

    Args:
        folder: of a run, of whatever state.

    Raises:
        RunFolderError: no run is there.
    """

    def __init__(self, folder: RunFolder) -> None:
        family = RunRequest.from_dict(folder.read_request()).family
        self._is_of_codec = family.of_codec is not None
        self._folder, self._began = folder, time.monotonic()
        self._serial: int | None = None
        self._why = _why(folder.read_state())
        if not self._why:
            try:
                self._serial = RunHandle(folder).request_weights()
            except RunFolderError:  # ended a moment ago, or there is no right to write
                ended = _why(folder.read_state(may_wait=False))
                self._why = ended or "this run folder may only be read, so its trainer is not asked"

    def receive(self, patience_s: float = PATIENCE_S) -> PresentWeights:
        """Waits for the trainer and reads its weights, or those that the run keeps.

        Args:
            patience_s: from the request on, in seconds.

        Raises:
            RunFolderError: the trainer gave none, and the run keeps none yet.
            ModelFileError: what is kept cannot be read.
        """
        if self._serial is not None:
            found = self._wait(self._serial, patience_s)
            if found is not None:
                return found
        return self._kept()

    def _wait(self, serial: int, patience_s: float) -> PresentWeights | None:
        """What the trainer hands over; None where it does not, for the reason that is noted."""
        seen: object = None
        for poll in itertools.count():
            stamp = self._stamp()
            if stamp not in (None, seen):
                seen = stamp
                with contextlib.suppress(ModelFileError):  # replaced just now, or its run is over
                    if found := self._answer(serial):
                        return found
            if poll % _POLLS_PER_STATE == 0:
                self._why = _why(self._folder.read_state(may_wait=False))
            if not self._why and time.monotonic() - self._began > patience_s:
                self._why = f"its trainer has not handed over others within {patience_s:g} s"
            if self._why:
                break
            time.sleep(_POLL_S)
        return None

    def _answer(self, serial: int) -> PresentWeights | None:
        path = self._folder.path / WEIGHTS
        answered = read_model_info(path).metadata.get(SERIAL)
        if not isinstance(answered, int) or answered < serial:
            return None
        model = load_model(path)
        epoch, step = _progress(model)
        # What only this file says would be untrue of another that the model is saved to.
        said = model.metadata.items()
        model.metadata = {name: value for name, value in said if name not in (SERIAL, MOMENT)}
        return PresentWeights(model, epoch, step)

    def _stamp(self) -> object:
        """What changes with the file of weights; None where there is none."""
        try:
            with OpenedFolder(self._folder.path) as own:
                found = own.stat(WEIGHTS) if own.check(WEIGHTS) else None
        except ForeignEntryError:
            raise
        except OSError:
            return None
        return found and (found.st_ino, found.st_mtime_ns, found.st_size)

    def _kept(self) -> PresentWeights:
        try:
            with OpenedFolder(self._folder.path) as own:
                is_there = own.check(MODEL)
        except ForeignEntryError:
            raise
        except OSError as error:
            raise RunFolderError(
                f"{self._folder.path}: cannot be read ({error.strerror})"
            ) from error
        if not is_there:
            raise RunFolderError(
                f"{self._why}, and no weights are kept yet: there is no {MODEL} in "
                f"{self._folder.path}; try again once it trains"
            )
        model = load_model(self._folder.model_path)
        epoch, step = self._best_of(model) if self._is_of_codec else _best(model)
        return PresentWeights(model, epoch, step, self._why)

    def _best_of(self, model: Any) -> tuple[int, int]:
        """Epoch and step of the prior in a model's file, which says only how far it had come: the
        log may know of better epochs that no file was written for yet.
        """
        seen = max(model.prior.loss_curves.get("epoch", ()), default=0)
        events = self._folder.read_events()[0]
        epochs = [e for e in events if isinstance(e, EpochMetrics) and e.epoch <= seen]
        best = [epoch for epoch in epochs if epoch.is_best]
        return (best[-1].epoch, best[-1].step) if best else (0, 0)


def present_weights(folder: RunFolder, patience_s: float = PATIENCE_S) -> PresentWeights:
    """The model that a run has at this moment.

    Args:
        folder: of the run.
        patience_s: how long its trainer may take, in seconds.

    Raises:
        DistillError: see `WeightsRequest` and `WeightsRequest.receive`.
    """
    return WeightsRequest(folder).receive(patience_s)


def _why(state: str) -> str:
    """Why a trainer in this state hands over no weights; "" where it does."""
    return "" if state in _HANDS_OVER else _WHY.get(state, f"the run is {state}")


def _best(model: LoadedModel[Any]) -> tuple[int, int]:
    said = model.metadata.get("training", {})
    return said.get("best_epoch", 0), said.get("steps", 0)


def _progress(model: LoadedModel[Any]) -> tuple[int, int]:
    said = model.metadata.get(MOMENT) or model.metadata.get("training", {})
    return said.get("epochs", 0), said.get("steps", 0)
