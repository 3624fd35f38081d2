"""A family of models from outside the package, as small as one can be: a worked example.

Its bottleneck is kept small by a penalty on its size. CONTRIBUTING explains it line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from distill.config import AutoencoderConfig
from distill.config.fields import number
from distill.errors import ConfigError
from distill.family import Family
from distill.health_rows import Cell, Health
from distill.models import multi_resolution_l1
from distill.models.autoencoder import ConvAutoencoder
from distill.models.use.base import LoadedModel
from distill.training.engine.task import Judgement
from distill.training.tasks.autoencoder import AutoencoderTask


@dataclass(frozen=True, kw_only=True)
class ToyConfig(AutoencoderConfig):
    """Settings: the usual ones, and one of its own."""

    sparsity: float = number(0.1, 0.0, 10.0)


class ToyModel(ConvAutoencoder):
    """Frames to a few numbers a step, and back."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(config)
        self.config = config

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        latent = self.encode(mel)
        return self.decode(latent, frames=mel.shape[-1]), latent

    def encode(self, mel: Tensor) -> Tensor:
        return self.encoded(mel)


class ToyTask(AutoencoderTask):
    """What it minimises, and what is seen meanwhile."""

    loss_parts = ("reconstruction", "sparsity")

    def __init__(self, config: ToyConfig, module: ToyModel | None = None) -> None:
        super().__init__(config, ToyModel(config) if module is None else module)

    def judgement(self, mel: Tensor, output: tuple[Tensor, Tensor], progress: float) -> Judgement:
        reconstruction, latent = output
        distance, size = multi_resolution_l1(reconstruction, mel), latent.abs().mean()
        seen = latent.detach().abs().mean(dim=(0, 2))
        return Judgement(
            distance + self.config.sparsity * size,
            {"reconstruction": distance, "sparsity": size},
            {"size": seen, "batches": torch.ones((), dtype=torch.int64, device=mel.device)},
        )

    def nothing_observed(self) -> dict[str, Tensor]:
        return {
            "size": torch.zeros(self.config.latent_dim, device="cpu"),
            "batches": torch.zeros((), dtype=torch.int64, device="cpu"),
        }


@dataclass(frozen=True)
class ToyHealth(Health):
    """How large the numbers are, on the average."""

    sizes: tuple[float, ...]

    @property
    def used(self) -> float:
        return sum(size > 0.01 for size in self.sizes) / len(self.sizes)

    @property
    def advice(self) -> str:
        return "" if self.used > 0.1 else "hardly any number is used: lower sparsity"

    def cells(self) -> tuple[Cell, ...]:
        return (Cell("numbers", str(len(self.sizes))), Cell("used", f"{self.used:.0%}", self.used))


class LoadedToy(LoadedModel[Tensor]):
    """The model in use."""

    encoded_type = Tensor

    def _encode(self, sound: Any) -> Tensor:
        self._samples = sound.samples
        return torch.cat(list(self._latents(sound)), dim=-1)[None]

    def decode_pieces(self, encoded: Tensor, *, force: bool = False) -> Iterator[Tensor]:
        with torch.no_grad():
            mel = self.model.decode(encoded)[0]
        return self._sounds(iter([mel]), self._samples, 1.0)


def health(observed: Mapping[str, Tensor], _trained: Any, _steps: int) -> tuple[ToyHealth, ...]:
    sizes = observed["size"] / observed["batches"].clamp(min=1)
    return (ToyHealth(tuple(sizes.tolist())),)


def adaptive(file_count: int, **settings: Any) -> ToyConfig:
    if file_count < 1:
        raise ConfigError(f"file_count={file_count}: expected at least 1")
    return ToyConfig(**settings)


FAMILY = Family(
    name="toy",
    title="toy autoencoder",
    file_version=1,
    config=ToyConfig,
    loss_parts=ToyTask.loss_parts,
    build=ToyModel,
    open=LoadedToy,
    task=ToyTask,
    adaptive_config=adaptive,
    health=health,
    health_type=ToyHealth,
)
