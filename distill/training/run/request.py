"""RunRequest: what is asked of a run, as `run.json` holds it."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from distill.audio.corpus import AudioCorpus, Source, find_files
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.io import is_reconstruction
from distill.audio.split import Split
from distill.checked import PathText, Positive, Text
from distill.config import TrainingConfig
from distill.errors import (
    AudioFileError,
    ConfigError,
    CorpusError,
    ModelTypeError,
    RunFolderError,
)
from distill.family import Family, family, family_of, other_family_with
from distill.names import path_from_text, path_to_text, printable
from distill.training.run.request_seal import is_sealed, seal
from distill.training.run.start import RunStart, StartFields
from distill.training.session.signals import Cancel
from distill.versions import library_versions

MOST_DEVICES = 1024
_MOST_NAMED = 5
_FROM_NOTHING = RunStart()
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Word = Annotated[str, Meta(max_length=255)]


class _Sound(msgspec.Struct):
    path: PathText
    sha256: _Digest
    seconds: Positive
    split: Literal["training", "validation", "both"]


class _Request(msgspec.Struct):
    name: _Word
    model_type: _Word
    config: dict[str, Any]
    device: _Word
    sources: list[PathText]
    versions: dict[_Word, _Word]
    corpus: list[_Sound]
    refused: list[Text]
    origin: _Word = ""
    folders: list[PathText] = []
    left_out: list[PathText] = []
    devices: Annotated[int, Meta(ge=1, le=MOST_DEVICES)] = 1
    start: StartFields = msgspec.field(default_factory=StartFields)


@dataclass(frozen=True)
class SoundEntry:
    """A sound of a run's corpus."""

    path: str
    sha256: str
    seconds: float
    split: str
    """training, validation, or both for a corpus of one file."""


@dataclass(frozen=True)
class RunRequest:
    """Everything a trainer needs to begin, or to go on."""

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
                f"{_named(named)} as its sounds, which were not read. Say where they are here: "
                "resume(..., sounds=FOLDER), or on the command line --sounds FOLDER; they are "
                "recognised by their content"
            )

    def with_corpus(self, corpus: AudioCorpus, split: Split) -> RunRequest:
        """The same request, with the sounds that were found."""
        judged = set(split.validation_files)

        def side(index: int) -> str:
            return "both" if len(corpus) == 1 else "validation" if index in judged else "training"

        entries = tuple(
            SoundEntry(str(file.path.absolute()), file.sha256, file.seconds, side(index))
            for index, file in enumerate(corpus.files)
        )
        refused = tuple(printable(refusal.reason) for refusal in corpus.refusals)
        left_out = {*self.left_out, *_absolute(refusal.path for refusal in corpus.refusals)}
        return replace(
            self, corpus=entries, refused=refused, left_out=tuple(sorted(left_out))
        ).sealed()

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
                f"{_named(missing)}: not among the {len(found)} sounds given; "
                f"{len(self.corpus) - len(missing)} of {len(self.corpus)} sounds of the run are. "
                "They are recognised by their content: give a folder that has all of them"
            )
        entries = tuple(replace(entry, path=found[entry.sha256]) for entry in self.corpus)
        sources = _absolute([place] if isinstance(place, (str, os.PathLike)) else list(place))
        return replace(self, corpus=entries, sources=sources, folders=(), left_out=()).sealed()

    def with_new_sounds(self, *, progress: bool = False) -> RunRequest:
        """The same request, with the sounds that have come to its places since; see `new_sounds`.

        Raises:
            CorpusError: see `read_corpus`.
        """
        before = self.read_corpus(progress=progress)
        new = self.new_sounds()
        if not new:
            return self
        paths = [*(file.path for file in before.files), *new]
        corpus = AudioCorpus.scan(paths, sample_rate=before.sample_rate, progress=progress)
        return self.with_corpus(corpus, corpus.split(self.config.validation_fraction))

    def new_sounds(self) -> list[Path]:
        """Sound files that have come to its folders since it began; they are no part of the run."""
        known = {entry.path for entry in self.corpus} | {*self.left_out, *self.sources}
        places = [place for place in (*self.sources, *self.folders) if Path(place).is_dir()]
        new: dict[Path, None] = {}
        for place in places:
            try:
                paths, _ = find_files(place)
            except CorpusError:
                continue
            new.update(dict.fromkeys(path for path in paths if str(path) not in known))
        return [path for path in new if not _is_made_by_us(path)]

    def about_new_sounds(self) -> str:
        """One sentence about `new_sounds`; empty where there are none."""
        new = [str(path) for path in self.new_sounds()]
        if not new:
            return ""
        files = "1 new file is" if len(new) == 1 else f"{len(new)} new files are"
        return (
            f"{files} not part of this run ({_named(new)}): to learn from them too, stop it and "
            "resume(..., new_sounds=True), or on the command line --new-sounds"
        )

    def read_corpus(
        self,
        *,
        progress: bool,
        last_host: str = "",
        cancel: Cancel | None = None,
        decoded: DecodedSounds | None = None,
    ) -> AudioCorpus:
        """Reads the sounds: whatever is at `sources` the first time, the same again later.

        Args:
            progress: shows a bar.
            last_host: see `is_ours`.
            cancel: once set, reading ends.
            decoded: what another process has decoded of them.

        Raises:
            CorpusError: the request comes from elsewhere; nothing usable; or a sound is missing, or
                is another than it was.
        """
        self.check_ours(last_host)
        rate = self.sample_rate
        if not self.corpus:
            return AudioCorpus.scan(
                self.sources,
                sample_rate=rate,
                progress=progress,
                cancel_event=_event(cancel),
                decoded=decoded,
            )
        missing = [entry.path for entry in self.corpus if not Path(entry.path).is_file()]
        if missing:
            raise CorpusError(
                f"{_named(missing)}: missing since the run began; put back what is missing, or say "
                "where the sounds are now: resume(..., sounds=FOLDER), or on the command line "
                "--sounds FOLDER"
            )
        paths = [entry.path for entry in self.corpus]
        corpus = AudioCorpus.scan(
            paths, sample_rate=rate, progress=progress, cancel_event=_event(cancel), decoded=decoded
        )
        found = {str(file.path): file.sha256 for file in corpus.files}
        changed = [entry.path for entry in self.corpus if found.get(entry.path) != entry.sha256]
        if changed:
            raise CorpusError(
                f"{_named(changed)}: not the sound it was when the run began; put the old file "
                "back, or start a new run"
            )
        return corpus

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
            "corpus": [
                {**entry.__dict__, "path": path_to_text(entry.path)} for entry in self.corpus
            ],
            "refused": list(map(printable, self.refused)),
            "origin": self.origin,
            "folders": list(map(path_to_text, self.folders)),
            "left_out": list(map(path_to_text, self.left_out)),
            "devices": self.devices,
            "start": self.start.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunRequest:
        """Rebuilds a request; fields of a later version are kept for writing it again.

        Raises:
            RunFolderError: not a request, or one of another distill.
        """
        asked = ""
        try:
            read = msgspec.convert(values, _Request)
            asked = f"it asks for a model of type {printable(read.model_type)!r}: "
            return cls(
                name=read.name,
                config=config_of(values),
                device=read.device,
                sources=tuple(map(path_from_text, read.sources)),
                versions=read.versions,
                corpus=tuple(
                    SoundEntry(path_from_text(x.path), x.sha256, x.seconds, x.split)
                    for x in read.corpus
                ),
                refused=tuple(read.refused),
                origin=read.origin,
                folders=tuple(map(path_from_text, read.folders)),
                left_out=tuple(map(path_from_text, read.left_out)),
                devices=read.devices,
                start=RunStart.of_fields(read.start),
                others={key: values[key] for key in values if key not in _FIELDS},
            )
        except msgspec.ValidationError as error:
            raise RunFolderError(f"run.json cannot be used: {printable(str(error))}") from error
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise RunFolderError(f"run.json cannot be used: {asked}{error}") from error


