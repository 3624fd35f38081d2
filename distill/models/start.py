"""A trained model as what another one starts from: the base that distill brings, or one's own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import nn

from distill.config import SpectrogramConfig, TrainingConfig
from distill.errors import ModelFileError
from distill.family import WarmStart, family_of
from distill.models.file.container import read_container
from distill.models.file.info import info_of
from distill.models.use.loading import load_model
from distill.models.vqvae.background import background_of
from distill.names import printable

_MOST_NAMED = 4
_SPECTROGRAM = tuple(item.name for item in dataclasses.fields(SpectrogramConfig))


def base_paths() -> tuple[Path, ...]:
    """Where the bases lie that were installed with distill: the one of the default settings, and
    that of twice as many steps a second, as the finer presets have them.
    """
    folder = Path(str(resources.files("distill"))) / "data"
    return folder / "base.distill", folder / "base-fine.distill"


@dataclass(frozen=True)
class StartingModel:
    """A trained model whose weights another one starts with; they are read when they are given."""

    path: Path
    config: Any
    digest: str
    """See `LoadedModel.digest`."""

    @classmethod
    def read(cls, path: Path) -> StartingModel:
        """Reads and checks the whole of a `.distill` file.

        Raises:
            ModelFileError: see `load_model`.
        """
        with torch.random.fork_rng(devices=[]):
            loaded = load_model(path)
        return cls(path, loaded.config, loaded.digest)

    @classmethod
    def described(cls, path: Path) -> StartingModel:
        """Reads what a `.distill` file says of itself, and that it is as it was saved.

        No model is made of it, so nothing that takes seconds to load is needed; `give` checks the
        rest.

        Raises:
            ModelFileError: see `read_container`.
        """
        info = info_of(read_container(path)[0])
        return cls.read(path) if info.digest is None else cls(path, info.config, info.digest)

    def misfit(self, config: TrainingConfig) -> str:
        """The settings that keep a model from starting here; empty where none does.

        Args:
            config: of a new model of the same family.
        """
        pairs = [(name, self.config, config) for name in _warm_start(config).settings]
        spectrograms = (self.config.spectrogram, config.spectrogram)  # type: ignore[attr-defined]
        pairs += [(name, *spectrograms) for name in _SPECTROGRAM]
        found = [
            f"{name} {getattr(theirs, name)}, here {getattr(ours, name)}"
            for name, theirs, ours in pairs
            if getattr(theirs, name) != getattr(ours, name)
        ]
        return "; ".join(found[:_MOST_NAMED]) + ("; …" if len(found) > _MOST_NAMED else "")

    def give(self, module: nn.Module) -> None:
        """Copies the weights to a new model that they fit, on whatever device it is, and tells it
        the background that belongs to them; torch's random numbers stay as they are.

        Raises:
            ModelFileError: the file cannot be read, or is another by now.
        """
        with torch.random.fork_rng(devices=[]):
            loaded = load_model(self.path)
        if loaded.digest != self.digest:
            raise ModelFileError(f"{printable(self.path)}: was replaced by another model just now")
        parts = tuple(f"{part}." for part in _warm_start(self.config).parts)
        weights = loaded.model.state_dict()
        module.load_state_dict(
            {name: weight for name, weight in weights.items() if name.startswith(parts)},
            strict=False,
        )
        if (latents := background_of(self.digest)) is not None:
            module.background = latents


def _warm_start(config: TrainingConfig) -> WarmStart:
    return family_of(config).warm_start or WarmStart((), ())
