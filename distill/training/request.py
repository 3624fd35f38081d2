"""RunRequest: what is asked of a run, as `run.json` holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distill.audio.corpus import AudioCorpus, Source, find_files
from distill.audio.split import Split
from distill.config import VQVAEConfig
from distill.errors import ConfigError, CorpusError, RunFolderError
from distill.versions import library_versions

MODEL_TYPE = "vqvae"
_MOST_NAMED = 5


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
    config: VQVAEConfig
    device: str
    sources: tuple[str, ...]
    """Where sounds are looked for: absolute paths of files and folders."""
    versions: dict[str, str]
    corpus: tuple[SoundEntry, ...] = ()
    """The sounds found there, once they were read."""
    refused: tuple[str, ...] = ()
    """What was found there and is not used, and why."""

    @classmethod
    def of(
        cls,
        config: VQVAEConfig,
        source: Source | AudioCorpus,
        *,
        name: str,
        device: str,
    ) -> RunRequest:
        """A request for a new run."""
        if isinstance(source, AudioCorpus):
            places: Iterable[Any] = [file.path for file in source.files]
        elif isinstance(source, (str, Path)):
            places = [source]
        else:
            places = list(source)  # type: ignore[arg-type]
        absolute = tuple(str(Path(place).absolute()) for place in places)
        return cls(name, config, device, absolute, library_versions())

    def with_corpus(self, corpus: AudioCorpus, split: Split) -> RunRequest:
        """The same request, with the sounds that were found."""
        judged = set(split.validation_files)

        def side(index: int) -> str:
            return "both" if len(corpus) == 1 else "validation" if index in judged else "training"

        entries = tuple(
            SoundEntry(str(file.path.absolute()), file.sha256, file.seconds, side(index))
            for index, file in enumerate(corpus.files)
        )
        refused = tuple(refusal.reason for refusal in corpus.refusals)
        return replace(self, corpus=entries, refused=refused)

    def read_corpus(self, *, progress: bool) -> AudioCorpus:
        """Reads the sounds: whatever is at `sources` the first time, the same again later.

        Raises:
            CorpusError: nothing usable; or a sound is missing, or is another than it was.
        """
        rate = self.config.spectrogram.sample_rate
        if not self.corpus:
            return AudioCorpus.scan(self.sources, sample_rate=rate, progress=progress)
        missing = [entry.path for entry in self.corpus if not Path(entry.path).is_file()]
        if missing:
            raise CorpusError(
                f"{_named(missing)}: missing since the run began; put back what is missing, or "
                "start a new run"
            )
        paths = [entry.path for entry in self.corpus]
        corpus = AudioCorpus.scan(paths, sample_rate=rate, progress=progress)
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
            "name": self.name,
            "model_type": MODEL_TYPE,
            "config": self.config.to_dict(),
            "device": self.device,
            "versions": self.versions,
            "sources": list(self.sources),
            "corpus": [entry.__dict__ for entry in self.corpus],
            "refused": list(self.refused),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunRequest:
        """Rebuilds a request.

        Raises:
            RunFolderError: not a request, or one of another distill.
        """
        try:
            if values["model_type"] != MODEL_TYPE:
                raise RunFolderError(
                    f"run.json asks for a model of type {values['model_type']!r}; expected "
                    f"{MODEL_TYPE!r}"
                )
            return cls(
                name=values["name"],
                config=VQVAEConfig.from_dict(values["config"]),
                device=values["device"],
                sources=tuple(values["sources"]),
                versions=dict(values["versions"]),
                corpus=tuple(SoundEntry(**entry) for entry in values["corpus"]),
                refused=tuple(values["refused"]),
            )
        except (KeyError, TypeError, ConfigError) as error:
            raise RunFolderError(f"run.json cannot be used: {error}") from error


def check_source(source: Source | AudioCorpus) -> None:
    """Whether there is any file to look at, before a trainer is started for it.

    Raises:
        CorpusError: a place that does not exist, or holds no file.
    """
    if not isinstance(source, AudioCorpus):
        found, _ = find_files(source)
        if not found:
            AudioCorpus.scan(source, progress=False)  # raises the message people know


def _named(paths: list[str]) -> str:
    names = ", ".join(paths[:_MOST_NAMED])
    return names + (f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else "")
