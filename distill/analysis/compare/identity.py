"""Which model something was computed from."""

from __future__ import annotations

from dataclasses import dataclass

from distill.models.file.digest import digest_of, part_of
from distill.models.use.loaded import LoadedVQModel

_SHOWN = 8


@dataclass(frozen=True)
class ModelIdentity:
    """A model, told apart by its weights; the name is for people."""

    name: str
    digest: str
    """SHA-256 of every weight and codebook, hexadecimal."""

    def is_of(self, model: LoadedVQModel) -> bool:
        """Whether the weights are the same, whatever the names."""
        return self.digest == identify(model).digest

    def __str__(self) -> str:
        return f"{self.name!r} ({self.digest[:_SHOWN]})"


def identify(model: LoadedVQModel) -> ModelIdentity:
    """The identity of a model as its weights are now."""
    return ModelIdentity(model.name, digest_of(map(part_of, model.weights.items()), {}))
