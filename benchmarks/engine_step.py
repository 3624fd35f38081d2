"""What the engine costs: its step (events, run folder, health, checks) against a bare loop.

    python benchmarks/engine_step.py

Both train the same model on the same sounds, in turns, in one process; the ratio of each pair of
turns is taken, so a machine that slows down slows both.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path

import torch
from common import parser, recordings, report, save

from distill import AudioCorpus, ConvVQVAE, LogMel, VQStepMetrics, VQVAEConfig, train_vqvae
from distill.audio import SegmentSampler
from distill.models import vqvae_loss
from distill.training.watch.event_lines import Event


def bare_turn(config: VQVAEConfig, corpus: AudioCorpus, steps: int) -> list[float]:
    """Seconds of each step of the shortest loop that trains the model."""
    torch.manual_seed(0)
    log_mel, model = LogMel(config.spectrogram), ConvVQVAE(config)
    sampler = SegmentSampler(
        corpus.waveforms,
        segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
    )
    model.initialise(log_mel(sampler.batch(48)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95))
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        mel = log_mel(sampler.batch())
        reconstruction, _, commitment = model(mel)
        loss, _, _ = vqvae_loss(reconstruction, mel, commitment)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - began)
    return times


def engine_turn(config: VQVAEConfig, corpus: AudioCorpus, steps: int) -> list[float]:
    """Seconds from each step's event to the next, within epochs."""
    stamps: list[float] = []

    def stamp(event: Event) -> None:
        if isinstance(event, VQStepMetrics):
            stamps.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        train_vqvae(config, corpus, Path(folder) / "run", "cpu", stamp)
    assert len(stamps) == steps
    return [after - before for before, after in itertools.pairwise(stamps)]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--turns", type=int, default=6)
    options.add_argument("--steps", type=int, default=60)
    arguments = options.parse_args()
    corpus = AudioCorpus.scan(recordings(), progress=False)
    config = VQVAEConfig(
        max_steps=arguments.steps, min_steps_per_epoch=arguments.steps, preview_every_epochs=0
    )
    rows = []
    for turn in range(arguments.turns):
        bare = statistics.median(bare_turn(config, corpus, arguments.steps))
        engine = statistics.median(engine_turn(config, corpus, arguments.steps))
        rows.append(
            {"turn": turn, "bare ms": 1e3 * bare, "engine ms": 1e3 * engine,
             "engine / bare": engine / bare}
        )  # fmt: skip
    report("A training step", rows, arguments.json)
    ratios = [row["engine / bare"] for row in rows]
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.3f} (to stay at or below 1.05)")
    save(arguments, {"ratio": ratio, "ratio_least": min(ratios), "ratio_most": max(ratios)})


if __name__ == "__main__":
    main()
