"""How codes keep company: pure functions on grids of codes, (level, step), whole numbers."""

from __future__ import annotations

import numpy as np

from distill.errors import AtlasError

_MOST_ENTRIES = 8192  # a table of pairs of them takes half a gigabyte


def pair_counts(first: np.ndarray, second: np.ndarray, entries: int) -> np.ndarray:
    """How often two codes come together.

    Args:
        first: codes, (n,), each from 0.
        second: the codes beside them, (n,).
        entries: size of the codebook.

    Returns:
        (entry of first, entry of second) int64; sums to n.

    Raises:
        AtlasError: so many entries that the table would take gigabytes.
    """
    if entries > _MOST_ENTRIES:
        raise AtlasError(
            f"pairs of {entries} entries: a table of at most {_MOST_ENTRIES} × {_MOST_ENTRIES} is "
            "made; count the pairs you need from codes_of(file)"
        )
    keys = first.astype(np.int64) * entries + second
    return np.bincount(keys, minlength=entries * entries).reshape(entries, entries)


def transition_counts(codes: np.ndarray, starts: np.ndarray, entries: int) -> np.ndarray:
    """How often one code follows another, never across the end of a file.

    Args:
        codes: of one level over all files, one after the other, (step,).
        starts: where each file begins, and the end, (file + 1,).
        entries: size of the codebook.

    Returns:
        (entry before, entry after) int64; sums to steps - files.

    Raises:
        AtlasError: see `pair_counts`.
    """
    inside = np.ones(max(len(codes) - 1, 0), dtype=bool)
    inside[starts[1:-1] - 1] = False
    return pair_counts(codes[:-1][inside], codes[1:][inside], entries)


def histogram_similarity(counts: np.ndarray) -> np.ndarray:
    """How alike the codes of files are.

    Args:
        counts: uses, (file, level, entry), at least one a file and level.

    Returns:
        (file, file) in [0, 1], for each two files the Bhattacharyya coefficient of their code
        histograms, sum of sqrt(p q), averaged over the levels; 1 where the shares are equal, 0
        where no entry is shared.

    Source: Bhattacharyya 1943; its use for histograms: Comaniciu et al. 2003.
    """
    shares = counts / counts.sum(axis=2, keepdims=True)
    roots = np.sqrt(shares).swapaxes(0, 1)
    return np.clip((roots @ roots.swapaxes(1, 2)).mean(axis=0), 0.0, 1.0)


def principal_axes(vectors: np.ndarray) -> np.ndarray:
    """The two directions in which vectors differ most.

    Args:
        vectors: (n, dim).

    Returns:
        (n, 2) float32, centred; zeros where there is no second direction. Signs are fixed: the
        farthest point of each direction is on its positive side.

    Source: principal component analysis; Pearson 1901.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = (left * sizes)[:, :2]
    places = np.zeros((len(vectors), 2), dtype=np.float32)
    farthest = np.take_along_axis(found, np.abs(found).argmax(axis=0)[None], axis=0)
    places[:, : found.shape[1]] = found * np.where(farthest < 0, -1.0, 1.0)
    return places


def neighbours(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each vector's nearest others.

    Args:
        vectors: (n, dim), n at least 2.
        count: how many, below n.

    Returns:
        Indices (n, count) int32 and Euclidean distances (n, count) float32, nearest first.
    """
    exact = vectors.astype(np.float64)
    squares = (exact**2).sum(axis=1)
    found, distances = [], []
    for start in range(0, len(exact), 1024):  # never all pairs of a large codebook at once
        rows = exact[start : start + 1024]
        apart = squares[start : start + len(rows), None] + squares - 2 * rows @ exact.T
        apart[np.arange(len(rows)), start + np.arange(len(rows))] = np.inf
        order = np.argsort(apart, axis=1, kind="stable")[:, :count]
        found.append(order.astype(np.int32))
        near = np.take_along_axis(apart, order, axis=1)
        distances.append(np.sqrt(near.clip(min=0)).astype(np.float32))
    return np.concatenate(found), np.concatenate(distances)
