"""Codebooks of any size begin in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from distill import AudioCorpus, ConvVQVAE, QuantizerWrapper, VQVAEConfig, train_vqvae
from distill.audio.segments import SegmentSampler

MOST_BYTES = 512 << 20


class Asked(Exception):  # ends a training where enough was seen
    pass


@pytest.mark.parametrize("entries", [16, 4096, 65_536])
def test_the_first_batch_is_bounded(
    entries: int, corpus: AudioCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    batch = SegmentSampler.batch

    def measured(sampler: SegmentSampler, size: int, *rest: Any) -> Tensor:
        asked.append(size * sampler.segment_samples * 4)
        return batch(sampler, 1, *rest)

    def stop(_model: ConvVQVAE, _mel: Tensor, _batch_steps: int) -> None:
        raise Asked

    monkeypatch.setattr(SegmentSampler, "batch", measured)
    monkeypatch.setattr(ConvVQVAE, "initialise", stop)
    config = VQVAEConfig(codebook_size=entries, levels=1, width=8, latent_dim=2, max_steps=1)
    with pytest.raises(Asked):
        train_vqvae(config, corpus, tmp_path / "run", "cpu")
    assert len(asked) == 1
    assert 0 < asked[0] <= MOST_BYTES


@pytest.mark.parametrize("entries", [4096, 65_536])
def test_k_means_compares_a_bounded_number_of_steps(
    entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []

    def stop(points: Tensor, _weights: Tensor, _entries: int) -> Tensor:
        shapes.append(tuple(points.shape))
        raise Asked

    quantizer = QuantizerWrapper(dim=2, levels=1, codebook_size=entries)
    monkeypatch.setattr("distill.models.vqvae.quantizer.k_means", stop)
    latent = torch.randn(4, 2, 60_000)
    with pytest.raises(Asked):
        quantizer.initialise(latent)
    [(steps, dim)] = shapes
    assert dim == 2
    assert steps * entries * 4 <= MOST_BYTES
    assert steps >= min(240_000, MOST_BYTES // (4 * entries)) // 2  # as many as allowed
