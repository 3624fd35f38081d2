"""MadeCodes: codes that were drawn, and how, so that a file made of them can say it."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distill.codebook.codes import NO_CODE, Codes
from distill.errors import RecipeError
from distill.models.use.drawn import codes_digest
from distill.models.use.recipe import LONGEST_CODES, Recipe

_UNSIGNED = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"))


@dataclass(frozen=True, eq=False)
class MadeCodes(Codes):
    """Codes with the recipe that gives them again; see `recipe_of` for changed ones."""

    recipe: Recipe | None = None
    drawn: tuple[str, int, float] = ("", 0, 0.0)
    """What they were when they were drawn: the digest of the grid, length and peak."""

    @classmethod
    def of(cls, codes: Codes, recipe: Recipe) -> MadeCodes:
        """Codes that a recipe has just made."""
        fields = {**vars(codes), "indices": codes.indices}
        return cls(**fields, recipe=recipe, drawn=_state_of(codes))

    def _fields(self) -> Mapping[str, Any]:
        kept = super()._fields()
        return {name: kept[name] for name in kept if name not in ("recipe", "drawn")}


def recipe_of(codes: Codes) -> Recipe | None:
    """How codes were made; None where nobody knows, or where they were changed since."""
    if isinstance(codes, MadeCodes) and codes.drawn == _state_of(codes):
        return codes.recipe
    return None


def _state_of(codes: Codes) -> tuple[str, int, float]:
    return codes_digest(codes), codes.samples, codes.peak


def prompt_fields(codes: Codes | None) -> dict[str, Any]:
    """What a recipe says of the sound that another one goes on from, or is made of.

    Small ones lie in it whole, others by their digest alone.
    """
    if codes is None:
        return {}
    fields: dict[str, Any] = {"prompt": codes_digest(codes)}
    text = _text_of(codes)
    if len(text) <= LONGEST_CODES:
        about = {"levels": codes.levels, "samples": codes.samples, "peak": codes.peak}
        fields.update({"prompt_codes": text}, **{f"prompt_{name}": x for name, x in about.items()})
    return fields


def prompt_grid(recipe: Recipe, entries: int) -> Tensor:
    """The codes that lie in a recipe, (level, steps) int64.

    Args:
        recipe: with `prompt_codes`.
        entries: of a codebook.

    Raises:
        RecipeError: it is not what `prompt_fields` makes.
    """
    if not (recipe.prompt_levels and recipe.prompt_samples):
        raise RecipeError("its prompt cannot be read (it does not say how long it is)")
    kind = _type_for(entries)
    most = kind.itemsize * LONGEST_CODES * 1024  # nothing that is small in a recipe is larger
    try:
        packed = base64.b64decode(recipe.prompt_codes, validate=True)
        data = zlib.decompressobj().decompress(packed, most)
        grid = np.frombuffer(data, kind).reshape(recipe.prompt_levels, -1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise RecipeError(f"its prompt cannot be read ({error})") from error
    return torch.from_numpy(grid.astype(np.int64) + NO_CODE)


def _text_of(codes: Codes) -> str:
    values = (codes.indices.numpy() - NO_CODE).astype(_type_for(codes.codebook_size))
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def _type_for(entries: int) -> np.dtype[Any]:
    """The smallest type for codes one up, so that none is below 0."""
    return next(kind for kind in _UNSIGNED if entries <= np.iinfo(kind).max)
