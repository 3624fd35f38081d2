"""QuantizerWrapper: residual vector quantization that can be watched and does not surprise."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from loguru import logger as _library_logger
from torch import Tensor, distributed as dist, nn

from distill.arrays import as_count, as_tensor, as_whole_numbers
from distill.codebook.counts import count_codes
from distill.codebook.health import LevelHealth, codebook_health
from distill.errors import NonFiniteError, ShapeError, UninitialisedError
from distill.models.vqvae.joint_fit import fitted_together, thinned
from distill.models.vqvae.k_means import k_means
from distill.models.vqvae.search import search

# The library warns on stderr; what matters of it reaches people as health.
_library_logger.disable("vector_quantize_pytorch")

_MOST_DISTANCES = 2**27  # of a round of k-means, for time: met by more than 4096 entries only
_JOINT_FITS = 3  # after k-means; each further one gains less
_FIT_BEAM = 1  # a wider search gains nothing here
_LEAST_SHARE = 0.25  # of the fair share: kept entries count for that, so a hit moves them little
_OWN_TO_ONE = 4  # latents to one of the background, where only so many can be compared
_BACKGROUND_PER_ENTRY = 8  # latents; where they count for more, corpora of like sounds lose


@dataclass(frozen=True)
class QuantizerOutput:
    """A latent, said in codes."""

    quantized: Tensor
    """(batch, dim, steps)."""
    indices: Tensor
    """(batch, level, steps) int64."""
    commitment: Tensor
    """(level,) mean squared distance between each level's input and its entry, unweighted."""


