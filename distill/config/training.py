"""How any model is trained: plain, frozen, validated data that knows nothing of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from distill.config.fields import Validated, number, shown
from distill.errors import ConfigError

DEFAULT_BUDGET_S = 300.0
"""Training time when a config names no budget at all."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Validated):
    """How any model is trained; a model's own config extends it.

    The run ends at whichever of `max_epochs`, `max_steps` and `max_seconds` comes first; with none
    of them set it trains for five minutes. Step and epoch budgets make a run reproducible.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    """Settings that belong together, by a name that people know."""

    max_epochs: int | None = number(None, 1, 10_000_000, optional=True)
    max_steps: int | None = number(None, 1, 1_000_000_000, optional=True)
    max_seconds: float | None = number(None, 0.1, 10_000_000.0, optional=True)
    seed: int = number(0, 0, 2**31 - 1)

    batch_size: int = number(32, 1, 4096)
    segment_frames: int = number(48, 8, 8192)
    """Half a second by default: longer crops of short recordings are mostly silence."""
    min_steps_per_epoch: int = number(50, 1, 100_000)
    learning_rate: float = number(2e-3, 1e-7, 1.0)
    fine_tuning_share: float = number(0.25, 1e-3, 1.0)
    """Share of the learning rate with which a run learns on that starts from a model: at the whole
    of it, what that model knows of other sounds is soon forgotten for those of the corpus."""
    weight_decay: float = number(0.01, 0.0, 1.0)
    warmup_steps: int = number(50, 0, 100_000)
    gradient_clip: float = number(1.0, 1e-3, 1e3)

    augment_gain_db: float = number(12.0, 0.0, 60.0)
    """Each training segment is played at a random level between minus this and 0 dB."""

    validation_fraction: float = number(0.1, 0.0, 0.5)
    checkpoint_every_s: float = number(30.0, 0.0, 86_400.0)
    checkpoints_kept: int = number(2, 1, 1000)
    health_every_steps: int = number(10, 1, 100_000)
    preview_every_epochs: int = number(10, 0, 1_000_000)
    """0 makes none."""
    preview_count: int = number(4, 1, 64)
    preview_seconds: float = number(4.0, 0.1, 60.0)

    @property
    def budget_s(self) -> float | None:
        """The time budget in force, None where epochs or steps alone decide."""
        if self.max_seconds is None and self.max_epochs is None and self.max_steps is None:
            return DEFAULT_BUDGET_S
        return self.max_seconds

    @classmethod
    def preset(cls, name: str) -> dict[str, Any]:
        """The settings of a preset, for a config made of them and what is to be otherwise.

        Args:
            name: one of `presets`.

        Raises:
            ConfigError: no such preset.

        Example:
            >>> from distill.config import VQVAEConfig
            >>> VQVAEConfig(**VQVAEConfig.preset("fine"), max_steps=700).bits_per_second
            3000.0
        """
        if name not in cls.presets:
            known = f"known: {', '.join(cls.presets)}" if cls.presets else "this family has none"
            raise ConfigError(f"preset={shown(repr(name))}: no such preset; {known}")
        return dict(cls.presets[name])
