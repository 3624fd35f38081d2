"""Settings that fit a corpus, so that the defaults just work from 1 file to 500."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from distill.config.conditions import CLASS, CONDITIONS, checked_conditions
from distill.config.fields import unknown_field
from distill.config.prior import MOST_COPIES, PriorConfig
from distill.config.training import TrainingConfig
from distill.config.vae import VAEConfig
from distill.config.vqvae import VQVAEConfig
from distill.errors import ConfigError

_TYPICAL_SECONDS = 2.0
_PASSES, _PASSES_FROM_BASE, _FEWEST_STEPS = 25, 9, 300  # of a prior
_WITH_COPIES_S = 3600.0
"""Recordings and their copies that a prior learns from: five minutes do not go through more."""
_OF_SEGMENTS = ("batch_size", "min_steps_per_epoch")
"""What `_settings` fits to segments of sound; a prior learns from other ones."""


def get_adaptive_vqvae_config(
    file_count: int,
    total_seconds: float | None = None,
    *,
    preset: str | None = None,
    **overrides: Any,
) -> VQVAEConfig:
    """An RVQ-VAE's config for a corpus of this size.

    Codebooks have 64 entries for up to 20 files, 128 up to 100, 256 above: a small corpus cannot
    fill a large codebook. The time budget grows from one to five minutes with the corpus. A corpus
    of a few seconds is trained on smaller batches and shorter epochs.

    Args:
        file_count: recordings, at least 1.
        total_seconds: length of all together; guessed from the count where unknown.
        preset: name of settings that belong together, one of `VQVAEConfig.presets`; they win.
        **overrides: any field of VQVAEConfig, which then wins.

    Raises:
        ConfigError: no files, an unknown field or preset, or a value outside its range.

    Example:
        >>> config = get_adaptive_vqvae_config(40, max_epochs=10)
        >>> config.codebook_size, config.levels, config.budget_s
        (128, 6, None)
        >>> get_adaptive_vqvae_config(40, preset="draft").bits_per_second
        750.0
    """
    if preset is not None:
        overrides = {**VQVAEConfig.preset(preset), **overrides}
    settings = _settings(VQVAEConfig, file_count, total_seconds, overrides)
    entries = 64 if file_count <= 20 else 128 if file_count <= 100 else 256
    return VQVAEConfig(**{"codebook_size": entries, **settings})


def get_adaptive_config(
    file_count: int, total_seconds: float | None = None, **overrides: Any
) -> VAEConfig:
    """A continuous VAE's config for a corpus of this size.

    Latents have 16 dimensions for up to 20 files, 24 up to 100, 32 above; budget, batches and
    epochs are those of `get_adaptive_vqvae_config`.

    Args:
        file_count: recordings, at least 1.
        total_seconds: length of all together; guessed from the count where unknown.
        **overrides: any field of VAEConfig, which then wins.

    Raises:
        ConfigError: no files, an unknown field, or a value outside its range.

    Example:
        >>> config = get_adaptive_config(40, max_epochs=10)
        >>> config.latent_dim, config.budget_s
        (24, None)
    """
    settings = _settings(VAEConfig, file_count, total_seconds, overrides)
    dims = 16 if file_count <= 20 else 24 if file_count <= 100 else 32
    return VAEConfig(**{"latent_dim": dims, **settings})


def get_adaptive_prior_config(
    codec: VQVAEConfig,
    file_count: int,
    total_seconds: float | None = None,
    *,
    from_base: bool = False,
    **overrides: Any,
) -> PriorConfig:
    """A prior's config for the codes of a model over a corpus of this size.

    It learns until it has gone through the recordings and their copies often enough, or until the
    time is up, which grows from one to five minutes with the corpus. On `sonic_pi`, where 25 passes
    are 800 steps, a step of recordings that nobody knew costs a prior from nothing 14.55 bits after
    300 and 13.95 after 800, one from the base 13.11 and 13.31, so that goes through them 9 times
    (`benchmarks/prior.py --steps 300 800 --from-nothing`). Of more than ten minutes there are fewer
    copies, of more than half an hour none: to encode them takes long, and time would be up before.

    Args:
        codec: `config` of the model whose codes it learns.
        file_count: recordings, at least 1.
        total_seconds: length of all together; guessed from the count where unknown.
        from_base: whether it will start from the base.
        **overrides: any field of PriorConfig that the model does not decide, which then wins.

    Raises:
        ConfigError: no files, an unknown field, a value outside its range, or other than the
            model's.

    Example:
        >>> config = get_adaptive_prior_config(VQVAEConfig(), 40, max_steps=10)
        >>> config.bits_per_step, config.budget_s
        (48.0, None)
    """
    settings = _settings(PriorConfig, file_count, total_seconds, overrides)
    wanted = {k: v for k, v in settings.items() if k in overrides or k not in _OF_SEGMENTS}
    seconds = file_count * _TYPICAL_SECONDS if total_seconds is None else total_seconds
    wanted = {"copies": _copies_of(seconds), **wanted, **_conditions(overrides)}
    config = PriorConfig.for_codec(codec, **wanted)
    if config.max_steps is not None or config.max_epochs is not None:
        return config
    steps_of_codes = seconds * config.step_rate_hz * (1 + config.copies)
    a_pass = steps_of_codes / (config.batch_size * config.segment_steps)
    passes = _PASSES_FROM_BASE if from_base else _PASSES
    return dataclasses.replace(config, max_steps=max(_FEWEST_STEPS, round(passes * a_pass)))


def _copies_of(seconds: float) -> int:
    return max(0, min(MOST_COPIES, int(_WITH_COPIES_S // seconds) - 1))


def _conditions(overrides: dict[str, Any]) -> dict[str, Any]:
    """What a prior is told of sounds: all that is known of them, unless it is said."""
    classes = overrides.get("classes") or ()
    known = CONDITIONS if len(classes) > 1 else CONDITIONS[1:]
    conditions = checked_conditions(overrides.get("conditions", known))
    return {"conditions": conditions, "classes": classes if CLASS in conditions else ()}


def _settings(
    kind: type[TrainingConfig],
    file_count: int,
    total_seconds: float | None,
    overrides: dict[str, Any],
) -> dict[str, Any]:
    """What every family takes over from the size of a corpus, and the overrides."""
    if not isinstance(file_count, int) or isinstance(file_count, bool) or file_count < 1:
        raise ConfigError(f"file_count={file_count!r}: expected a whole number of at least 1")
    seconds = file_count * _TYPICAL_SECONDS if total_seconds is None else total_seconds
    is_number = isinstance(seconds, (int, float)) and math.isfinite(seconds)
    if not is_number or seconds <= 0:
        raise ConfigError(f"total_seconds={total_seconds!r}: expected a number above 0")
    known = [item.name for item in dataclasses.fields(kind)]
    for name in overrides:
        if name not in known:
            raise ConfigError(unknown_field(name, known))
    settings: dict[str, Any] = {
        "batch_size": 16 if seconds < 10 else 32,
        "min_steps_per_epoch": 20 if seconds < 10 else 50,
    }
    if all(overrides.get(name) is None for name in ("max_epochs", "max_steps", "max_seconds")):
        settings["max_seconds"] = float(min(300, max(60, round(60 + seconds))))
    return {**settings, **overrides}
