"""From starting the program to the first training step, and the most memory it took; and from
handing a runner a folder, or a corpus that was scanned before, to the first step.

python benchmarks/start_up.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import parser, recordings, report, save

from distill import AudioCorpus, TrainingRunner, VQVAEConfig, get_adaptive_vqvae_config


def one_start(sounds: Path) -> dict[str, float]:
    """Runs `distill train` for a moment and watches its run folder."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "distill.cli", "train", sounds, "--out", run,
                   "--max-seconds", "10", "--device", "cpu", "--json"]  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        events, first = run / "events.jsonl", 0.0
        while process.poll() is None and not first:
            if events.exists() and events.stat().st_size:
                first = time.monotonic() - began
            time.sleep(0.01)
        _, _, usage = os.wait4(process.pid, 0)
        return {"to first step s": first, "peak memory MB": usage.ru_maxrss / 1024}


def one_runner(source: Path | AudioCorpus, config: VQVAEConfig) -> float:
    """Seconds from `start_vqvae` to the first step that is reported."""
    with tempfile.TemporaryDirectory() as folder:
        runner, events = TrainingRunner(), Path(folder) / "run" / "events.jsonl"
        began = time.monotonic()
        runner.start_vqvae(config, source, Path(folder) / "run", "cpu")
        while not (events.exists() and events.stat().st_size) and runner.is_running:
            time.sleep(0.01)
        seconds = time.monotonic() - began
        runner.stop(now=True)
        runner.wait(progress=False)
        return seconds


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--times", type=int, default=3)
    arguments = options.parse_args()
    sounds = recordings()[0].parent
    rows = [{"start": n, **one_start(sounds)} for n in range(arguments.times)]
    corpus = AudioCorpus.scan(sounds, progress=False)
    config = get_adaptive_vqvae_config(len(corpus), corpus.seconds, max_seconds=60)
    for row in rows:  # by turns: what else the machine does meets both
        row["runner, folder s"] = one_runner(sounds, config)
        row["runner, corpus s"] = one_runner(corpus, config)
    report("From program start to the first step", rows, arguments.json)
    middle = statistics.median(row["to first step s"] for row in rows)
    folder_s, corpus_s = (
        statistics.median(row[name] for row in rows)
        for name in ("runner, folder s", "runner, corpus s")
    )
    print(f"runner, folder: median {folder_s:.2f} s; runner, corpus: median {corpus_s:.2f} s")
    print(f"median {middle:.2f} s (to stay at or below 8)")
    save(arguments, {"command_s": middle, "folder_s": folder_s, "corpus_s": corpus_s})


if __name__ == "__main__":
    main()
