"""What the models room keeps inside stays there: others use what a loaded model offers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from distill import ConvVQVAE, LoadedVQModel, VQVAEConfig

ROOT = Path(__file__).parents[2]
INSIDE = re.compile(r"\bmodel\.model\b|\.quantizer\b|\.residual_vq\b")
# The training of codebooks is about the quantizer; it has no loaded model.
OWN = ("distill/models/", "distill/training/tasks/vqvae.py")


def test_nobody_reaches_into_a_loaded_model() -> None:
    found = []
    for folder in ("distill", "widgets", "notebooks", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in (".py", ".ipynb") and not name.startswith(OWN):
                text = path.read_text(encoding="utf-8")
                found += [f"{name}: {match.group()}" for match in INSIDE.finditer(text)]
    assert found == []


@pytest.fixture
def model() -> LoadedVQModel:
    torch.manual_seed(0)
    config = VQVAEConfig(width=8, latent_dim=4, levels=3, codebook_size=8, kernel_size=3)
    network = ConvVQVAE(config)
    network.initialise(torch.randn(2, 128, 64))
    return LoadedVQModel(network.eval())


def test_codebooks_are_a_copy(model: LoadedVQModel) -> None:
    books = model.codebooks
    assert books.shape == (*model.shape, model.config.latent_dim)
    digest = model.digest
    books.zero_()
    assert model.digest == digest and model.codebooks.abs().max() > 0


def test_embeddings_add_up_to_what_the_decoder_takes(model: LoadedVQModel) -> None:
    indices = torch.tensor([[0, 1, 2], [3, -1, 4], [5, 6, -1]])
    levels = model.embeddings_of(indices)
    assert levels.shape == (3, 4, 3)
    assert torch.equal(levels[1, :, 0], model.codebooks[1, 3])
    assert not levels[1, :, 1].any()
    made = model.model.decode(levels.sum(0)[None])[0]
    assert torch.equal(made, model.mel_of(indices))


def test_columns_decode_as_grids_that_stand_still(model: LoadedVQModel) -> None:
    columns = torch.randint(-1, 8, (70, 3))
    mels = model.decode_columns(columns, 5)
    assert mels.shape == (70, 128, 5 * model.config.stride)
    for column in (0, 69):
        expected = model.mel_of(columns[column][:, None].expand(-1, 5))
        torch.testing.assert_close(mels[column], expected, rtol=0, atol=1e-5)
