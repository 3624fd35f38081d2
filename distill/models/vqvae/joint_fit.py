"""The codebooks of all levels fitted to latents together; k-means fits one after another."""

from __future__ import annotations

from torch import Tensor

from distill.models.vqvae.k_means import weighted_means


def fitted_together(latents: Tensor, codes: Tensor, codebooks: Tensor, weights: Tensor) -> Tensor:
    """Entries whose sums are nearer to the latents that are coded by them.

    Level by level, an entry becomes the mean of what the other levels leave of its latents, as in
    additive quantization (Babenko and Lempitsky, 2014): the squared error never grows.

    Args:
        latents: (position, dim).
        codes: (position, level) int64.
        codebooks: (level, entry, dim).
        weights: (position,), how much each latent counts for.

    Returns:
        (level, entry, dim); entries that no latent is coded by are as they were.
    """
    fitted = codebooks.clone()
    left = latents - sum(book[codes[:, level]] for level, book in enumerate(fitted))
    for level, book in enumerate(fitted):
        own = codes[:, level]
        left = left + book[own]
        book.copy_(weighted_means(left, weights, own, book))
        left = left - book[own]
    return fitted


def thinned(latent: Tensor, most: int) -> Tensor:
    """(batch, dim, steps) latents as they are, or, of more than so many steps, every so many-th,
    as one row.
    """
    stride = -(-latent.shape[0] * latent.shape[2] // most)
    if stride <= 1:
        return latent
    return latent.transpose(1, 2).reshape(1, -1, latent.shape[1])[:, ::stride].transpose(1, 2)
