"""What a run starts from, as `run.json` holds it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from distill.checked import PathText, Text
from distill.config import PriorConfig, TrainingConfig
from distill.config.start import BASE, DEFAULT_START, NOTHING
from distill.errors import ConfigError, ModelFileError, ModelTypeError, RunFolderError
from distill.family import Family, family_of
from distill.models.prior.start import StartingPrior, base_prior_of, base_prior_paths
from distill.models.start import StartingModel, base_paths
from distill.names import path_from_text, path_to_text, printable
from distill.training.run.request_seal import is_sealed, seal

if TYPE_CHECKING:
    from distill.models.use.loaded import LoadedVQModel

StartFrom = str | os.PathLike[str] | None
"""`base`, `none`, or the path of a model of one's own; None: `DEFAULT_START`, if that can be."""

_SEALED_AS = "start"


class StartFields(msgspec.Struct):
    """A `RunStart` as JSON."""

    model: PathText = NOTHING
    digest: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    origin: Annotated[str, Meta(max_length=255)] = ""
    remark: Text = ""


@dataclass(frozen=True)
class RunStart:
    """What a run starts from; it is read before the first step, and never again."""

    model: str = NOTHING
    """`base`, `none`, or the absolute path of a model."""
    digest: str = ""
    """Of that model."""
    origin: str = ""
    """Marks the path as named on this machine, by this person."""
    remark: str = ""
    """Why the run starts from nothing, where something else was asked for."""

    @classmethod
    def chosen(cls, asked: StartFrom, config: TrainingConfig) -> RunStart:
        """What a run with these settings starts from.

        The base need not fit the settings: the run then starts from nothing, and says why. What a
        person names must fit.

        Args:
            asked: see `StartFrom`.
            config: of the run.

        Raises:
            ModelFileError: no such model, or one that cannot be read or is of another family.
            ModelTypeError: models of this family always start from nothing.
            ConfigError: a model of one's own that the settings do not fit; or settings of a family
                that is trained otherwise.
        """
        family = family_of(config)
        if family.of_codec is not None:
            raise ConfigError(f"{family.title}: {family.of_codec.instead}")
        start = DEFAULT_START if asked is None else asked
        if start == NOTHING or (asked is None and family.warm_start is None):
            return cls()
        paths = base_paths() if start == BASE else (Path(start).absolute(),)
        try:
            read = StartingModel.described if start == BASE else StartingModel.read
            models = (_found(path, family, read) for path in paths)
            first = next(models)
            fits = (model for model in chain([first], models) if not model.misfit(config))
            found = next(fits, first)  # no further one is read
        except ModelFileError as error:
            if asked is None:
                return cls(remark=f"starts from nothing: {error}")
            raise type(error)(
                f"start={printable(start)!r}: {error}; expected {BASE!r}, {NOTHING!r} or the path "
                "of a trained model"
            ) from error
        misfit = found.misfit(config)
        if start == BASE:
            why = f"starts from nothing: the base has other settings ({misfit})"
            return cls(remark=why) if misfit else cls(BASE, found.digest)
        if misfit:
            raise ConfigError(
                f"start={printable(paths[0])}: has other settings ({misfit}); choose the same, or "
                f"start from another model or from {NOTHING!r}"
            )
        path = str(paths[0])
        return cls(path, found.digest, seal([_SEALED_AS, path]))

    @classmethod
    def of_prior(cls, asked: str | None, codec: LoadedVQModel, config: PriorConfig) -> RunStart:
        """What a prior over the codes of a model starts from.

        Args:
            asked: `base` or `none`; None for the base, where there is one for such a model.
            codec: the model.
            config: of the prior.

        Raises:
            ConfigError: anything else was asked for.
            ModelFileError: the base was asked for, and cannot be read.
        """
        check_start_of_prior(asked)
        if asked == NOTHING:
            return cls()
        try:
            found = base_prior_of(codec)
        except ModelFileError as error:
            if asked is None:  # no reason not to train
                return cls(remark=f"starts from nothing: {error}")
            raise
        if found is None:
            why = "starts from nothing: its model did not start from a base of this distill"
            return cls(remark=why if asked == BASE else "")
        if misfit := found.misfit(config):
            return cls(remark=f"starts from nothing: the base has other settings ({misfit})")
        return cls(BASE, found.digest)

    def apply(self, module: Any) -> None:
        """Gives a new model the weights that it starts with.

        Raises:
            RunFolderError: the run comes from elsewhere and names a file, which was not read; or
                the model is another than it was.
            ModelFileError: it cannot be read.
        """
        if self.model == NOTHING:
            return
        if self.model != BASE and not is_sealed([_SEALED_AS, self.model], self.origin):
            raise RunFolderError(
                "this run was begun on another machine or by another person, or its run.json was "
                f"changed; it has no checkpoint, and starts from {self.model}, which was not "
                "read. Begin a new run with start=MODEL"
            )
        broken: ModelFileError | None = None
        for path, read in self._candidates():
            try:
                found = read(path)
            except ModelFileError as error:  # it may be another one that is meant
                broken = broken or error
                continue
            if found.digest == self.digest:
                found.give(module)
                return
        if broken:
            raise broken
        raise RunFolderError(
            f"{self.model}: is not the model that it was when the run began, and the run has "
            "no checkpoint; put the old one back, or begin a new run"
        )

    def _candidates(self) -> Iterator[tuple[Path, Callable[[Path], StartingModel | StartingPrior]]]:
        """Files that it may be, and how each is read."""
        for path in base_paths() if self.model == BASE else (Path(self.model),):
            yield path, StartingModel.described
        if self.model == BASE:
            for path in filter(Path.is_file, base_prior_paths()):
                yield path, StartingPrior.described

    @property
    def about(self) -> dict[str, str]:
        """What the file of a model says of its start; empty where that is nothing.

        Where a person's files lie is nobody else's business.
        """
        if self.model == NOTHING:
            return {}
        return {"model": printable(Path(self.model).name)[:200], "digest": self.digest}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; `of_fields` is its inverse."""
        return {
            "model": path_to_text(self.model),
            "digest": self.digest,
            "origin": self.origin,
            "remark": printable(self.remark),
        }

    @classmethod
    def of_fields(cls, fields: StartFields) -> RunStart:
        """A start as run.json describes it."""
        model = path_from_text(fields.model)
        return cls(model, fields.digest, fields.origin, fields.remark)


def check_start_of_prior(asked: str | None) -> None:
    """Refuses what no prior can start from.

    Raises:
        ConfigError: anything but `base`, `none` and None.
    """
    if asked not in (None, BASE, NOTHING):
        raise ConfigError(
            f"start={printable(asked)!r}: expected {BASE!r} or {NOTHING!r}; a prior that has "
            "learned already goes on by resuming its run"
        )


def _found(path: Path, family: Family, read: Callable[[Path], StartingModel]) -> StartingModel:
    if family.warm_start is None:
        raise ModelTypeError(f"a {family.title} model can start from nothing else")
    found = read(path)
    if (other := family_of(found.config)) is not family:
        raise ModelTypeError(
            f"{printable(path.name)}: holds a {other.title} model; expected {family.title}"
        )
    return found
