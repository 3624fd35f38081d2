"""What looks at codes refuses a model of latents, and the other way round, and says what serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from distill import (
    AudioCorpus,
    CodeParts,
    LoadedModel,
    build_atlas,
    entry_sound,
    load_model,
    principal_directions,
    rate_distortion,
)
from distill.errors import ModelTypeError
from distill.training import TrainingResult

CODES: dict[str, Callable[[Any, AudioCorpus], Any]] = {
    "build_atlas": lambda model, corpus: build_atlas(model, corpus, progress=False),
    "rate_distortion": lambda model, corpus: rate_distortion(model, corpus, progress=False),
    "entry_sound": lambda model, _: entry_sound(model, 0, 0),
    "CodeParts": lambda model, _: CodeParts(model, model.encode(torch.zeros(4000), 48_000)),
}


@pytest.fixture(scope="module")
def vae(trained_vae: TrainingResult) -> LoadedModel[Any]:
    return load_model(trained_vae.model_path)


@pytest.mark.parametrize("asked", CODES)
def test_codebooks_of_a_vae_are_not_there(
    asked: str, vae: LoadedModel[Any], corpus: AudioCorpus
) -> None:
    with pytest.raises(ModelTypeError) as caught:
        CODES[asked](vae, corpus)
    assert str(caught.value) == (
        f"{asked} looks at the codebooks of a model, and 'breath' has none: it is a VAE ('vae'). "
        "LatentExplorer(model) and principal_directions(model) look at its latents; "
        "compare([model, ...], sounds) takes any model"
    )


def test_an_atlas_is_of_no_vae(
    trained: TrainingResult, vae: LoadedModel[Any], corpus: AudioCorpus
) -> None:
    atlas = build_atlas(trained.load(), corpus, progress=False)
    with pytest.raises(ModelTypeError, match=r"^an atlas looks at the codebooks .* a VAE "):
        atlas.check_model(vae)  # type: ignore[arg-type]


def test_latents_of_an_rvq_vae_are_not_there(trained: TrainingResult) -> None:
    with pytest.raises(ModelTypeError) as caught:
        principal_directions(trained.load())
    assert str(caught.value) == (
        "principal_directions looks at the continuous latents of a model, and 'trained' has none: "
        "it is a RVQ-VAE ('vqvae'). CodesView(model, sound), CodebookExplorer(build_atlas(model, "
        "corpus)) and rate_distortion(model, corpus) look at its codes; compare([model, ...], "
        "sounds) takes any model"
    )


@pytest.mark.parametrize("given", [None, "m.distill", torch.nn.Linear(1, 1)])
def test_what_is_no_model_in_use_is_named(given: Any, corpus: AudioCorpus) -> None:
    said = rf"; expected one that load_model\(path\) has opened, found a {type(given).__name__}$"
    for ask in (*CODES.values(), lambda model, _: principal_directions(model)):
        if ask is not CODES["CodeParts"]:
            with pytest.raises(ModelTypeError, match=said):
                ask(given, corpus)
