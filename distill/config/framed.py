"""What the settings have in common of everything that works on frames of a spectrogram."""

from __future__ import annotations

from typing import Any, TypeVar

from distill.config.fields import shown
from distill.config.spectrogram import SpectrogramConfig
from distill.config.training import TrainingConfig
from distill.errors import ConfigError

_ConfigT = TypeVar("_ConfigT", bound="FramedConfig")


class FramedConfig(TrainingConfig):
    """Settings with a spectrogram; each config names its fields itself, in an order of its own."""

    stride: int
    spectrogram: SpectrogramConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.spectrogram, SpectrogramConfig):
            found = shown(repr(self.spectrogram))
            raise ConfigError(f"spectrogram={found}: expected a SpectrogramConfig")

    @property
    def step_rate_hz(self) -> float:
        """Time steps of latents or codes a second."""
        return self.spectrogram.frame_rate_hz / self.stride

    @classmethod
    def from_dict(cls: type[_ConfigT], values: dict[str, Any]) -> _ConfigT:
        """Builds a config from `to_dict` data.

        Args:
            values: settings by name, those of the spectrogram as a table of their own; what is
                missing has its default.

        Raises:
            ConfigError: no table, an unknown field, or a value outside its range.
        """
        spectrogram = values.get("spectrogram", {}) if isinstance(values, dict) else None
        if isinstance(spectrogram, dict):
            values = {**values, "spectrogram": SpectrogramConfig.from_dict(spectrogram)}
        return super().from_dict(values)
