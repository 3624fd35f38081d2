"""Odd arrays, places and rates, given to everything that takes them: whose errors come back."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import Counts, counts_table, parser

from distill import ConvVQVAE, LoadedVQModel, SpectrogramConfig, VQVAEConfig
from tests.odd_arrays import tries


def small_model() -> LoadedVQModel:
    torch.manual_seed(0)
    spectrogram = dataclasses.replace(SpectrogramConfig.for_rate(8_000), n_mels=16)
    config = VQVAEConfig(
        width=16, latent_dim=4, levels=3, codebook_size=16, spectrogram=spectrogram
    )
    model = ConvVQVAE(config)
    model.initialise(torch.randn(1, 16, 400))
    return LoadedVQModel(model.eval())


def main() -> None:
    options = parser(__doc__ or "", count=10_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    rows: dict[str, Counts] = {}
    with tempfile.TemporaryDirectory() as folder:
        for outcome in tries(small_model(), Path(folder), chosen.count, chosen.seed):
            row = rows.setdefault(outcome.kind, Counts(outcome.kind))
            row.tried += 1
            row.foreign += outcome.foreign is not None
            row.silent += bool(outcome.silent)
            if outcome.foreign or outcome.silent:
                why = repr(outcome.foreign) if outcome.foreign else outcome.silent
                print(f"  {outcome.kind}: {outcome.what}: {why[:200]}", file=sys.stderr)
    sys.exit(bool(counts_table("Odd arrays, places and rates", rows.values(), chosen.json)))


if __name__ == "__main__":
    main()
