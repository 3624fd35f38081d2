"""Vectors on a plane, so that like ones are near each other."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from distill.analysis.atlas.statistics import principal_axes
from distill.errors import MissingExtraError

METHODS = ("pca", "umap")
_NEIGHBOURS = 15  # UMAP's own default
_FEW = 20  # UMAP's start from a spectral embedding needs more points than this to be sound


def mapped(vectors: np.ndarray, method: str) -> np.ndarray:
    """Places vectors, (n, dim), on a plane by one of `METHODS`: (n, 2) float32.

    Raises:
        MissingExtraError: "umap" without umap-learn.
    """
    return principal_axes(vectors) if method == "pca" else _umap(vectors)


def _umap(vectors: np.ndarray) -> np.ndarray:
    umap = _import_umap()
    if len(vectors) < 4:  # too few to have neighbourhoods
        return principal_axes(vectors)
    reducer = umap.UMAP(
        n_components=2,
        n_neighbors=min(_NEIGHBOURS, len(vectors) - 1),
        init="random" if len(vectors) < _FEW else "spectral",
        random_state=0,  # the same map every time, for which UMAP allows one thread only
        n_jobs=1,
    )
    return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)


def _import_umap() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # that tensorflow is not there
            import umap
    except ImportError as error:
        raise MissingExtraError(
            'method="umap" needs the package umap-learn: pip install "distill-audio[umap]", or '
            'use method="pca"'
        ) from error
    return umap
