"""ModelWithPrior: a model of codes, and the prior that may lie beside it in its file."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from distill.codebook.codes import Codes
from distill.config import VQVAEConfig
from distill.models.file.digest import digest_of, part_of
from distill.models.file.sections import PRIOR
from distill.models.file.weights import section_of
from distill.models.prior.section import prior_section, read_prior
from distill.models.prior.trained import TrainedPrior
from distill.models.prior.whose import check_codec, no_prior
from distill.models.use.base import LoadedModel
from distill.names import printable


class ModelWithPrior(LoadedModel[Codes]):
    """A model of codes; `use_prior`, or a prior in its file, lets it make new sounds."""

    _prior: tuple[str, TrainedPrior] | None = None

    @property
    @abstractmethod
    def config(self) -> VQVAEConfig:
        """What rebuilds the model."""

    @property
    @abstractmethod
    def codebooks(self) -> Tensor:
        """Every entry's vector, (level, entry, latent_dim) float32 on the CPU; a copy."""

    @property
    def has_prior(self) -> bool:
        """Whether there is a prior beside it, of whatever codec."""
        return PRIOR in self.extra

    @property
    def prior(self) -> TrainedPrior:
        """What knows how its codes follow one another.

        Raises:
            PriorError: it has none, or one that was made for another model.
            ModelFileError: the one in its file is damaged, or of another version.
        """
        if not self.has_prior:
            raise no_prior(self.name, self.path)
        text = self.extra[PRIOR]
        tensors = {k: x for k, x in self.other_tensors.items() if section_of(k) == PRIOR}
        # The text says nothing of the weights: two priors of the same settings have the same one.
        now = digest_of(map(part_of, tensors.items()), {PRIOR: text, "codec": self.digest})
        if self._prior is None or self._prior[0] != now:
            found = read_prior(
                text,
                tensors,
                self.config,
                self.codebooks,
                printable(self.path.name) if self.path else self.name,
            )
            check_codec(found, self.name, self.digest, self.path)
            self._prior = now, found
        return self._prior[1]

    def use_prior(self, prior: TrainedPrior) -> None:
        """Takes a prior into use, in place of another; `save` keeps it in the model's file.

        Raises:
            PriorError: it was made for another model.
            ConfigError: a file has no room for it, or it could not be read again.
        """
        check_codec(prior, self.name, self.digest, self.path)
        text, tensors = prior_section(prior)
        others = {k: x for k, x in self.other_tensors.items() if section_of(k) != PRIOR}
        self.extra = {**self.extra, PRIOR: text}
        self.other_tensors = {**others, **tensors}
