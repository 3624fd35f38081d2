"""Kills a trainer again and again, resumes it each time, and compares with one left in peace.

    python benchmarks/torture.py              # 500 kills
    python benchmarks/torture.py --kills 50 --family vae

Every kill is a real SIGKILL of a real process: at a random moment, in the middle of writing a
checkpoint or the model (at a flush, before a rename), or in the middle of a line of the event log.
In the end weights, codebooks, optimiser, history and previews must be equal to the last bit, and no
temporary file may be left.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from common import parser, save

from distill import AudioCorpus, RunFolder, load_model, make_demo_corpus
from distill.config import TrainingConfig
from distill.family import family
from distill.training import CheckpointEvent, ResumeEvent, load_checkpoint
from distill.training.run.checkpoint import list_checkpoints
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.writer import RunWriter, hold_run
from distill.training.session.session import run_session
from distill.training.watch.event_lines import Event

STEPS = 60
"""Of a run; each is followed by a checkpoint."""
SETTINGS: dict[str, Any] = {
    "width": 16, "latent_dim": 8, "batch_size": 4, "segment_frames": 24, "preview_count": 1,
    "min_steps_per_epoch": 10, "preview_every_epochs": 2,
    "preview_seconds": 0.2, "checkpoint_every_s": 0.0,
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {"vqvae": {"codebook_size": 16}, "vae": {}}
# What each trainer would read for seconds, and what `distill` reads only where it is needed.
LOADED = [
    "torch._dynamo", "lightning_fabric", "vector_quantize_pytorch",
    "distill.training.session.session", "distill.families.vqvae", "distill.families.vae",
]  # fmt: skip
KINDS = {
    "moment": "any moment",
    "flush": "a flush of a file",
    "rename": "a rename",
    "event": "half an event",
}


def train(path: Path, kind: str | None, when: float, steps: int) -> None:
    """A trainer that dies as planned; runs in a process of its own."""
    torch.set_num_threads(1)
    if kind == "moment":
        threading.Timer(when, die).start()
    elif kind == "flush":
        os.fsync = dying_after(os.fsync, int(when * steps), late=False)
    elif kind == "rename":
        os.replace = dying_after(
            os.replace, int(when * 1.5 * steps), late=bool(int(when * 1e6) % 2)
        )
    elif kind == "event":
        RunWriter.append = dying_in_a_line(int(when * steps))
    with hold_run(path) as folder:
        run_session(folder)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(real: Any, calls: int, *, late: bool) -> Any:
    """The function, until it has been called often enough; then death before or after it."""
    count = iter(range(10**9))

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if next(count) < calls:
            return real(*arguments, **options)
        if late:
            real(*arguments, **options)
        return die()

    return wrapped


def dying_in_a_line(calls: int) -> Any:
    real, count = RunWriter.append, iter(range(10**9))

    def append(self: RunWriter, event: Event) -> None:
        if next(count) < calls:
            real(self, event)
        else:
            self._events.write(b'{"event":"VQStepMetrics","epoch":0,"st')
            die()

    return append


def begin(path: Path, corpus: AudioCorpus, config: TrainingConfig) -> None:
    request = RunRequest.of(config, corpus, name="run", device="cpu")
    begin_run(path, request.to_dict())


def outcome(path: Path) -> dict[str, Any]:
    """Everything that must not depend on interruptions."""
    events = [
        dataclasses.replace(event, elapsed_s=0.0) if hasattr(event, "elapsed_s") else event
        for event in RunFolder(path).read_events()[0]
        if not isinstance(event, (CheckpointEvent, ResumeEvent))
    ]
    state = load_checkpoint(list_checkpoints(path / "checkpoints")[0].path)
    model = load_model(path / "model.distill")
    return {
        "weights and codebooks": flat(model.weights),
        "last weights": flat(state["model"]),
        "optimisers": flat(state["optimizers"]),
        "random state": state["torch_rng"].tolist(),
        "history": [repr(event) for event in events],
        "curves": model.loss_curves,
        "health": model.health,
        "previews": {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in sorted((path / "previews").rglob("*.wav"))
        },
    }


def flat(value: Any) -> Any:
    """Tensors as bytes, so that equal means equal to the last bit."""
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes())
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    return [flat(item) for item in value] if isinstance(value, list) else value


def torture(path: Path, kills: int, dice: random.Random, steps: int, context: Any) -> Counter[str]:
    """Kills the run's trainer until it gets through; at most `kills` times."""
    done: Counter[str] = Counter()
    killed = False
    while RunFolder(path).read_state() != "finished":
        kind = dice.choice(list(KINDS)) if sum(done.values()) < kills else None
        process = context.Process(target=train, args=(path, kind, dice.random(), steps))
        process.start()
        process.join()
        killed = process.exitcode == -signal.SIGKILL
        if killed:
            done[str(kind)] += 1
        elif process.exitcode != 0:
            sys.exit(f"the trainer failed by itself ({process.exitcode}) in {path}")
    if killed:  # when it had finished, before its last heartbeat: whoever opens it next tidies up
        with hold_run(path):
            pass
    return done


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--kills", type=int, default=500)
    options.add_argument("--family", choices=OWN, default="vqvae")
    options.add_argument("--steps", type=int, default=STEPS, help="of a run")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    steps = arguments.steps
    config = family(arguments.family).config(max_steps=steps, **SETTINGS, **OWN[arguments.family])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    dice, began, total, runs = random.Random(arguments.seed), time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as home:
        sounds = make_demo_corpus(Path(home) / "sounds")
        corpus = AudioCorpus.scan([path for path in sounds if "drum" in path.name], progress=False)
        peace = Path(home) / "undisturbed"
        begin(peace, corpus, config)
        torture(peace, 0, dice, steps, context)
        expected = outcome(peace)
        while sum(total.values()) < arguments.kills:
            path = Path(home) / f"run-{runs}"
            begin(path, corpus, config)
            total += torture(path, arguments.kills - sum(total.values()), dice, steps, context)
            found, runs = outcome(path), runs + 1
            for name, value in expected.items():
                if found[name] != value:
                    sys.exit(f"run {runs}: its {name} differ from the undisturbed run's")
            if stray := [file.name for file in path.rglob("*") if file.suffix == ".tmp"]:
                sys.exit(f"run {runs}: temporary files were left: {stray}")
    kinds = ", ".join(f"{count} at {KINDS[kind]}" for kind, count in sorted(total.items()))
    print(f"{sum(total.values())} kills ({kinds}) over {runs} runs of {steps} steps")
    print(
        f"every run equal to the undisturbed one to the last bit; {time.monotonic() - began:.0f} s"
    )
    figures = {"kills": sum(total.values()), "runs": runs, "unequal": 0}  # or it had ended there
    save(arguments, figures, "" if arguments.family == "vqvae" else f"-{arguments.family}")


if __name__ == "__main__":
    main()
