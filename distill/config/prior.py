"""Everything about one prior over the codes of a model, and its training."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from distill.config.autoencoder import MOST_PARAMETERS
from distill.config.conditions import checked_classes, checked_conditions, condition_sizes
from distill.config.fields import number, shown
from distill.config.framed import FramedConfig
from distill.config.spectrogram import SpectrogramConfig
from distill.config.vqvae import MOST_LEVELS, VQVAEConfig
from distill.errors import ConfigError

MOST_COPIES = 5
"""Further copies of a recording that a prior can learn from: four other speeds, half the level."""
LARGEST_FREE = 4096
"""Entries up to which a level has a weight for each entry, beside its likeness to the others."""
_OF_CODEC = ("levels", "codebook_size", "stride", "spectrogram")


@dataclass(frozen=True, kw_only=True)
class PriorConfig(FramedConfig):
    """Everything about one prior over the codes of a model, and its training.

    `levels`, `codebook_size`, `code_dim`, `stride` and `spectrogram` are those of the model.

    Example:
        >>> PriorConfig.for_codec(VQVAEConfig(levels=2), max_steps=100).bits_per_step
        16.0
        >>> PriorConfig(dropout=2.0)
        Traceback (most recent call last):
            ...
        distill.errors.ConfigError: dropout=2.0: expected a number from 0 to 0.9
    """

    levels: int = number(6, 1, MOST_LEVELS)
    codebook_size: int = number(256, 2, 65_536)
    code_dim: int = number(128, 1, 1024)
    """Numbers in the vector of an entry: the model's `latent_dim`."""
    stride: int = number(4, 1, 16)
    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)

    width: int = number(192, 8, 2048)
    layers: int = number(1, 1, 8)
    dropout: float = number(0.3, 0.0, 0.9)
    segment_steps: int = number(64, 4, 4096)
    """Length of what is learned from at once, in steps of codes."""
    copies: int = number(MOST_COPIES, 0, MOST_COPIES)
    """Further copies of each recording to learn from: at other speeds, and at half the level."""
    conditions: tuple[str, ...] = ()
    """What it can be told of a sound: any of class, loudness, position, brightness."""
    classes: tuple[str, ...] = ()
    """Names of the classes: folders of recordings; found when a training begins."""

    min_steps_per_epoch: int = number(100, 1, 100_000)
    weight_decay: float = number(0.05, 0.0, 1.0)
    fine_tuning_share: float = number(1.0, 1e-3, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        conditions = checked_conditions(self.conditions)
        object.__setattr__(self, "conditions", conditions)  # frozen for everybody else
        object.__setattr__(self, "classes", checked_classes(self.classes, conditions))
        if self.parameters > MOST_PARAMETERS:
            raise ConfigError(
                f"a prior of {self.parameters} numbers: expected at most {MOST_PARAMETERS}; lower "
                "width or layers"
            )

    @classmethod
    def for_codec(cls, codec: VQVAEConfig, **settings: Any) -> PriorConfig:
        """Settings of a prior over the codes of a model.

        Args:
            codec: of the model.
            **settings: any field that the model does not decide.

        Raises:
            ConfigError: a value outside its range, or other than the model's.
        """
        return cls.from_dict({**_decided_by(codec), **settings}).checked_for(codec)

    def checked_for(self, codec: VQVAEConfig) -> PriorConfig:
        """These settings.

        Raises:
            ConfigError: they are not for the codes of this model; names what differs.
        """
        for name, value in _decided_by(codec).items():
            found = getattr(self, name)
            if found != value:
                raise ConfigError(
                    f"{name}={shown(found)}: the model has {shown(value)}; leave it out, or use "
                    "get_adaptive_prior_config(model, ...)"
                )
        return self

    @property
    def bits_per_step(self) -> float:
        """What a step costs where every code is as likely as any other."""
        return self.levels * math.log2(self.codebook_size)

    @property
    def has_free(self) -> bool:
        """Whether levels have a weight for each entry; see `LARGEST_FREE`."""
        return self.codebook_size <= LARGEST_FREE

    @property
    def condition_sizes(self) -> tuple[int, ...]:
        """Values of each column of conditions, beside "unknown"; () for a prior without any."""
        return condition_sizes(self.conditions, len(self.classes))

    @property
    def parameters(self) -> int:
        """Numbers that training learns, known without making the model."""
        width, dims, levels = self.width, self.code_dim, self.levels
        memory = self.layers * 6 * (width**2 + width)
        taking = levels * dims * width + width + width  # and how a sound begins
        ends = width + 1
        lower = dims * width * (levels * (levels - 1) // 2) + (levels - 1) * width
        head = width**2 + width + 2 * width + width * dims + dims + self.codebook_size
        free = (width + 1) * self.codebook_size if self.has_free else 0
        told = sum(1 + size for size in self.condition_sizes) * 2 * width
        return memory + taking + ends + lower + levels * (head + free) + told


def _decided_by(codec: VQVAEConfig) -> dict[str, Any]:
    return {**{name: getattr(codec, name) for name in _OF_CODEC}, "code_dim": codec.latent_dim}
