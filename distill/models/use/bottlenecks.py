"""What looks at codes, or at latents, refuses models that have none and names what serves them."""

from __future__ import annotations

from typing import Any

from distill.codebook.codes import Codes
from distill.errors import ModelTypeError
from distill.family import family_of
from distill.latent.latents import Latents
from distill.models.use.base import LoadedModel
from distill.names import printable

_SERVES = {
    Codes: "CodesView(model, sound), CodebookExplorer(build_atlas(model, corpus)) and "
    "rate_distortion(model, corpus) look at its codes; ",
    Latents: "LatentExplorer(model) and principal_directions(model) look at its latents; ",
}
_SERVES_ALL = "compare([model, ...], sounds) takes any model"


def check_codebooks(model: Any, asked: str) -> None:
    """Checks that a model has codebooks to look at.

    Args:
        model: a loaded one, of whatever family.
        asked: what looks, as people call it.

    Raises:
        ModelTypeError: it has none; says what serves it.
    """
    _check(model, Codes, f"{asked} looks at the codebooks of a model")


def check_latent_space(model: Any, asked: str) -> None:
    """Checks that a model has continuous latents to look at.

    Args:
        model: a loaded one, of whatever family.
        asked: what looks, as people call it.

    Raises:
        ModelTypeError: it has none; says what serves it.
    """
    _check(model, Latents, f"{asked} looks at the continuous latents of a model")


def _check(model: Any, encoded: type, asked: str) -> None:
    if not isinstance(model, LoadedModel):
        raise ModelTypeError(
            f"{asked}; expected one that load_model(path) has opened, found a "
            f"{type(model).__name__}"
        )
    if model.encoded_type is not encoded:
        of = family_of(model.config)
        raise ModelTypeError(
            f"{asked}, and {printable(model.name)!r} has none: it is a {of.title} ({of.name!r}). "
            f"{_SERVES.get(model.encoded_type, '')}{_SERVES_ALL}"
        )
