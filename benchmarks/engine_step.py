"""What the engine costs: its step (events, run folder, health, checks) against a bare loop.

    python benchmarks/engine_step.py

Both train the same model on the same sounds in one thread, one step of each in turn, and the ratio
of each pair is taken: what slows the machine down for longer than a tenth of a second slows both.
So it is with a bare step in which only the decoder learns, as in a run from the base.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from common import parser, recordings, report, save

from distill import AudioCorpus, ConvVQVAE, LogMel, VQStepMetrics, VQVAEConfig, train_vqvae
from distill.audio import SegmentSampler
from distill.models import vqvae_loss
from distill.training.watch.event_lines import Event

WARM_UP = 5


def bare_steps(config: VQVAEConfig, corpus: AudioCorpus, *, codes: bool = True) -> Iterator[float]:
    """The shortest loop that trains the model, or its decoder alone; yields the seconds of each
    step.
    """
    log_mel, model = LogMel(config.spectrogram), ConvVQVAE(config)
    sampler = SegmentSampler(
        corpus.waveforms,
        segment_samples=(config.segment_frames - 1) * config.spectrogram.hop_length,
        batch_size=config.batch_size,
        gain_db=config.augment_gain_db,
    )
    model.initialise(log_mel(sampler.batch(48)))
    if not codes:
        model.keep_codes()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95))
    while True:
        began = time.perf_counter()
        mel = log_mel(sampler.batch())
        reconstruction, _, commitment = model(mel)
        loss, _, _ = vqvae_loss(reconstruction, mel, commitment)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield time.perf_counter() - began


def pairs(config: VQVAEConfig, corpus: AudioCorpus) -> list[tuple[float, float]]:
    """Seconds of a bare step, and of the engine's that follows it."""
    bare, found = bare_steps(config, corpus), []
    last: tuple[float, float] | None = None  # a bare step's seconds, and when it ended

    def one_of_each(event: Event) -> None:
        nonlocal last
        if isinstance(event, VQStepMetrics):
            if last is not None:
                found.append((last[0], time.perf_counter() - last[1]))
            last = (next(bare), time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        train_vqvae(config, corpus, Path(folder) / "run", "cpu", one_of_each, start="none")
    return found[WARM_UP:]


def decoder_alone(config: VQVAEConfig, corpus: AudioCorpus, steps: int) -> float:
    """How much of a bare step's time one takes in which only the decoder learns."""
    both = zip(bare_steps(config, corpus), bare_steps(config, corpus, codes=False), strict=True)
    return statistics.median(part / whole for whole, part in itertools.islice(both, WARM_UP, steps))


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--turns", type=int, default=6)
    options.add_argument("--steps", type=int, default=60)
    arguments = options.parse_args()
    corpus = AudioCorpus.scan(recordings(), progress=False)
    steps = arguments.steps + WARM_UP + 1
    config = VQVAEConfig(max_steps=steps, min_steps_per_epoch=steps, preview_every_epochs=0)
    rows = []
    for turn in range(arguments.turns):
        bare, engine = zip(*pairs(config, corpus), strict=True)
        ratio = statistics.median(b / a for a, b in zip(bare, engine, strict=True))
        rows.append(
            {"turn": turn, "bare ms": 1e3 * statistics.median(bare),
             "engine ms": 1e3 * statistics.median(engine), "engine / bare": ratio,
             "decoder / whole": decoder_alone(config, corpus, steps)}
        )  # fmt: skip
    report("A training step", rows, arguments.json)
    ratios = [row["engine / bare"] for row in rows]
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.3f} (to stay at or below 1.03)")
    decoder = statistics.median(row["decoder / whole"] for row in rows)
    print(f"where only the decoder learns {decoder:.3f} of it")
    save(
        arguments,
        {"ratio": ratio, "ratio_least": min(ratios), "ratio_most": max(ratios), "decoder": decoder},
    )


if __name__ == "__main__":
    main()
