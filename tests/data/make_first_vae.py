"""Makes `first_vae`, files of the continuous family, by the code as it stands; see README.md.

python tests/data/make_first_vae.py FOLDER
"""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
import threading
from pathlib import Path

import distill
from distill.training.watch.event_lines import Event

SOUNDS = Path(__file__).parent / "first_version" / "sounds"


def main(folder: Path) -> None:
    spectrogram = dataclasses.replace(distill.SpectrogramConfig.for_rate(16_000), n_mels=32)
    config = distill.VAEConfig(
        width=8, latent_dim=4, batch_size=2, segment_frames=8, max_steps=12, min_steps_per_epoch=4,
        preview_count=1, preview_seconds=0.1, preview_every_epochs=2, spectrogram=spectrogram,
    )  # fmt: skip
    corpus = distill.AudioCorpus.scan(SOUNDS, sample_rate=16_000, progress=False)
    run, cancel = folder / "stopped", threading.Event()

    def stop_after_six(event: Event) -> None:
        if isinstance(event, distill.StepMetrics) and event.step == 5:
            cancel.set()

    model = distill.train(config, corpus, run, "cpu", stop_after_six, cancel).load()
    latents = model.encode(corpus.waveforms[0], corpus.sample_rate)
    latents.save(folder / "latents.npz")
    (folder / "facts.json").write_text(json.dumps({"latents": latents.values.tolist()}))
    _without_this_machine(run)


def _without_this_machine(run: Path) -> None:
    for lock in run.glob(".*lock"):
        lock.unlink()
    for name, own, other in (
        ("run.json", str(SOUNDS), "SOUNDS"),
        ("status.json", f'"{platform.node()}"', '"elsewhere"'),
    ):
        (run / name).write_text((run / name).read_text().replace(own, other))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
