"""RunRequest: what is asked of a run, as `run.json` holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from distill.audio.corpus import AudioCorpus, Source
from distill.audio.groups import Groups
from distill.audio.split import Split
from distill.config import TrainingConfig
from distill.errors import (
    ConfigError,
    CorpusError,
    RunFolderError,
)
from distill.family import Family, family_of
from distill.names import path_from_text, path_to_text, printable
from distill.training.run.request_fields import FIELDS, RequestFields, config_of
from distill.training.run.request_seal import is_sealed, seal
from distill.training.run.start import RunStart
from distill.versions import library_versions

_MOST_NAMED = 5
_FROM_NOTHING = RunStart()


@dataclass(frozen=True)
class SoundEntry:
    """A sound of a run's corpus."""

    path: str
    sha256: str
    seconds: float
    split: str
    """training, validation, or both for a corpus of one file."""
    group: str = ""
    """The folder that it lay in when the run began; see `distill.audio.groups`."""

    def to_dict(self) -> dict[str, Any]:
        """As run.json has it."""
        values = {**self.__dict__, "path": path_to_text(self.path)}
        return values if self.group else {k: x for k, x in values.items() if k != "group"}


@dataclass(frozen=True)
class RunRequest:
    """Everything a trainer needs to begin, or to resume."""

    name: str
    config: Any
    """All settings, in the class of the run's family."""
    device: str
    sources: tuple[str, ...]
    """Where sounds are looked for: absolute paths of files and folders."""
    versions: dict[str, str]
    corpus: tuple[SoundEntry, ...] = ()
    """The sounds found there, once they were read."""
    refused: tuple[str, ...] = ()
    """What was found there and is not used, and why."""
    origin: str = ""
    """Marks the places as named on this machine, by this person."""
    folders: tuple[str, ...] = ()
    """Where its sounds were looked for, if `sources` names each of them."""
    left_out: tuple[str, ...] = ()
    """Files that were there when it began, and are not used."""
    devices: int = 1
    """Processes that train together, a device each; `batch_size` is what each of them takes."""
    start: RunStart = _FROM_NOTHING
    codec: str = ""
    """Digest of the model whose codes are learned, a copy of which is in the folder; "" for runs
    that learn from sound.
    """
    others: dict[str, Any] = field(default_factory=dict)
    """Fields of a later version, to be written again as they were."""

    @classmethod
    def of(
        cls,
        config: TrainingConfig,
        source: Source | AudioCorpus,
        *,
        name: str,
        device: str,
        devices: int = 1,
        start: RunStart = _FROM_NOTHING,
        codec: str = "",
    ) -> RunRequest:
        """A request for a new run.

        Raises:
            ModelTypeError: no family has such settings.
        """
        family_of(config)
        folders: tuple[str, ...] = ()
        left_out: tuple[str, ...] = ()
        if isinstance(source, AudioCorpus):
            places: Iterable[Any] = [file.path for file in source.files]
            folders = _absolute(place for place in source.places if place.is_dir())
            left_out = _absolute(refusal.path for refusal in source.refusals)
        elif isinstance(source, (str, Path)):
            places = [source]
        else:
            places = list(source)  # type: ignore[arg-type]
        return cls(
            name=printable(name)[:255],
            config=config,
            device=device,
            devices=devices,
            start=start,
            codec=codec,
            sources=_absolute(places),
            versions=library_versions(),
            folders=folders,
            left_out=left_out,
        ).sealed()

    @property
    def family(self) -> Family:
        """What kind of model is trained."""
        return family_of(self.config)

    @property
    def sample_rate(self) -> int:
        """Of the sounds that are learned from."""
        rate: int = self.config.spectrogram.sample_rate
        return rate

    def sealed(self) -> RunRequest:
        """The same request, marked as one whose places this person has named."""
        return replace(self, origin=seal(self._places()))

    def _places(self) -> list[str]:
        return [*self.sources, "", *self.folders, "", *(entry.path for entry in self.corpus)]

    def is_ours(self, last_host: str) -> bool:
        """Whether this person has named the places of its sounds, on this machine.

        Args:
            last_host: name of the machine that trained it last. Runs of the first version have no
                mark; of those, ones that were trained here are taken, if they know their sounds by
                content.
        """
        if not any(self._places()):
            return True
        if self.origin:
            return is_sealed(self._places(), self.origin)
        return bool(self.corpus) and last_host == platform.node()

    def check_ours(self, last_host: str) -> None:
        """Whether its sounds may be read without asking.

        Raises:
            CorpusError: it comes from elsewhere.
        """
        if not self.is_ours(last_host):
            named = [entry.path for entry in self.corpus] or list(self.sources)
            raise CorpusError(
                "this run was begun on another machine or by another person, or its run.json was "
                "changed; it names "
                f"{some_of(named)} as its sounds, which were not read. Say where they are here: "
                "resume(..., sounds=FOLDER), or on the command line --sounds FOLDER; they are "
                "recognised by their content"
            )

    def with_corpus(self, corpus: AudioCorpus, split: Split) -> RunRequest:
        """The same request, with the sounds that were found."""
        judged = set(split.validation_files)

        def side(index: int) -> str:
            return "both" if len(corpus) == 1 else "validation" if index in judged else "training"

        entries = tuple(
            SoundEntry(
                str(file.path.absolute()), file.sha256, file.seconds, side(index), file.group
            )
            for index, file in enumerate(self.with_groups(corpus).files)
        )
        refused = tuple(printable(refusal.reason) for refusal in corpus.refusals)
        left_out = {*self.left_out, *_absolute(refusal.path for refusal in corpus.refusals)}
        return replace(
            self, corpus=entries, refused=refused, left_out=tuple(sorted(left_out))
        ).sealed()

    def with_groups(self, corpus: AudioCorpus) -> AudioCorpus:
        """Its sounds with the folders that they lay in when the run began."""
        began = {entry.sha256: entry.group for entry in self.corpus}
        groups = Groups(self.folders or self.sources)
        files = tuple(
            replace(file, group=began.get(file.sha256, groups.of(file.path)))
            for file in corpus.files
        )
        return replace(corpus, files=files)

    def with_sounds(self, corpus: AudioCorpus, place: Source) -> RunRequest:
        """The same request, with its sounds where they are now.

        Args:
            corpus: what was found there; each sound is recognised by its content.
            place: where that is.

        Raises:
            CorpusError: some sounds of the run are not there; they are named.
        """
        found = {file.sha256: str(file.path.absolute()) for file in corpus.files}
        missing = [entry.path for entry in self.corpus if entry.sha256 not in found]
        if missing:
            raise CorpusError(
                f"{some_of(missing)}: not among the {len(found)} sounds given; "
                f"{len(self.corpus) - len(missing)} of {len(self.corpus)} sounds of the run are. "
                "They are recognised by their content: give a folder that has all of them"
            )
        entries = tuple(replace(entry, path=found[entry.sha256]) for entry in self.corpus)
        sources = _absolute([place] if isinstance(place, (str, os.PathLike)) else list(place))
        return replace(self, corpus=entries, sources=sources, folders=(), left_out=()).sealed()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; `from_dict` is its inverse."""
        return {
            **self.others,
            "name": self.name,
            "model_type": self.family.name,
            "config": self.config.to_dict(),
            "device": self.device,
            "versions": self.versions,
            "sources": list(map(path_to_text, self.sources)),
            "corpus": [entry.to_dict() for entry in self.corpus],
            "refused": list(map(printable, self.refused)),
            "origin": self.origin,
            "folders": list(map(path_to_text, self.folders)),
            "left_out": list(map(path_to_text, self.left_out)),
            "devices": self.devices,
            "start": self.start.to_dict(),
            **({"codec": self.codec} if self.codec else {}),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunRequest:
        """Rebuilds a request; fields of a later version are kept for writing it again.

        Raises:
            RunFolderError: not a request, or one of another distill.
        """
        asked = ""
        try:
            read = msgspec.convert(values, RequestFields)
            asked = f"it asks for a model of type {printable(read.model_type)!r}: "
            return cls(
                name=read.name,
                config=config_of(values),
                device=read.device,
                sources=tuple(map(path_from_text, read.sources)),
                versions=read.versions,
                corpus=tuple(
                    SoundEntry(path_from_text(x.path), x.sha256, x.seconds, x.split, x.group)
                    for x in read.corpus
                ),
                refused=tuple(read.refused),
                origin=read.origin,
                folders=tuple(map(path_from_text, read.folders)),
                left_out=tuple(map(path_from_text, read.left_out)),
                devices=read.devices,
                start=RunStart.of_fields(read.start),
                codec=read.codec,
                others={key: values[key] for key in values if key not in FIELDS},
            )
        except msgspec.ValidationError as error:
            raise RunFolderError(f"run.json cannot be used: {printable(str(error))}") from error
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise RunFolderError(f"run.json cannot be used: {asked}{error}") from error


def _absolute(places: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(Path(place).absolute()) for place in places)


def some_of(paths: list[str]) -> str:
    """The first paths of a list, for a message."""
    names = ", ".join(map(printable, paths[:_MOST_NAMED]))
    return names + (f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else "")
