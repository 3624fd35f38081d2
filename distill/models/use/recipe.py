"""Recipe: how a generated sound was made, as its file says it."""

from __future__ import annotations

import json
import os
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from distill.audio.io import read_made_by
from distill.checked import parse_json
from distill.config.conditions import (
    BRIGHTEST_HZ,
    DARKEST_HZ,
    LONGEST_CLASS,
    LOUDEST_DB,
    SOFTEST_DB,
)
from distill.errors import OutsideDataError, RecipeError
from distill.models.prior.drawing import Drawing
from distill.models.prior.wanted import MOST_LEVELS, MOST_NAMES
from distill.names import as_path, printable

LONGEST_CODES = 5200
"""Letters of codes in a recipe: half a minute of the usual ones. Some formats lose a comment, or
their sound, from 8 kB on."""
_IN_COMMENT = re.compile(r", generated: (\{[^{}]{0,8000}\})")
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Meta(ge=1, le=2**53)]
_Length = Annotated[float, Meta(gt=0.0, le=86_400.0)]
_Class = Annotated[str, Meta(min_length=1, max_length=LONGEST_CLASS)]
_Level = Annotated[float, Meta(ge=SOFTEST_DB, le=LOUDEST_DB)]
_Frequency = Annotated[float, Meta(ge=DARKEST_HZ, le=BRIGHTEST_HZ)]
_Moment = Annotated[float, Meta(ge=0.0, le=1e9)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that makes a generated sound again, but the model and a long prompt, which it names."""

    model: _Digest
    prior: _Digest
    """See `prior_digest`."""
    seconds: _Length
    """Length of what was drawn; of a variation, or a gap that was filled, of the whole sound."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    temperature: Annotated[float, Meta(ge=0.0, le=1000.0)]
    top_k: _Count | None = None
    top_p: _Share | None = None
    novelty: _Share = 0.0
    does: Literal["generate", "continue", "vary", "fill"] = "generate"
    """The method that made it."""
    prompt: _Digest | None = None
    """Of the sound that it goes on from, or is made of; see `codes_digest`."""
    prompt_codes: Annotated[str, Meta(max_length=LONGEST_CODES)] = ""
    """That sound's codes, where they are few; see `prompt_fields`."""
    prompt_levels: _Count | None = None
    prompt_samples: _Count | None = None
    prompt_peak: Annotated[float, Meta(ge=0.0)] = 0.0
    keep_levels: _Count | None = None
    """Of a variation."""
    gap_s: tuple[_Moment, _Moment] | None = None
    """From and to, of a gap that was filled."""
    draws: _Count | None = None
    """Of the end of a gap."""
    loop_places: _Count | None = None
    """Of a loop: how many beginnings were tried."""
    classes: Annotated[list[_Class], Meta(max_length=MOST_NAMES)] = []
    loudness: Annotated[list[_Level], Meta(max_length=MOST_LEVELS)] = []
    brightness: Annotated[list[_Frequency], Meta(max_length=MOST_LEVELS)] = []
    planned_s: _Length | None = None
    """Of a sound that is told of its end, and was interrupted: where that was to be."""
    kept_samples: _Count | None = None
    """Where it was interrupted while codes became sound: so much of the sound is in the file."""

    @property
    def settings(self) -> dict[str, Any]:
        """What a drawing method is called with, beside a length and a prompt."""
        drawing = Drawing(self.temperature, self.top_k, self.top_p, self.novelty)
        asked = {
            "classes": self.classes, "loudness": self.loudness, "brightness": self.brightness
        }  # fmt: skip
        told = {name: value for name, value in asked.items() if value}
        return {"seed": self.seed, **drawing.to_dict(), **told}

    def __str__(self) -> str:
        inside = json.dumps(msgspec.to_builtins(self), ensure_ascii=False)[1:-1]
        # The name of a class may have braces, by which a recipe is found.
        return "{" + inside.replace("{", "\\u007b").replace("}", "\\u007d") + "}"


def comment_with(about: str, recipe: Recipe) -> str:
    """The comment of a file that a recipe made."""
    return f"{about}, generated: {recipe}"


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a generated sound's file.

    Raises:
        AudioFileError: no such file.
        RecipeError: there is none in it, or one that cannot be read.
    """
    name = printable(as_path(path, RecipeError).name)
    found = _IN_COMMENT.findall(read_made_by(path))  # the name of a model may look like one
    if not found:
        raise RecipeError(
            f"{name}: does not say how it was made; files of distill generate and of "
            "model.generate_file(path, seconds) do, unless another program has saved them again"
        )
    try:
        recipe: Recipe = parse_json(found[-1], Recipe, name=name)
    except OutsideDataError as error:
        raise RecipeError(f"{name}: its recipe cannot be read ({error})") from error
    return recipe
