"""The codec of a run that learns codes: a copy of the model in its folder, and what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distill.audio.corpus import AudioCorpus
from distill.audio.split import Split
from distill.errors import ConfigError, ModelFileError, RunFolderError
from distill.family import OfCodec, family, family_of
from distill.models.file.persistence import save_model
from distill.models.use.base import LoadedModel
from distill.models.use.loading import load_model
from distill.names import printable
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
        RunFolderError: the codec is missing, damaged, not the one that it was, or not one that the
            run's settings are for.
    """
    of_codec = request.family.of_codec
    if of_codec is None:
        return split
    codec = _codec(request, folder)
    _check_fits(request, of_codec, codec, folder)
    return of_codec.material(codec, request.with_groups(corpus), split, request.config)


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


def _check_fits(
    request: RunRequest, of_codec: OfCodec, codec: LoadedModel[Any], folder: Path
) -> None:
    """Checks a codec against the settings: whoever made the folder may have changed either."""
    expected, found = family(of_codec.family), family_of(codec.model.config)
    if found is not expected:
        raise RunFolderError(
            f"{printable(folder)}: its {CODEC} holds a {found.title} model; expected a "
            f"{expected.title}: begin a new run"
        )
    try:
        request.config.checked_for(codec.model.config)
    except ConfigError as error:
        raise RunFolderError(
            f"{printable(folder)}: the settings in run.json are not for the model in its {CODEC} "
            f"({error}); begin a new run"
        ) from error
