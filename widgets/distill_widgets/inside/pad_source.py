"""Where the sounds of pads come from: a model with a prior, or a run that learns one."""

from __future__ import annotations

from typing import Protocol, cast

from distill.config import PriorConfig
from distill.errors import ModelTypeError, RunFolderError
from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.loading import load_model_v2
from distill.training.present_weights import present_weights
from distill.training.run import states
from distill.training.run.layout import CODEC
from distill.training.run.request import RunRequest
from distill.training.runner import TrainingRunner


class PadSource(Protocol):
    """What makes the sounds of pads."""

    codec: LoadedVQModel
    """Makes codes audible."""
    config: PriorConfig
    """Of the prior."""

    def now(self) -> tuple[LoadedVQModel, str]:
        """The model that draws at this moment, with its prior, and which weights these are."""
        ...


class SourceModel:
    """A model with a prior, always the same.

    Raises:
        ModelTypeError: a model without codebooks.
        PriorError: a model without a prior; says how to train one.
    """

    def __init__(self, model: LoadedVQModel) -> None:
        check_codebooks(model, "Generator")
        self.codec, self.config = model, model.prior.config

    def now(self) -> tuple[LoadedVQModel, str]:
        """See `PadSource`."""
        return self.codec, ""


class SourceRun:
    """A run that learns a prior: each sound is drawn by the weights of its moment.

    Raises:
        RunFolderError: there is no run yet.
        ModelTypeError: it learns no prior.
        ModelFileError: the model whose codes it learns cannot be read.
    """

    def __init__(self, runner: TrainingRunner) -> None:
        if runner.folder is None:
            raise RunFolderError(
                "this runner has no run yet: begin one with runner.start_prior(model, sounds, "
                "folder)"
            )
        folder = runner.folder
        request = RunRequest.from_dict(folder.read_request())
        if not isinstance(request.config, PriorConfig):
            raise ModelTypeError(
                f"{folder.path}: trains {request.family.title}, no prior, and makes no new sounds "
                "by itself; give Generator the runner of start_prior, or a model with a prior"
            )
        self._folder = folder  # of this run, whatever the runner begins afterwards
        self.codec, self.config = load_model_v2(folder.path / CODEC), request.config
        self._kept: tuple[float, LoadedVQModel, str] | None = None

    def now(self) -> tuple[LoadedVQModel, str]:
        """See `PadSource`.

        Raises:
            RunFolderError: it has no weights yet.
            ModelFileError: those that it keeps cannot be read.
        """
        path = self._folder.model_path
        has_ended = self._folder.read_state() in states.ENDED and path.exists()
        written = path.stat().st_mtime if has_ended else 0.0
        if self._kept is not None and self._kept[0] == written:
            return self._kept[1:]
        weights = present_weights(self._folder)
        model = cast(LoadedVQModel, weights.model)
        self._kept = (written, model, str(weights)) if has_ended else None
        return model, str(weights)


def source_of(model: LoadedVQModel | TrainingRunner) -> PadSource:
    """The source of a model, or of the run of a runner."""
    return SourceRun(model) if isinstance(model, TrainingRunner) else SourceModel(model)
