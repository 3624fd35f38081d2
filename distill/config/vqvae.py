"""Everything about one RVQ-VAE and its training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from distill.config.autoencoder import AutoencoderConfig
from distill.config.fields import number, switch

MOST_LEVELS = 16
"""Of any model with codes: `finest` has them all, and its prior too."""


@dataclass(frozen=True, kw_only=True)
class VQVAEConfig(AutoencoderConfig):
    """Everything about one RVQ-VAE and its training.

    Example:
        >>> VQVAEConfig(levels=6, codebook_size=256).bits_per_second
        1125.0
        >>> VQVAEConfig(levels=17)
        Traceback (most recent call last):
            ...
        distill.errors.ConfigError: levels=17: expected a whole number from 1 to 16
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {
            "draft": {"levels": 4, "codebook_size": 256},  # 750 bit/s
            "balanced": {"levels": 6, "codebook_size": 256},  # 1125 bit/s
            "fine": {"levels": 8, "codebook_size": 256, "stride": 2},  # 3 kbit/s
            "finest": {"levels": 16, "codebook_size": 256, "stride": 2},  # 6 kbit/s
        }
    )
    """From the fewest bits a second to the most. All start from a base, so the finest has twice the
    levels of `fine`. Twice its steps, which no base has, would be as many bits, and 200 steps of
    training far behind (`benchmarks/quality.py --steps 200 --set stride=1 levels=8`)."""

    stride: int = number(4, 1, 16)
    """Frames to one time step of the codes. Of the same bits a second, more levels at fewer steps
    say more than few levels at many (`benchmarks/quality.py --set stride=2 levels=3`)."""
    levels: int = number(6, 1, MOST_LEVELS)
    codebook_size: int = number(256, 2, 65_536)
    commitment_weight: float = number(0.25, 0.0, 100.0)
    """How strongly the encoder is held to its entries, where it learns; see `tunes_codes`."""
    codebook_decay: float = number(0.97, 0.0, 0.9999)
    """Of the moving averages by which codebooks follow the latents, where they do."""
    tunes_codes: bool = switch(False)
    """Whether encoder and codebooks learn on too in a run that starts from the base. By default
    only its decoder does there: what each code means is settled before the first step, a step
    takes 0.7 of the time, and encoder and codebooks do not forget what other sounds than those
    of the corpus need (`benchmarks/quality.py --steps 200 700 --set tunes_codes=True`)."""
    codebook_tuning_share: float = number(0.25, 0.0, 1.0)
    """Share of their pace at which codebooks follow in a run from the base with `tunes_codes`; no
    entry is replaced there. At 1 all is as from nothing."""
    dead_code_fraction: float = number(0.2, 0.0, 1.0)
    """An entry hit less often than this share of its fair share is replaced; in a run that starts
    from the base none is, see `codebook_tuning_share`."""
    quantizer_dropout: float = number(0.0, 0.0, 1.0)
    """Share of a batch's segments that are rebuilt without their last levels, as many as chance
    says. Off: sounds that were held out gained nothing from it, by any number of levels
    (`benchmarks/quality.py --steps 200 --levels 1 2 3 --set quantizer_dropout=0.5`)."""

    _size_settings: ClassVar[str] = "width, depth, codebook_size, latent_dim or levels"

    @property
    def bottleneck_parameters(self) -> int:
        """Numbers in all codebooks and their averages."""
        return self.levels * (self.codebook_size * (2 * self.latent_dim + 1) + 1)

    @property
    def bits_per_second(self) -> float:
        """Nominal bit rate of the codes."""
        return self.bits_per_second_of(self.levels)

    def bits_per_second_of(self, levels: int) -> float:
        """Nominal bit rate of some levels alone.

        Args:
            levels: how many.
        """
        return levels * math.log2(self.codebook_size) * self.step_rate_hz
