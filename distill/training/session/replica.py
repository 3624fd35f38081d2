"""The other processes of a run on several devices: they compute, the first alone touches files."""

from __future__ import annotations

from pathlib import Path

from distill.audio.decoded_sounds import DecodedSounds
from distill.training.engine.engine import Reporter
from distill.training.run.checkpoint import load_checkpoint
from distill.training.run.codec import material_of
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.run.run_sounds import read_corpus
from distill.training.session.assembly import assemble


def run_replica(path: Path, decoded: DecodedSounds | None = None) -> None:
    """Computes along in a run on several devices; the first process alone touches its folder.

    Args:
        path: of the run.
        decoded: what need not be decoded again of its sounds.

    Raises:
        DistillError: whatever ended the run.
    """
    folder = RunFolder(path)
    request, status = RunRequest.from_dict(folder.read_request()), folder.read_status()
    corpus = read_corpus(
        request, progress=False, last_host=status.host if status else "", decoded=decoded
    )
    split = corpus.split(request.config.validation_fraction)
    material = material_of(request, path, corpus, split)
    engine, _ = assemble(request, material, lambda _task: Reporter())
    checkpoint = engine.fabric.broadcast(None)
    if checkpoint is None:
        request.start.apply(engine.task.module)
    else:
        engine.load_state_dict(load_checkpoint(Path(checkpoint), request.config))
    engine.run()
