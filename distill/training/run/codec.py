"""The codec of a run that learns codes: a copy of the model in its folder, and what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distill.audio.corpus import AudioCorpus
from distill.audio.split import Split
from distill.errors import ModelFileError, RunFolderError
from distill.models.file.persistence import save_model
from distill.models.use.base import LoadedModel
from distill.models.use.loading import load_model
from distill.training.run.layout import CODEC
from distill.training.run.request import RunRequest


def keep_codec(folder: Path, codec: LoadedModel[Any]) -> None:
    """Writes a copy of a model into the folder of the run that is to learn its codes.

    Raises:
        ModelFileError: it cannot be written.
    """
    save_model(folder / CODEC, codec, overwrite=True)


def material_of(request: RunRequest, folder: Path, corpus: AudioCorpus, split: Split) -> Any:
    """What a run learns from and is judged by: its sounds, or what its codec makes of them.

    Args:
        request: of the run.
        folder: of the run.
        corpus: its sounds.
        split: of these.

    Raises:
        RunFolderError: the codec is missing, damaged, or not the one that it was.
    """
    of_codec = request.family.of_codec
    if of_codec is None:
        return split
    return of_codec.material(_codec(request, folder), corpus, split, request.config)


def _codec(request: RunRequest, folder: Path) -> LoadedModel[Any]:
    try:
        codec = load_model(folder / CODEC)
    except ModelFileError as error:
        raise RunFolderError(
            f"{folder}: the model whose codes it learns cannot be read ({error}); begin a new run"
        ) from error
    if codec.digest != request.codec:
        raise RunFolderError(
            f"{folder}: its {CODEC} is not the model that it was when the run began; put the old "
            "one back, or begin a new run"
        )
    return codec
