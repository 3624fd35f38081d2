from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from distill import ConvVAE, VAEConfig, save_model
from distill.cli.info import describe
from distill.models.file.container import read_container, write_container

OLD = Path(__file__).parents[1] / "data" / "first_version" / "finished" / "model.distill"
SMALL = {"width": 8, "latent_dim": 4}


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    return save_model(tmp_path / "wind.distill", ConvVAE(VAEConfig(**SMALL)))  # type: ignore[arg-type]


def test_any_family_is_described(vae: Path) -> None:
    assert "latents    4 dimensions" in describe(vae, as_json=False)
    values = json.loads(describe(vae, as_json=True))
    assert (values["family"], values["latent_health"]) == ("vae", [])
    assert "bits_per_second" not in values
    assert values["config"]["latent_dim"] == 4
    values = json.loads(describe(OLD, as_json=True))
    assert (values["family"], len(values["codebook_health"])) == ("vqvae", 3)
    assert values["bits_per_second"] > 0


def test_sections_that_are_not_known_are_named(vae: Path) -> None:
    assert "also" not in describe(vae, as_json=False)
    header, tensors = read_container(vae)
    texts = {**header.texts, "later": "{}", "odd\x1b[31m": "x"}
    write_container(vae, {**tensors, "later.a": torch.ones(2)}, texts)
    said = describe(vae, as_json=False)
    assert r"also       later, odd\x1b[31m: not known to this version, and kept" in said
    assert json.loads(describe(vae, as_json=True))["other_sections"] == ["later", "odd\x1b[31m"]