_FIELDS = frozenset(_Request.__struct_fields__)


def config_of(request: dict[str, Any]) -> TrainingConfig:
    """The settings that a run.json holds, as its family reads them.

    Raises:
        RunFolderError: a family that nobody knows, or another than that of the settings.
        ConfigError: settings of no family, or out of range.
    """
    try:
        kind = family(request["model_type"])
    except ModelTypeError as error:
        raise RunFolderError(f"run.json cannot be used: it asks for {error}") from error
    try:
        return kind.config.from_dict(request["config"])
    except ConfigError as error:
        _refuse_settings_of_another(request["config"], kind, error)
        raise


def _refuse_settings_of_another(settings: Any, kind: Family, error: ConfigError) -> None:
    other = other_family_with(settings, kind) if isinstance(settings, dict) else None
    if other is not None:
        raise RunFolderError(
            f"run.json cannot be used: it asks for a model of type {kind.name!r} ({kind.title}), "
            f"and its settings are those of {other.name!r} ({other.title}): a run is resumed as "
            f'what it began as. Put its "model_type" back to "{other.name}", or begin a new run '
            "in another folder"
        ) from error


def check_source(source: Source | AudioCorpus) -> None:
    """Whether there is any file to look at, before a trainer is started for it.

    Raises:
        CorpusError: a place that does not exist, or holds no file.
    """
    if isinstance(source, AudioCorpus):
        find_files(file.path for file in source.files)
    else:
        found, _ = find_files(source)
        if not found:
            AudioCorpus.scan(source, progress=False)  # raises the message people know


def _is_made_by_us(path: Path) -> bool:
    try:
        return is_reconstruction(path)
    except AudioFileError:  # reading it says why
        return False


def _absolute(places: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(Path(place).absolute()) for place in places)


def _event(cancel: Cancel | None) -> threading.Event | None:
    return cast("threading.Event | None", cancel)  # of which nothing but `is_set` is used


def _named(paths: list[str]) -> str:
    names = ", ".join(map(printable, paths[:_MOST_NAMED]))
    return names + (f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else "")
