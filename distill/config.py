"""What a run is asked to do: plain, frozen, validated data that knows nothing of torch."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, TypeVar

from distill.errors import ConfigError
from distill.names import printable

_ConfigT = TypeVar("_ConfigT", bound="_Validated")

_LONGEST_SHOWN = 60
MOST_PARAMETERS = 2**28
"""Numbers that a model may hold: 1 GiB of float32."""
MOST_OVERLAP = 128
"""Hops that a window may span; each costs a transform of the whole window."""
DEFAULT_BUDGET_S = 300.0
"""Training time when a config names no budget at all."""


def _number(default: Any, low: float, high: float, *, optional: bool = False) -> Any:
    """A field checked to be a number of `default`'s kind within [low, high]."""
    kind = int if isinstance(low, int) and isinstance(high, int) else float
    return field(
        default=default,
        metadata={"kind": kind, "low": low, "high": high, "optional": optional},
    )


@dataclass(frozen=True, kw_only=True)
class _Validated:
    """Checks every `_number` field and turns itself into plain data and back."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            if "kind" in item.metadata:
                value = getattr(self, item.name)
                _check_number(item, value)
                if value is not None:  # NumPy's numbers become Python's, which JSON knows
                    object.__setattr__(self, item.name, item.metadata["kind"](value))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; `from_dict` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[_ConfigT], values: dict[str, Any]) -> _ConfigT:
        """Builds a config from `to_dict` data.

        Raises:
            ConfigError: no table, an unknown field, or a value outside its range.
        """
        if not isinstance(values, dict):
            raise ConfigError(
                f"settings of type {type(values).__name__}: expected names and values"
            )
        known = [item.name for item in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ConfigError(unknown_field(name, known))
        return cls(**values)


def unknown_field(name: str, known: list[str]) -> str:
    """The message for a setting nobody knows, with the nearest one that exists."""
    near = difflib.get_close_matches(str(name)[:_LONGEST_SHOWN], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}."
    return f"{_shown(name)}: no such setting; {hint}"


def _check_number(item: dataclasses.Field[Any], value: Any) -> None:
    kind, low, high = (item.metadata[key] for key in ("kind", "low", "high"))
    if value is None and item.metadata["optional"]:
        return
    is_number = isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # which NaN is not either
        noun = "a whole number" if kind is int else "a number"
        found = _shown(value) if is_number else _shown(repr(value))
        raise ConfigError(f"{item.name}={found}: expected {noun} from {low:g} to {high:g}")


def _shown(value: Any) -> str:
    """A value of a message, whatever it is: a number may have thousands of digits."""
    try:
        text = printable(str(value))
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


@dataclass(frozen=True, kw_only=True)
class SpectrogramConfig(_Validated):
    """How sound becomes log-mel frames; `n_fft` and `hop_length` are in samples.

    Example:
        >>> SpectrogramConfig().frame_rate_hz
        93.75
        >>> SpectrogramConfig.for_rate(16_000).n_fft
        512
    """

    sample_rate: int = _number(48_000, 4_000, 384_000)
    n_fft: int = _number(2048, 64, 16_384)
    hop_length: int = _number(512, 16, 8_192)
    n_mels: int = _number(128, 8, 512)
    f_min_hz: float = _number(0.0, 0.0, 10_000.0)
    f_max_hz: float | None = _number(None, 100.0, 192_000.0, optional=True)

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


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(_Validated):
    """How any model is trained; a model's own config extends it.

    The run ends at whichever of `max_epochs`, `max_steps` and `max_seconds` comes first; with none
    of them set it trains for five minutes. Step and epoch budgets make a run reproducible.
    """

    max_epochs: int | None = _number(None, 1, 10_000_000, optional=True)
    max_steps: int | None = _number(None, 1, 1_000_000_000, optional=True)
    max_seconds: float | None = _number(None, 0.1, 10_000_000.0, optional=True)
    seed: int = _number(0, 0, 2**31 - 1)

    batch_size: int = _number(32, 1, 4096)
    segment_frames: int = _number(48, 8, 8192)
    """Half a second by default: longer crops of short recordings are mostly silence."""
    min_steps_per_epoch: int = _number(50, 1, 100_000)
    learning_rate: float = _number(2e-3, 1e-7, 1.0)
    weight_decay: float = _number(0.01, 0.0, 1.0)
    warmup_steps: int = _number(50, 0, 100_000)
    gradient_clip: float = _number(1.0, 1e-3, 1e3)

    augment_gain_db: float = _number(12.0, 0.0, 60.0)
    """Each training segment is played at a random level between minus this and 0 dB."""

    validation_fraction: float = _number(0.1, 0.0, 0.5)
    checkpoint_every_s: float = _number(30.0, 0.0, 86_400.0)
    checkpoints_kept: int = _number(2, 1, 1000)
    health_every_steps: int = _number(10, 1, 100_000)
    preview_every_epochs: int = _number(10, 0, 1_000_000)
    """0 makes none."""
    preview_count: int = _number(4, 1, 64)
    preview_seconds: float = _number(4.0, 0.1, 60.0)

    @property
    def budget_s(self) -> float | None:
        """The time budget in force, None where epochs or steps alone decide."""
        if self.max_seconds is None and self.max_epochs is None and self.max_steps is None:
            return DEFAULT_BUDGET_S
        return self.max_seconds


@dataclass(frozen=True, kw_only=True)
class VQVAEConfig(TrainingConfig):
    """Everything about one RVQ-VAE and its training.

    Example:
        >>> VQVAEConfig(levels=3, codebook_size=256).bits_per_second
        1125.0
        >>> VQVAEConfig(levels=9)
        Traceback (most recent call last):
            ...
        distill.errors.ConfigError: levels=9: expected a whole number from 1 to 8
    """

    levels: int = _number(3, 1, 8)
    codebook_size: int = _number(256, 2, 65_536)
    commitment_weight: float = _number(0.25, 0.0, 100.0)

    width: int = _number(192, 8, 2048)
    encoder_depth: int = _number(2, 1, 32)
    decoder_depth: int = _number(3, 1, 32)
    kernel_size: int = _number(7, 1, 63)
    latent_dim: int = _number(128, 1, 1024)
    stride: int = _number(2, 1, 16)
    """Frames to one time step of the code grid."""

    codebook_decay: float = _number(0.97, 0.0, 0.9999)
    dead_code_fraction: float = _number(0.2, 0.0, 1.0)
    """An entry hit less often than this share of its fair share is replaced."""

    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size={self.kernel_size}: expected an odd number")
        if not isinstance(self.spectrogram, SpectrogramConfig):
            found = _shown(repr(self.spectrogram))
            raise ConfigError(f"spectrogram={found}: expected a SpectrogramConfig")
        if self.parameters > MOST_PARAMETERS:
            raise ConfigError(
                f"a model of {self.parameters} numbers: expected at most {MOST_PARAMETERS}; lower "
                "width, depth, codebook_size, latent_dim or levels"
            )

    @property
    def parameters(self) -> int:
        """Numbers in all tensors of the model, known without making it."""
        width, dim, bands, kernel = (
            self.width,
            self.latent_dim,
            self.spectrogram.n_mels,
            self.kernel_size,
        )
        block = 6 * width**2 + (kernel + 8) * width
        change_of_rate = 2 * self.stride * width**2 + width
        encoder = 5 * bands * width + width + change_of_rate + width * dim + dim
        decoder = 3 * dim * width + width + change_of_rate + width * bands + bands
        codebook = self.codebook_size * (2 * dim + 1) + 1
        blocks = block * (self.encoder_depth + self.decoder_depth)
        return encoder + decoder + blocks + codebook * self.levels

    @property
    def step_rate_hz(self) -> float:
        """Time steps of the code grid a second."""
        return self.spectrogram.frame_rate_hz / self.stride

    @property
    def bits_per_second(self) -> float:
        """Nominal bit rate of the codes."""
        return self.levels * math.log2(self.codebook_size) * self.step_rate_hz

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> VQVAEConfig:
        """Builds a config from `to_dict` data; see the base class."""
        spectrogram = values.get("spectrogram", {}) if isinstance(values, dict) else None
        if isinstance(spectrogram, dict):
            values = {**values, "spectrogram": SpectrogramConfig.from_dict(spectrogram)}
        return super().from_dict(values)
