"""Using a model: loading it, and encoding and decoding with and without the vocoder.

python benchmarks/use.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import parser, recordings, report, save

from distill import AudioCorpus, VQVAEConfig, load_model_v2, train_vqvae


def median_s(work: Callable[[], object], times: int = 7) -> float:
    """Median time after one warm-up."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--seconds", type=float, default=20.0, help="of sound")
    arguments = options.parse_args()
    corpus = AudioCorpus.scan(recordings(), progress=False)
    config = VQVAEConfig(max_steps=2, preview_every_epochs=0)
    with tempfile.TemporaryDirectory() as folder:
        path = train_vqvae(config, corpus, Path(folder) / "run", "cpu").model_path
        load = median_s(lambda: load_model_v2(path))
        model = load_model_v2(path)
    sound = torch.cat(corpus.waveforms)[: int(arguments.seconds * 48_000)]
    codes = model.encode(sound, 48_000)

    def without_vocoder() -> object:
        indices = model.encode(sound, 48_000).indices
        return model.mel_of(indices)

    rows = [
        {
            "what": name,
            "ms": 1e3 * taken,
            "x real time": arguments.seconds / taken if sound_s else 0.0,
        }
        for name, taken, sound_s in (
            ("load a .distill (to stay at or below 50 ms)", load, False),
            ("encode", median_s(lambda: model.encode(sound, 48_000)), True),
            ("encode + decode, no vocoder (at least 100 x)", median_s(without_vocoder), True),
            ("decode with Griffin-Lim", median_s(lambda: model.decode(codes)), True),
            (
                "encode + decode + Griffin-Lim (at least 10 x)",
                median_s(lambda: model.reconstruct(sound, 48_000)),
                True,
            ),
        )
    ]
    report(f"Using a model on {arguments.seconds:g} s of sound", rows, arguments.json)
    loading, _, without, _, whole = rows
    figures = {"load_ms": loading["ms"], "without_vocoder_x": without["x real time"]}
    save(arguments, {**figures, "whole_x": whole["x real time"]})


if __name__ == "__main__":
    main()
