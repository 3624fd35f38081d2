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
from distill.models.vqvae.refining import REFINEMENTS


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

    works: list[tuple[str, Callable[[], object], int]] = [
        ("encode", lambda: model.encode(sound, 48_000), REFINEMENTS),
        ("encode, no refinements", lambda: model.encode(sound, 48_000), 0),
        ("encode + decode, no vocoder", without_vocoder, REFINEMENTS),
        ("the same, no refinements (at least 100 x)", without_vocoder, 0),
        ("decode with Griffin-Lim", lambda: model.decode(codes), 0),
        ("all of it (at least 10 x)", lambda: model.reconstruct(sound, 48_000), REFINEMENTS),
        ("all of it, no refinements", lambda: model.reconstruct(sound, 48_000), 0),
    ]
    rows = [{"what": "load a .distill (at most 50 ms)", "ms": 1e3 * load, "x real time": 0.0}]
    for name, work, model.refinements in works:
        taken = median_s(work)
        rows.append({"what": name, "ms": 1e3 * taken, "x real time": arguments.seconds / taken})
    report(f"Using a model on {arguments.seconds:g} s of sound", rows, arguments.json)
    _, _, _, without, quick, _, whole, whole_quick = (row["x real time"] for row in rows)
    save(arguments, {
        "load_ms": 1e3 * load, "without_vocoder_x": without, "without_vocoder_quick_x": quick,
        "whole_x": whole, "whole_quick_x": whole_quick,
    })  # fmt: skip


if __name__ == "__main__":
    main()
