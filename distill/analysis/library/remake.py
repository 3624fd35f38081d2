"""remake: the sound of a generated file once more, by the model that made it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from torch import Tensor

from distill.analysis.library.library import ModelLibrary
from distill.codebook.codes import Codes
from distill.errors import ModelFileError, PriorError, RecipeError
from distill.family import VQVAE
from distill.models.prior.whose import prior_digest
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.loading import load_model_v2
from distill.models.use.recipe import Recipe, read_recipe
from distill.names import printable

Models = LoadedVQModel | str | os.PathLike[str]


def remake(
    path: str | os.PathLike[str],
    models: Models,
    *,
    prompt: Codes | str | os.PathLike[str] | None = None,
) -> tuple[Tensor, int]:
    """The sound of a file that `generate` made once more, as the recipe in it says.

    Args:
        path: of the generated file.
        models: the model that made it, its file, or a folder below which its file lies.
        prompt: what the sound goes on from, where its recipe names one: codes, their file, or a
            sound file.

    Returns:
        (samples,) float32 and its sample rate; see `LoadedVQModel.remake`.

    Raises:
        RecipeError: the file has no recipe, or one of another model, prior or prompt.
        LibraryError: no such folder.
        ModelFileError: the model cannot be read.
        DistillError: see `LoadedVQModel.remake`.
    """
    return maker_of(path, models).remake(path, prompt=prompt)


def maker_of(path: str | os.PathLike[str], models: Models, *, device: str = "cpu") -> LoadedVQModel:
    """The model that made a file, found by what its recipe says.

    Args:
        path: of the generated file.
        models: see `remake`; what is no folder is not compared with the recipe here.
        device: where a model that is loaded decodes.

    Raises:
        RecipeError: the file has no recipe, or no model in the folder made it.
        LibraryError: no such folder.
        ModelFileError: the model cannot be read.
    """
    if isinstance(models, LoadedVQModel):
        return models
    if not Path(models).is_dir():
        return load_model_v2(models, device=device)
    recipe = read_recipe(path)
    for found in ModelLibrary(models).models:
        model = _made(found.path, recipe, device) if _may_have_made(found.info, recipe) else None
        if model is not None:
            return model
    raise RecipeError(
        f"{printable(Path(path).name)}: was made by the model {recipe.model[:8]} with its prior "
        f"{recipe.prior[:8]}; no file below {printable(models)} holds both"
    )


def _may_have_made(info: Any, recipe: Recipe) -> bool:
    # A file that an early version wrote does not say the digest: it is worked out.
    return info.family == VQVAE and info.has_prior and info.digest in (recipe.model, None)


def _made(path: Path, recipe: Recipe, device: str) -> LoadedVQModel | None:
    try:
        model = load_model_v2(path, device=device)
        same = model.digest == recipe.model and prior_digest(model.prior) == recipe.prior
    except (ModelFileError, PriorError):  # another one may be whole
        return None
    return model if same else None
