"""Latents of sound in general, which codebooks are made from beside those of new sounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from distill import AudioCorpus, VQVAEConfig, load_model
from distill.audio.spectrogram import LogMel
from distill.errors import CorruptModelError, ModelFileError
from distill.models.file.container import read_header, write_container
from distill.models.start import StartingModel, base_paths
from distill.models.vqvae.background import (
    background_of,
    background_paths,
    read_background,
    write_background,
)
from distill.models.vqvae.model import ConvVQVAE

MODEL = "a" * 64
ENTRIES = torch.randn(3, 16, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("number", [0, 1])
def test_each_base_that_is_installed_has_one(number: int) -> None:
    base, path = base_paths()[number], background_paths()[number]
    loaded = load_model(base)
    latents = background_of(loaded.digest)
    assert latents is not None and torch.isfinite(latents).all()
    assert latents.shape == (8192, loaded.config.latent_dim)
    said = json.loads(read_header(path).texts["provenance"])
    assert said["licence"] == "MIT" and len(said["material"]["sources"]) > 3


def test_bases_and_backgrounds_are_no_more_than_may_be_shipped() -> None:
    assert sum(path.stat().st_size for path in (*base_paths(), *background_paths())) <= 8_000_000


def test_other_models_have_none() -> None:
    assert background_of(MODEL) is None


def held_out_error(corpus: AudioCorpus, background: Tensor | None) -> float:
    """Of frames of sounds that codebooks are not made from, through the base."""
    torch.manual_seed(0)
    config = VQVAEConfig(codebook_size=64)
    module = ConvVQVAE(config)
    StartingModel.read(base_paths()[0]).give(module)
    assert module.background is not None
    module.background = background
    split = corpus.split(0.3)
    mels = [LogMel(config.spectrogram)(sound[None]) for sound in split.training]
    module.initialise(torch.cat(mels, dim=-1))
    module.eval()
    held = [module.encode(LogMel(config.spectrogram)(sound[None])) for sound in split.validation]
    errors = [(module.quantize(one).quantized - one).square().mean() for one in held]
    return float(torch.stack(errors).mean())


@torch.no_grad()
def test_other_sounds_of_a_small_corpus_are_said_nearer(corpus: AudioCorpus) -> None:
    known = background_of(load_model(base_paths()[0]).digest)
    assert held_out_error(corpus, known) < 0.8 * held_out_error(corpus, None)


@given(codes=st.lists(st.lists(st.integers(0, 15), min_size=3, max_size=3), min_size=1))
def test_what_is_written_is_read_to_a_byte(
    codes: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("background") / "one.distill"
    chosen = torch.tensor(codes)
    write_background(path, ENTRIES, chosen, MODEL, {})
    meant = torch.stack([ENTRIES[level, chosen[:, level]] for level in range(3)]).sum(dim=0)
    step = float(ENTRIES.abs().max()) / 127
    assert (read_background(path) - meant).abs().max() <= 3 * step


GOOD = {
    "entries": torch.zeros(3, 16, 4, dtype=torch.int8),
    "scales": torch.ones(3),
    "codes": torch.zeros(5, 3, dtype=torch.uint8),
}


@pytest.mark.parametrize(
    "changed",
    [
        {"codes": torch.full((5, 3), 16, dtype=torch.uint8)},
        {"codes": torch.zeros(5, 2, dtype=torch.uint8)},
        {"codes": torch.zeros(0, 3, dtype=torch.uint8)},
        {"codes": torch.zeros(5, 3)},
        {"codes": None},
        {"entries": torch.zeros(3, 16, 4)},
        {"entries": torch.zeros(2, 16, 4, dtype=torch.int8)},
        {"scales": torch.tensor([1.0, float("nan"), 1.0])},
        {"scales": torch.zeros(())},
    ],
)
def test_what_does_not_fit_together_is_refused(
    changed: dict[str, Tensor | None], tmp_path: Path
) -> None:
    tensors = {name: x for name, x in (GOOD | changed).items() if x is not None}
    path = tmp_path / "odd.distill"
    write_container(path, tensors, {"version": "1", "background": json.dumps({"model": MODEL})})
    with pytest.raises(CorruptModelError, match=r"^odd\.distill: "):
        read_background(path)


@pytest.mark.parametrize("said", ["", "{}", '{"model": "short"}', "[" * 99])
def test_a_file_that_does_not_say_whose_it_is_is_refused(said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.distill"
    write_container(path, GOOD, {"version": "1", "background": said})
    with pytest.raises(CorruptModelError, match="no latents of sound in general"):
        read_background(path)


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_that_was_altered_or_cut_is_refused(
    place: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("background")
    whole = write_background(folder / "one.distill", ENTRIES, GOOD["codes"], MODEL, {}).read_bytes()
    place %= len(whole)
    (folder / "cut.distill").write_bytes(whole[:place])
    with pytest.raises(ModelFileError):
        read_background(folder / "cut.distill")
    if whole[place] != value:
        altered = whole[:place] + bytes([value]) + whole[place + 1 :]
        (folder / "altered.distill").write_bytes(altered)
        with pytest.raises(ModelFileError):
            read_background(folder / "altered.distill")
