"""Puts the prior of one file into another, and leaves all else there as it is, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path

from distill.errors import ModelFileError, PriorError
from distill.models.file.container import read_container, write_container
from distill.models.file.sections import PRIOR
from distill.models.file.weights import section_of
from distill.models.use.loading import load_model
from distill.names import printable

_WRITABLE = 0o222  # by anybody: what nobody may write to is not replaced either


def check_place(path: Path) -> None:
    """Refuses a model's file into which no prior can be put, before one is learned.

    Raises:
        ModelFileError: the file, or its folder, may only be read.
    """
    for place in (path, path.parent):
        if not os.access(place, os.W_OK) or not place.stat().st_mode & _WRITABLE:
            raise ModelFileError(
                f"{printable(place)}: may only be read, and a prior is kept in its model's file; "
                "make it writable, or copy the model to another folder first"
            )


def put_prior(path: Path, source: Path) -> Path:
    """Puts the prior of one file beside the same model in another, in place of one it had.

    Args:
        path: of the file that gets it; replaced whole or not at all.
        source: a file with a prior, as a run has left it.

    Raises:
        PriorError: another model is in the file, or there is no prior in the other.
        ModelFileError: one cannot be read, or the other not be written.
    """
    given, theirs = read_container(source)
    header, tensors = read_container(path)
    if PRIOR not in given.texts:
        raise PriorError(f"{printable(source.name)}: has no prior")
    digest = header.texts.get("model_digest") or load_model(path).digest  # old files do not say
    if digest != given.texts.get("model_digest"):
        raise PriorError(
            f"{printable(path.name)}: is not the model any more whose codes the prior has learned; "
            f"model and prior together are {printable(source)}"
        )
    own = {name: tensor for name, tensor in tensors.items() if section_of(name) != PRIOR}
    prior = {name: tensor for name, tensor in theirs.items() if section_of(name) == PRIOR}
    texts = {**header.texts, PRIOR: given.texts[PRIOR]}
    return write_container(path, {**own, **prior}, texts, overwrite=True)
