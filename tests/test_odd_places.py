"""Whatever is given as the place of a file or folder: used, or refused in words of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill import (
    AudioCorpus,
    Codes,
    TrainingRunner,
    load_model,
    make_demo_corpus,
    read_audio,
    train_vqvae,
    write_audio,
)
from distill.analysis import ModelLibrary
from distill.audio.io import is_reconstruction, probe, read_pieces
from distill.errors import DistillError
from distill.training import TrainingResult
from distill.training.fronts import resume
from tests.priors import random_codes, with_untrained_prior

NO_PATHS = [
    None, 5, 2.5, True, b"take.wav", [], {}, object(), 1j, torch.zeros(3), np.zeros(3),
]  # fmt: skip
NO_NAMES = ["zero\0byte", "\ud800", "x" * 5000, "y/" * 3000]


@pytest.fixture
def uses(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[Any], object]]:
    """Whatever in the library takes a place, by what it does with it."""
    monkeypatch.chdir(tmp_path)
    model = with_untrained_prior(_loaded(trained))
    codes, wave = random_codes(model), torch.zeros(4800)
    write_audio("take.wav", wave + 0.1, 48_000)
    return {
        "load a model": load_model,
        "save a model": model.save,
        "read": read_audio,
        "read in pieces": read_pieces,
        "probe": probe,
        "recognise": is_reconstruction,
        "write": lambda place: write_audio(place, wave, 48_000),
        "load codes": Codes.load,
        "save codes": codes.save,
        "encode": model.encode_file,
        "decode to": lambda place: model.decode_file(codes, place),
        "reconstruct": lambda place: model.reconstruct_file(place, "out.wav"),
        "reconstruct to": lambda place: model.reconstruct_file("take.wav", place),
        "generate to": lambda place: model.generate_file(place, 0.1),
        "continue": lambda place: model.continue_sound(place, 0.1),
        "remake": model.remake,
        "remake to": lambda place: model.remake_file("take.wav", place),
        "scan": lambda place: AudioCorpus.scan(place, progress=False),
        "scan among others": lambda place: AudioCorpus.scan(["take.wav", place], progress=False),
        "attach": TrainingRunner.attach,
        "list": TrainingRunner.list,
        "library": ModelLibrary,
        "demo": make_demo_corpus,
        "train": lambda place: train_vqvae(trained.load().config, corpus, place),
        "resume": resume,
    }


def _loaded(trained: TrainingResult) -> Any:
    return load_model(trained.model_path)


def test_what_is_no_place_is_refused_in_our_words(
    uses: dict[str, Callable[[Any], object]], tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    for use, call in uses.items():
        for place in [*NO_PATHS, *NO_NAMES]:
            if use == "scan" and isinstance(place, (list, dict, torch.Tensor, np.ndarray)):
                expected = "no files given|expected the path"
            elif isinstance(place, str):
                expected = r"no name (of a file|that a file can have)|too long|expected a name"
            else:
                expected = "expected the path of a file or folder, found"
            with pytest.raises(DistillError, match=expected) as refused:
                call(place)
            assert len(str(refused.value)) < 20_000 and "\0" not in str(refused.value), use
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("place", [".", "/", ""])
def test_codes_are_not_saved_under_the_name_of_a_folder(
    trained: TrainingResult, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codes = random_codes(_loaded(trained))
    with pytest.raises(DistillError, match="a folder; name a file to be written"):
        codes.save(place)
    assert not list(tmp_path.iterdir())
