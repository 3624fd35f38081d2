"""ModelOfFile: a model and all that its file says of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from distill.models.file.digest import model_digest
from distill.models.file.persistence import save_model
from distill.models.use.report import model_as_html


class ModelOfFile:
    """A model, what people and its training said of it, and what only other versions can read."""

    def __init__(
        self,
        model: Any,
        *,
        metadata: dict[str, Any] | None = None,
        health: tuple[Any, ...] = (),
        loss_curves: dict[str, list[float]] | None = None,
        extra: dict[str, str] | None = None,
        path: Path | None = None,
        sections: Mapping[str, str] | None = None,
        other_tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Takes a model into use.

        Args:
            model: an `nn.Module` with the `config` it was built from.
            metadata: what people say of it.
            health: how well its bottleneck is used.
            loss_curves: of its training.
            extra: texts of sections of its file that are not known.
            path: of its file.
            sections: as they stand in its file; saving again keeps what was not changed.
            other_tensors: of sections of its file that are not known; saving again keeps them.
        """
        self.model = model
        self.metadata = metadata or {}
        self.health = health
        self.loss_curves = loss_curves or {}
        self.extra = extra or {}
        self.path = path
        self.sections = dict(sections or {})
        self.other_tensors = dict(other_tensors or {})
        self._digest: tuple[Any, str] | None = None

    @property
    def config(self) -> Any:
        """What rebuilds the model."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def weights(self) -> dict[str, Tensor]:
        """All tensors of the model by name, its own: not copies."""
        return dict(self.model.state_dict())

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return sum(weight.numel() for weight in self.model.parameters())

    @property
    def digest(self) -> str:
        """What tells this model from every other: SHA-256 of weights and config, hexadecimal.

        A renamed or tagged model keeps it.
        """
        tensors, config = self.weights, self.config
        now = config, [(item.data_ptr(), item._version) for item in tensors.values()]
        if self._digest is None or self._digest[0] != now:  # they may have been trained on
            here = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
            self._digest = now, model_digest(here, config)
        return self._digest[1]

    @property
    def name(self) -> str:
        """Its name, for people."""
        return str(self.metadata.get("name", "unnamed"))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Writes the model and all that is known about it; see `save_model`.

        Args:
            path: by custom ends in `.distill`.
            metadata: what is to be said otherwise.
            overwrite: replace a file that this program did not write.

        Raises:
            OutputExistsError: such a file is there.
            ModelFileError: it cannot be written.
            ConfigError: metadata that cannot be read again.
        """
        return save_model(path, self, metadata=metadata, overwrite=overwrite)

    def _repr_html_(self) -> str:
        numbers = sum(tensor.numel() for tensor in self.weights.values())
        return model_as_html(self.config, self.metadata, numbers, self.health, self.loss_curves)
