"""Models and sounds in whatever form a person has them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from distill.analysis.unique_names import short_names
from distill.audio.corpus import AudioCorpus, Source, find_files
from distill.audio.io import read_audio
from distill.errors import CheckpointError, ComparisonError, RunFolderError
from distill.family import family_of
from distill.models.use.base import LoadedModel, Waveform, check_waveform
from distill.models.use.loading import load_model
from distill.training.run.checkpoint import load_checkpoint
from distill.training.run.folder import RunFolder
from distill.training.run.marks import Mark
from distill.training.run.request import RunRequest
from distill.training.watch.history import history_of

ModelSource = LoadedModel[Any] | str | os.PathLike[str] | RunFolder
"""A model, or where one is: a `.distill` file, a run folder, a checkpoint in a run folder."""
SoundSource = AudioCorpus | Source | Mapping[str, tuple[Waveform, int]]
"""Sounds, or where they are."""


@dataclass(frozen=True, eq=False)
class NamedSound:
    """A sound to hear."""

    name: str
    waveform: Tensor
    """(samples,) float32."""
    sample_rate: int


def open_models(
    models: ModelSource | Sequence[ModelSource] | Mapping[str, ModelSource],
) -> list[tuple[str, LoadedModel[Any]]]:
    """Loads what is not loaded; a name and a model each.

    Raises:
        ComparisonError: none given, or something that is no model.
        ModelFileError, RunFolderError, CheckpointError: one cannot be loaded.
    """
    if isinstance(models, Mapping):
        found = [(str(name), open_model(source)) for name, source in models.items()]
    else:
        single = isinstance(models, (LoadedModel, str, os.PathLike, RunFolder))
        sources = [models] if single else list(cast("Sequence[ModelSource]", models))
        opened = [open_model(cast("ModelSource", source)) for source in sources]
        found = [(str(model.metadata.get("name", "unnamed")), model) for model in opened]
    if not found:
        raise ComparisonError("no models given: expected at least one, better two")
    return found


def open_model(source: ModelSource) -> LoadedModel[Any]:
    """Loads a model, unless it is loaded.

    Raises:
        ComparisonError: something else.
        ModelFileError, RunFolderError, CheckpointError: it cannot be loaded.
    """
    if isinstance(source, LoadedModel):
        return source
    if isinstance(source, RunFolder):
        source = source.path
    if not isinstance(source, (str, os.PathLike)):
        raise ComparisonError(
            f"a {type(source).__name__}: expected a loaded model, a .distill file, a run folder or "
            "a checkpoint"
        )
    path = Path(source)
    if path.is_dir():
        return _of_run(path)
    return _of_checkpoint(path) if path.suffix == ".ckpt" else load_model(path)


def marks_of(model: LoadedModel[Any]) -> dict[str, Mark]:
    """What somebody called good or bad by ear of the previews of a model's run; none where its file
    does not lie in the folder of a run.
    """
    if model.path is None:
        return {}
    folders = model.path.absolute().parents[:2]  # the run's; of a checkpoint the one above
    run = next((run for run in map(RunFolder, folders) if run.is_run), None)
    return run.marks if run else {}


def open_sounds(sounds: SoundSource) -> list[NamedSound]:
    """Reads what is not read.

    Raises:
        ComparisonError: none given.
        AudioFileError, CorpusError: one cannot be read.
        ShapeError: a waveform is not mono floating point.
    """
    if isinstance(sounds, AudioCorpus):
        names = short_names([file.path for file in sounds.files])
        rate = sounds.sample_rate
        found = [NamedSound(n, w, rate) for n, w in zip(names, sounds.waveforms, strict=True)]
    elif isinstance(sounds, Mapping):
        found = [NamedSound(n, check_waveform(w), rate) for n, (w, rate) in sounds.items()]
    else:
        paths, _ = find_files(sounds)
        read = zip(short_names(paths), map(read_audio, paths), strict=True)
        found = [NamedSound(name, waveform, rate) for name, (waveform, rate) in read]
    if not found:
        raise ComparisonError("no sounds given: expected at least one to hear")
    return found


def _of_run(path: Path) -> LoadedModel[Any]:
    run = RunFolder(path)
    if not run.is_run:
        raise RunFolderError(f"{path}: no run there; name a run folder or a .distill file")
    if not run.model_path.is_file():
        raise RunFolderError(
            f"{path}: has no model yet; wait for its end, ask it to save, or name one of its "
            "checkpoints"
        )
    return load_model(run.model_path)


def _of_checkpoint(path: Path) -> LoadedModel[Any]:
    """The weights at a checkpoint; settings and curves come from the run around it."""
    state = load_checkpoint(path)
    run = RunFolder(path.absolute().parent.parent)
    request = RunRequest.from_dict(run.read_request())
    of = family_of(request.config)
    model = of.build(request.config)
    try:
        model.load_state_dict(state["model"])
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{path.name}: not a checkpoint of the run in {run.path}; put it back into its own"
        ) from error
    history = history_of(of)
    history.update_lines(run.read_lines()[0])
    loaded: LoadedModel[Any] = of.open(
        model.eval(),
        metadata={"name": f"{request.name}, step {state['step']}"},
        loss_curves=history.curves(),
        path=path,
    )
    return loaded
