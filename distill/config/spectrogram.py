"""How sound becomes log-mel frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distill.config.fields import Validated, number
from distill.errors import ConfigError

MOST_OVERLAP = 128
"""Hops that a window may span; each costs a transform of the whole window."""


@dataclass(frozen=True, kw_only=True)
class SpectrogramConfig(Validated):
    """How sound becomes log-mel frames; `n_fft` and `hop_length` are in samples.

    Example:
        >>> SpectrogramConfig().frame_rate_hz
        93.75
        >>> SpectrogramConfig.for_rate(16_000).n_fft
        512
    """

    sample_rate: int = number(48_000, 4_000, 384_000)
    n_fft: int = number(2048, 64, 16_384)
    hop_length: int = number(512, 16, 8_192)
    n_mels: int = number(128, 8, 512)
    f_min_hz: float = number(0.0, 0.0, 10_000.0)
    f_max_hz: float | None = number(None, 100.0, 192_000.0, optional=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_fft % 2:
            raise ConfigError(f"n_fft={self.n_fft}: expected an even number")
        if self.hop_length * 2 > self.n_fft:
            raise ConfigError(
                f"hop_length={self.hop_length}: expected at most half of n_fft={self.n_fft}, "
                "or the frames do not overlap enough to become sound again"
            )
        if self.hop_length * MOST_OVERLAP < self.n_fft:
            raise ConfigError(
                f"hop_length={self.hop_length}: expected at least n_fft={self.n_fft} / "
                f"{MOST_OVERLAP}, or a second of sound takes minutes"
            )
        if not self.f_min_hz < self.top_hz <= self.sample_rate / 2:
            raise ConfigError(
                f"f_max_hz={self.f_max_hz!r}: expected above f_min_hz={self.f_min_hz:g} and at "
                f"most half the sample rate ({self.sample_rate / 2:g})"
            )

    @classmethod
    def for_rate(cls, sample_rate: int) -> SpectrogramConfig:
        """The default's time resolution at another sample rate: windows of about 43 ms."""
        default = cls()
        if sample_rate == default.sample_rate:
            return default
        exact = default.n_fft * sample_rate / default.sample_rate
        n_fft = 2 ** round(math.log2(max(exact, 64.0)))
        return cls(sample_rate=sample_rate, n_fft=n_fft, hop_length=n_fft // 4)

    @property
    def top_hz(self) -> float:
        """Upper edge of the highest mel band."""
        return self.sample_rate / 2 if self.f_max_hz is None else self.f_max_hz

    @property
    def frame_rate_hz(self) -> float:
        """Mel frames a second."""
        return self.sample_rate / self.hop_length
