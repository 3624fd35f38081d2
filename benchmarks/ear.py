"""How good an ear would find what a codec made: ViSQOL, for benchmarks that are given `--visqol`.

    pip install visqol-python

Its audio mode, of sounds of a second and more (it compares stretches of a second), and of the first
4 s of longer ones: a figure from 1 to 4.73, what it says of a sound against itself.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence

from torch import Tensor

RATE = 48_000
"""The rate that it hears at, in Hz."""
SHORTEST_S, LONGEST_S = 1, 4

Ear = Callable[[Sequence[tuple[Tensor, Tensor]]], float]
"""Mean score of pairs of sounds: (samples,) each, what was meant and what was made."""


def visqol() -> Ear:
    """An ear; ends the benchmark with what to do where ViSQOL is not installed."""
    try:
        from visqol import VisqolApi
    except ImportError:
        sys.exit("--visqol: expected ViSQOL, found none; pip install visqol-python")
    api = VisqolApi()
    api.create(mode="audio")

    def score(pairs: Sequence[tuple[Tensor, Tensor]]) -> float:
        heard = [pair for pair in pairs if len(pair[0]) >= SHORTEST_S * RATE]
        if not heard:
            sys.exit(f"--visqol: none of {len(pairs)} sounds is {SHORTEST_S} s long")
        print(f"ViSQOL hears {len(heard)} of {len(pairs)} sounds", flush=True)
        cut = ([one[: LONGEST_S * RATE].double().numpy() for one in pair] for pair in heard)
        scores = [api.measure_from_arrays(*pair, sample_rate=RATE).moslqo for pair in cut]
        return statistics.mean(scores)

    return score