class QuantizerWrapper(nn.Module):
    """vector-quantize-pytorch's ResidualVQ with EMA codebooks and k-means initialisation.

    On top of the library: shapes are (batch, channel, time); dead entries are judged against the
    batch's fair share; replaced entries are counted; the commitment exists in eval mode too; and
    three inputs that would harm the codebooks are refused: NaN or Inf, an eval pass before there
    are codebooks, and codes that do not exist.

    Args:
        dim: channels of the latent.
        levels: residual stages.
        codebook_size: entries a level.
        decay: of the moving averages.
        dead_code_fraction: an entry hit less than this share of its fair share is replaced; 0
            replaces none.
        dropout: share of the rows of a training batch that go on without their last levels, as
            many as chance says, while all codebooks learn from all rows. The library's own dropout
            cuts whole batches: the last codebooks learn seldom, and all levels together are worse.
        synchronised: whether the codebooks learn from the batches of all processes; default where
            there are several.
    """

    def __init__(
        self,
        *,
        dim: int,
        levels: int,
        codebook_size: int,
        decay: float = 0.97,
        dead_code_fraction: float = 0.2,
        dropout: float = 0.0,
        synchronised: bool | None = None,
    ) -> None:
        # With it comes torch.compile, as much to load as torch: who looks at a run is spared it.
        from vector_quantize_pytorch import ResidualVQ

        super().__init__()
        self.dim = dim
        self.levels = levels
        self.codebook_size = codebook_size
        self._decay, self._dead_code_fraction = decay, dead_code_fraction
        self._dropout = dropout if levels > 1 else 0.0
        self._replaced: list[Tensor | int] = [0] * levels  # by the pass that is under way
        self._refuses_nonfinite = True
        self._keeps_entries = self._is_frozen = False
        self._processes = dist.get_world_size() if dist.is_initialized() else 1
        synchronised = self._processes > 1 if synchronised is None else synchronised
        self._processes = self._processes if synchronised else 1
        self.residual_vq = ResidualVQ(
            dim=dim,
            num_quantizers=levels,
            codebook_size=codebook_size,
            decay=decay,
            commitment_weight=1.0,
            kmeans_init=True,
            threshold_ema_dead_code=1.0 if dead_code_fraction else 0.0,
            # On by default in the library; it gained nothing over straight-through here.
            rotation_trick=False,
            sync_codebook=synchronised,
        )
        for level, codebook in enumerate(self._codebooks):
            # A partial of a method is copied and pickled together with what it belongs to.
            codebook.replace = functools.partial(self._replace, level)

    @property
    def _codebooks(self) -> list[Any]:
        return [layer._codebook for layer in self.residual_vq.layers]

    @property
    def initialised(self) -> bool:
        """Whether the codebooks hold anything yet."""
        return all(bool(codebook.initted) for codebook in self._codebooks)

    @property
    def codebooks(self) -> Tensor:
        """Every entry's vector, (level, entry, dim)."""
        return torch.stack([codebook.embed[0] for codebook in self._codebooks])

    def forward(self, latent: Tensor, levels: int | None = None) -> QuantizerOutput:
        """Quantizes; in training mode the codebooks follow the latents.

        Args:
            latent: (batch, dim, steps).
            levels: how many of the first, 1 to all; by default all, as always in training. Their
                codes are chosen to be good together: fewer levels do not just lack the later codes.

        Raises:
            ShapeError: another shape, or levels that there are not.
            NonFiniteError: NaN or Inf in training; the codebooks are as before.
            UninitialisedError: an eval pass before any training pass.
        """
        latent = as_tensor(latent, "latent")
        if latent.ndim != 3 or latent.shape[1] != self.dim:
            raise ShapeError(f"latent {tuple(latent.shape)}: expected (batch, {self.dim}, steps)")
        count = self._count(levels)
        if self.training:
            if count < self.levels:
                raise ShapeError(f"levels={levels}: in training all {self.levels} learn")
            if self._refuses_nonfinite and not torch.isfinite(latent).all():
                raise NonFiniteError("NaN or Inf in the latent; the codebooks were left alone")
            self._scale_threshold(latent.shape[0] * latent.shape[2] * self._processes)
        elif not self.initialised:
            raise UninitialisedError(
                "the codebooks are empty: train the model, or call initialise(mel) with real sound"
            )
        columns = latent.float().transpose(1, 2)
        self._replaced = [0] * self.levels
        if not self.training:
            return self._searched(columns, count)
        before = self.codebooks if self._dropout else None
        quantized, indices, commitment = self.residual_vq(columns, freeze_codebook=self._is_frozen)
        if self._keeps_entries:
            self._keep_averages(columns.shape[0] * columns.shape[1] * self._processes)
        indices = indices.transpose(1, 2)
        if before is not None:
            quantized = quantized - self._left_out(indices, before)
        return QuantizerOutput(quantized.transpose(1, 2), indices, commitment.reshape(-1))

    @property
    def replaced(self) -> Tensor:
        """Dead entries that the last pass has replaced, (level,) int64; none outside training."""
        device = self.codebooks.device
        return torch.stack([torch.as_tensor(count, device=device) for count in self._replaced])

    def follow_slowly(self, share: float) -> None:
        """Has the codebooks of a model that learns on follow the latents at a share of their pace,
        and keep the entries that few of these need: other sounds may.

        Args:
            share: 0 to 1; at 1 nothing changes, and dead entries are replaced as ever.
        """
        if share == 1.0:
            return
        self._keeps_entries, self._dead_code_fraction = True, 0.0
        for codebook in self._codebooks:
            codebook.decay = 1 - share * (1 - self._decay)
            codebook.threshold_ema_dead_code = 0.0

    def freeze(self) -> None:
        """Has codebooks stay as they are, once they are filled."""
        self._is_frozen = True

    @contextlib.contextmanager
    def unguarded(self) -> Iterator[None]:
        """Within, training takes any latents: for whoever looks at the loss anyhow, and puts the
        codebooks back where it is not finite. To look at the latents is to wait for the device.
        """
        self._refuses_nonfinite = False
        try:
            yield
        finally:
            self._refuses_nonfinite = True

    def embed(self, indices: Tensor) -> Tensor:
        """Looks codes up: each level's contribution.

        Args:
            indices: (batch, level, steps); -1 contributes exactly zero.

        Returns:
            (level, batch, dim, steps).

        Raises:
            ShapeError: another number of levels, or a code that does not exist.
        """
        indices = as_whole_numbers(indices, "indices")
        if indices.ndim != 3 or indices.shape[1] != self.levels:
            raise ShapeError(
                f"indices {tuple(indices.shape)}: expected (batch, {self.levels}, steps)"
            )
        low, high = (int(f(indices)) for f in (torch.min, torch.max))
        if low < -1 or high >= self.codebook_size:
            raise ShapeError(f"codes from {low} to {high}: expected -1 to {self.codebook_size - 1}")
        # The library's own look-up thinks for a tenth of a second about each shape that is new.
        level = torch.arange(self.levels, device=indices.device)[:, None, None]
        by_level = indices.transpose(0, 1)
        vectors = self.codebooks[level, by_level.clamp(min=0)]
        return vectors.masked_fill((by_level < 0)[..., None], 0.0).transpose(2, 3)

    def get_codebook_utilization(self, indices: Tensor) -> tuple[LevelHealth, ...]:
        """How well each level's codebook is used by some codes.

        Args:
            indices: (..., level, steps).
        """
        return codebook_health(count_codes(indices, self.codebook_size))

    @torch.no_grad()
    def initialise(
        self,
        latent: Tensor,
        batch_steps: int | None = None,
        background: Tensor | None = None,
    ) -> None:
        """Fills empty codebooks, by k-means level by level and then all levels together.

        Args:
            latent: (batch, dim, steps), the same in every process, where there are several.
            batch_steps: steps of all rows of a training batch; the moving averages begin as if
                they had been taken over such batches, and follow the next ones at once. Default:
                over one batch of these latents.
            background: (position, dim) latents of sound in general, which the codebooks are made
                from too: together they count for as much as some latents for each entry.

        Raises:
            NonFiniteError: NaN or Inf in the latent.
        """
        if self.initialised:
            return
        if not torch.isfinite(latent).all():
            raise NonFiniteError("NaN or Inf in the latent; the codebooks were left empty")
        most = max(1, _MOST_DISTANCES // self.codebook_size)
        some = thinned(latent.float(), most)
        columns = some.transpose(1, 2).reshape(-1, self.dim)
        weights = torch.ones_like(columns[:, 0])
        if background is not None:
            beside = background[: max(1, most // _OWN_TO_ONE)].to(columns)
            weight = min(1.0, _BACKGROUND_PER_ENTRY * self.codebook_size / len(beside))
            weights = torch.cat([weights, torch.full_like(beside[:, 0], weight)])
            columns = torch.cat([columns, beside])
        books, uses = self._fitted_one_by_one(columns, weights)
        for _ in range(_JOINT_FITS):
            codes = search(books, columns, _FIT_BEAM)
            books = fitted_together(columns, codes, books, weights)
        if batch_steps is not None:
            uses = uses * (batch_steps / float(weights.sum()))
        for codebook, entries, own in zip(self._codebooks, books, uses, strict=True):
            codebook.embed[0], codebook.cluster_size[0] = entries, own
            codebook.embed_avg[0] = entries * own[:, None]
        if self._keeps_entries:
            self._keep_averages(batch_steps or len(columns))
        for codebook in self._codebooks:  # last: one that is cut short begins anew
            codebook.initted.fill_(True)

    def _fitted_one_by_one(self, columns: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Codebooks each from what the ones before leave of (position, dim) latents, (level, entry,
        dim), and how much what each entry is nearest to counts for, (level, entry).
        """
        left, books, uses = columns, [], []
        for _ in range(self.levels):
            entries = k_means(left, weights, self.codebook_size)
            codes = search(entries[None], left, beam=1)[:, 0]
            books.append(entries)
            uses.append(torch.zeros_like(entries[:, 0]).index_add_(0, codes, weights))
            left = left - entries[codes]
        return torch.stack(books), torch.stack(uses)

    def _keep_averages(self, positions: int) -> None:
        """Has entries that few latents need stay where they are: no average fades below a share of
        what a batch of so many positions has for each.
        """
        least = _LEAST_SHARE * positions / self.codebook_size
        for codebook in self._codebooks:
            sizes, sums = codebook.cluster_size, codebook.embed_avg
            means = torch.where((sizes > 0)[..., None], sums / sizes[..., None], codebook.embed)
            sums.copy_(torch.where((sizes < least)[..., None], least * means, sums))
            sizes.clamp_(min=least)

    def _scale_threshold(self, positions: int) -> None:
        # The library compares an EMA of hits a batch; what is rare depends on the batch.
        if self._dead_code_fraction:
            threshold = self._dead_code_fraction * positions / self.codebook_size
            for codebook in self._codebooks:
                codebook.threshold_ema_dead_code = threshold
                codebook.reset_cluster_size = positions / self.codebook_size

    def _replace(
        self, level: int, batch_samples: Tensor, batch_mask: Tensor, **options: Any
    ) -> None:
        self._replaced[level] = self._replaced[level] + batch_mask.sum()
        codebook = self._codebooks[level]
        type(codebook).replace(codebook, batch_samples, batch_mask=batch_mask, **options)

    def _count(self, levels: int | None) -> int:
        if levels is None:
            return self.levels
        return as_count(levels, "levels", self.levels, error=ShapeError)

    def _searched(self, columns: Tensor, levels: int) -> QuantizerOutput:
        """Codes of (batch, steps, dim) by the first levels; nothing learns."""
        codebooks = self.codebooks[:levels]
        codes = search(codebooks, columns.flatten(0, 1)).reshape(*columns.shape[:2], -1)
        quantized, commitment = torch.zeros_like(columns), []
        for level, entries in enumerate(codebooks):
            quantized = quantized + entries[codes[..., level]]
            commitment.append((columns - quantized).square().mean())
        quantized, indices = (part.transpose(1, 2) for part in (quantized, codes))
        return QuantizerOutput(quantized, indices, torch.stack(commitment))

    def _left_out(self, indices: Tensor, codebooks: Tensor) -> Tensor:
        """What dropped levels had added, (batch, steps, dim).

        Args:
            indices: (batch, level, steps).
            codebooks: (level, entry, dim), as they were when these codes were chosen.
        """
        batch, levels, _ = indices.shape
        draw = torch.rand(2, batch, device=indices.device)
        stay = 1 + (draw[0] * (levels - 1)).long()
        dropped = draw[1] < self._dropout
        level = torch.arange(levels, device=indices.device)
        absent = (level >= stay[:, None]) & dropped[:, None]
        entries = codebooks[level[:, None], indices]
        return (entries * absent[:, :, None, None]).sum(dim=1)
