"""Variations, gaps, continued sounds and loops: made again by what their files say alone."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import Codes, LoadedVQModel, load_model_v2, read_audio, remake
from distill.audio.writing import write_audio
from distill.codebook.codes import NO_CODE
from distill.config.conditions import CONDITIONS
from distill.errors import RecipeError
from distill.models.use import made_codes
from distill.models.use.made_codes import prompt_fields, prompt_grid, recipe_of
from distill.models.use.recipe import LONGEST_CODES, Recipe, comment_with, read_recipe
from distill.training import TrainingResult
from tests.priors import random_codes, untrained, with_untrained_prior

Make = Callable[[LoadedVQModel, Codes], Codes]
MAKES: dict[str, Make] = {
    "generate": lambda model, codes: model.generate(0.4, temperature=0.9),
    "after": lambda model, codes: model.generate(0.4, prompt=codes, top_p=0.9),
    "continue": lambda model, codes: model.continue_sound(codes, 0.3, top_k=9),
    "vary": lambda model, codes: model.vary(codes, 2),
    "vary more": lambda model, codes: model.vary(codes, novelty=1.0),
    "fill": lambda model, codes: model.fill(codes, 0.1, 0.3, draws=3),
    "loop": lambda model, codes: model.loop(0.3, places=5),
    "loop after": lambda model, codes: model.loop(0.3, prompt=codes, places=5),
}


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing."""
    return with_untrained_prior(load_model_v2(trained.model_path))


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_file_of_what_was_drawn_is_made_again_to_the_last_byte(
    model: LoadedVQModel, tmp_path: Path, make: Make
) -> None:
    codes, path = make(model, random_codes(model)), tmp_path / "one.wav"
    model.decode_file(codes, path)
    sound, rate = remake(path, model)
    assert (len(sound), rate) == (codes.samples, 48_000)
    assert torch.allclose(sound, read_audio(path)[0], atol=2**-15)
    again = model.remake_file(path, tmp_path / "two.wav")
    assert torch.equal(again.indices, codes.indices)
    assert path.read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_a_loop_after_a_prompt_is_made_again_without_it(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    path = tmp_path / "loop.wav"
    codes = model.generate_file(path, 0.3, prompt=random_codes(model), loop=True)
    assert torch.equal(model.remake_file(path, tmp_path / "again.wav").indices, codes.indices)
    assert path.read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_what_was_asked_of_a_class_and_loudness_is_asked_again(
    trained: TrainingResult, tmp_path: Path
) -> None:
    model = load_model_v2(trained.model_path)
    grid = random_codes(model).indices.T
    prior = untrained(model, grid, conditions=CONDITIONS, classes=("{kick}", "bell"))
    for column in prior.module.told.columns:
        torch.nn.init.normal_(column.weight)
    model.use_prior(prior)
    asked = {"classes": "{kick}", "loudness": [-20, 0]}
    codes = random_codes(model)
    for number, made in enumerate((model.vary(codes, **asked), model.fill(codes, 0, 0.2, **asked))):
        path = tmp_path / f"{number}.wav"
        model.decode_file(made, path)
        assert read_recipe(path).classes == ["{kick}"]
        assert torch.equal(model.remake(path)[0], model.decode(made)[0])


def test_codes_that_were_changed_since_have_no_recipe(model: LoadedVQModel, tmp_path: Path) -> None:
    codes = model.generate(0.2, seed=1)
    assert recipe_of(codes) is not None
    other = (codes.indices + 1) % 16
    for number, changed in enumerate(
        (codes.with_indices(other), codes.first_levels(2), replace(codes, samples=5000),
         replace(codes, peak=0.1), codes.save(tmp_path / "codes.npz"))
    ):  # fmt: skip
        path = tmp_path / f"{number}.wav"
        model.decode_file(changed, path)
        with pytest.raises(RecipeError, match="does not say how it was made"):
            model.remake(path)
    model.decode_file(codes, tmp_path / "two.wav", levels=2)
    with pytest.raises(RecipeError, match="does not say how it was made"):
        model.remake(tmp_path / "two.wav")
    assert torch.equal(Codes.load(tmp_path / "codes.npz").indices, codes.indices)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_the_longest_that_lies_in_a_file_does_in_every_format(
    model: LoadedVQModel, tmp_path: Path, ending: str
) -> None:
    codes, steps = random_codes(model, 100), 100
    while len(prompt_fields(codes).get("prompt_codes", "")):
        steps += 100
        codes = random_codes(model, steps)
    longest, path = random_codes(model, steps - 100), tmp_path / f"one.{ending}"
    recipe = Recipe(
        model.digest, "1" * 64, 1.0, 2, 1.0, classes=["x" * 60] * 8, **prompt_fields(longest)
    )
    assert len(recipe.prompt_codes) > 0.9 * LONGEST_CODES
    write_audio(path, torch.zeros(4800), 48_000, made_by=comment_with("name", recipe))
    assert read_recipe(path) == recipe


def test_of_a_longer_one_the_file_says_that_it_is_needed(
    model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_codes, "LONGEST_CODES", 100)
    long, path = random_codes(model, 60), tmp_path / "one.wav"
    model.decode_file(model.vary(long, 2), path)
    said = r"^one\.wav: was made of another sound, which is too long to lie in it: name that one \("
    with pytest.raises(RecipeError, match=said):
        model.remake(path)
    with pytest.raises(RecipeError, match=r"goes on from another prompt than this one"):
        model.remake(path, prompt=random_codes(model, 61))
    assert len(model.remake(path, prompt=long)[0]) == long.samples


@settings(deadline=None)
@given(st.integers(1, 70_000), st.integers(1, 8), st.integers(1, 50), st.randoms())
def test_codes_in_a_recipe_come_back(entries: int, levels: int, steps: int, random: object) -> None:
    drawn = torch.randint(NO_CODE, entries, (levels, steps))
    codes = Codes(drawn, entries, 0.02, 960, 48_000, peak=0.3)
    recipe = Recipe("0" * 64, "1" * 64, 1.0, 2, 1.0, **prompt_fields(codes))
    assert torch.equal(prompt_grid(recipe, entries), drawn)
    assert (recipe.prompt_samples, recipe.prompt_peak) == (960, 0.3)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt_codes": "***"},
        {"prompt_codes": "AAAA"},
        {"prompt_codes": packed(bytes(100))[:-8]},
        {"prompt_codes": packed(b"")},
        {"prompt_codes": packed(bytes(61))},
        {"prompt_codes": packed(bytes(1 << 21))},
        {"prompt_codes": packed(b"\xff" * 60)},
        {"prompt_codes": packed(b"\x01" * 60)},
        {"prompt_levels": 7},
        {"prompt_levels": 2**53},
        {"prompt_samples": None},
        {"prompt_samples": 2**53},
        {"does": "fill"},
        {"does": "vary", "keep_levels": None},
    ],
    ids=str,
)
def test_a_recipe_that_somebody_has_changed_is_refused(
    model: LoadedVQModel, tmp_path: Path, wrong: dict[str, object]
) -> None:
    model.decode_file(model.continue_sound(random_codes(model), 0.2), tmp_path / "one.wav")
    recipe = msgspec.structs.replace(read_recipe(tmp_path / "one.wav"), **wrong)
    path = tmp_path / "two.wav"
    write_audio(path, torch.zeros(99), 48_000, made_by=comment_with("name", recipe))
    with pytest.raises(RecipeError, match=r"recipe cannot be (read|used) \("):
        model.remake(path)
