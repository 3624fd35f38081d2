"""Generated files: they say how they were made, can be made again, and are whole where they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from distill import Codes, LoadedVQModel, load_model_v2, read_audio, remake
from distill.audio.io import is_reconstruction
from distill.audio.writing import write_audio
from distill.errors import (
    AudioFileError,
    ConfigError,
    NotEnoughMemoryError,
    OutputExistsError,
    RecipeError,
)
from distill.models.use.drawn import codes_digest
from distill.models.use.recipe import Recipe, read_recipe
from distill.training import TrainingResult
from tests.priors import random_codes as codes_of, untrained, with_untrained_prior


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing."""
    return with_untrained_prior(load_model_v2(trained.model_path))


def test_a_generated_file_says_how_to_make_it_again(model: LoadedVQModel, tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    codes = model.generate_file(path, 0.5, seed=7, temperature=0.9)
    assert is_reconstruction(path)  # nothing is ever learned from it
    comment = path.read_bytes()
    for said in (b'"seed": 7', b'"temperature": 0.9', model.digest.encode(), b'"seconds": 0.5'):
        assert said in comment
    again = model.generate(0.5, seed=7, temperature=0.9)
    assert torch.equal(codes.indices, again.indices)
    prompts = [codes_of(model, steps) for steps in (20, 20, 21)]
    for number, prompt in enumerate(prompts):
        model.generate_file(tmp_path / f"after-{number}.wav", 0.1, seed=7, prompt=prompt)
    known = [codes_digest(prompt) for prompt in prompts]
    assert known[0] == known[1] != known[2]
    assert f'"prompt": "{known[2]}"'.encode() in (tmp_path / "after-2.wav").read_bytes()
    path.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        model.generate_file(path, 0.5, seed=7)
    assert path.read_bytes() == b"mine"


# --- made again ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {"temperature": 0.8, "top_k": 9, "top_p": 0.9},
        {"novelty": 1.0},
        {"loop": True},
        {"temperature": 0},
        {"temperature": 100},
    ],
)
def test_a_file_is_made_again_to_the_last_byte(
    model: LoadedVQModel, tmp_path: Path, asked: dict[str, Any]
) -> None:
    codes = model.generate_file(tmp_path / "one.wav", 0.3, **asked)
    again = model.remake_file(tmp_path / "one.wav", tmp_path / "two.wav")
    assert torch.equal(codes.indices, again.indices)
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    sound, rate = model.remake(tmp_path / "one.wav")
    assert torch.allclose(sound, read_audio(tmp_path / "one.wav")[0], atol=2**-15)
    assert (len(sound), rate) == (codes.samples, 48_000)


@pytest.mark.parametrize(
    "ending", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "rf64"]
)
def test_files_of_every_format_keep_their_recipe(
    model: LoadedVQModel, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"one.{ending}"
    model.metadata["name"] = "Chör, generated: {}"
    model.generate_file(path, 0.1, seed=2**63 - 1, top_p=0.3)
    recipe = read_recipe(path)
    assert (recipe.model, recipe.seed, recipe.top_p) == (model.digest, 2**63 - 1, 0.3)
    assert recipe.seconds == pytest.approx(0.1)


def test_a_prompt_is_asked_for_and_known_again(model: LoadedVQModel, tmp_path: Path) -> None:
    path, prompt = tmp_path / "one.wav", codes_of(model, 6000)
    codes = model.generate_file(path, 0.1, prompt=prompt)
    kept = prompt.save(tmp_path / "prompt.npz")
    for given in (prompt, kept):
        assert len(model.remake(path, prompt=given)[0]) == codes.samples
    with pytest.raises(RecipeError, match=r"^one\.wav: was made of another sound, which is too "):
        model.remake(path)
    with pytest.raises(
        RecipeError, match=r"^one\.wav: goes on from another prompt than this one, "
    ):
        model.remake(path, prompt=codes_of(model, 21))
    model.generate_file(tmp_path / "two.wav", 0.1)
    with pytest.raises(RecipeError, match=r"^two\.wav: was made without a prompt; leave it out$"):
        model.remake(tmp_path / "two.wav", prompt=prompt)


def test_another_model_or_prior_is_refused_by_name(model: LoadedVQModel, tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    model.generate_file(path, 0.1)
    was = model.digest[:8]
    model.use_prior(untrained(model, model.prior.sounds[0].codes, width=8))
    with pytest.raises(RecipeError, match=r"^one\.wav: was made by the prior \w{8} of this model"):
        model.remake(path)
    with torch.no_grad():
        next(model.model.decoder.parameters()).add_(1.0)
    said = rf"^one\.wav: was made by the model {was}; this is trained \({model.digest[:8]}\)$"
    with pytest.raises(RecipeError, match=said):
        model.remake(path)


def test_files_without_a_recipe_are_refused(model: LoadedVQModel, tmp_path: Path) -> None:
    def refused(said: str, made_by: str | None) -> None:
        write_audio(tmp_path / "a.wav", torch.zeros(99), 48_000, made_by=made_by, overwrite=True)
        with pytest.raises(RecipeError, match=said):
            model.remake(tmp_path / "a.wav")

    refused(r"^a\.wav: does not say how it was made; files of distill generate", None)
    refused(r"^a\.wav: does not say how it was made", "trained (01234567)")
    refused(r"^a\.wav: its recipe cannot be read \(.*model", "x, generated: {}")
    recipe = Recipe("0" * 64, "1" * 64, 1.0, 2, 1.0)
    for change in ('"seed": -1', '"seed": 1e99', '"seconds": 1e9, "seed": 2', '"seed": "2"'):
        text = f"x, generated: {recipe}".replace('"seed": 2', change)
        refused(r"^a\.wav: its recipe cannot be read", text)


# --- long ones -------------------------------------------------------------------------------


def after(count: int) -> Callable[[], bool]:
    asked = iter(range(10**9))
    return lambda: next(asked) >= count - 1


def test_what_is_interrupted_while_codes_are_drawn_is_whole(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    path = tmp_path / "hour.wav"
    stops = iter([False] * 9 + [True, False])
    codes = model.generate_file(path, 3600.0, seed=1, stop=lambda: next(stops))
    assert (codes.steps, codes.samples) == (10, 10 * 1024 - 1)
    sound = read_audio(path)[0]
    assert len(sound) == codes.samples
    assert torch.equal(codes.indices, model.generate(3600.0 / 3600, seed=1).indices[:, :10])
    model.remake_file(path, tmp_path / "again.wav")
    assert path.read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_what_is_interrupted_while_codes_become_sound_is_whole(
    model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill.audio.vocoder._CHUNK_FRAMES", 32)  # pieces of a third of a second
    path, steps = tmp_path / "one.wav", model.generate(2.0, seed=1).steps
    codes = model.generate_file(path, 2.0, seed=1, stop=after(steps + 2))
    assert 0 < codes.samples < 96_000 and codes.steps == steps
    assert len(read_audio(path)[0]) == codes.samples
    assert (read_recipe(path).seconds, read_recipe(path).kept_samples) == (2.0, codes.samples)
    assert len(model.remake(path)[0]) == codes.samples
    model.remake_file(path, tmp_path / "again.wav")
    assert path.read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_lengths_that_are_none_make_no_file(model: LoadedVQModel, tmp_path: Path) -> None:
    for seconds, loop in ((0, False), (86_401, False), (601, True), (float("nan"), True)):
        with pytest.raises(ConfigError, match=r"^seconds="):
            model.generate_file(tmp_path / "a.wav", seconds, loop=loop)
    assert not list(tmp_path.iterdir())


# --- found by what they say ------------------------------------------------------------------


def test_the_model_that_made_a_file_is_found_in_a_folder(
    model: LoadedVQModel, trained: TrainingResult, tmp_path: Path
) -> None:
    sound, models = tmp_path / "one.wav", tmp_path / "models"
    models.mkdir()
    model.generate_file(sound, 0.1)
    expected = model.remake(sound)[0]
    (models / "without.distill").write_bytes(trained.model_path.read_bytes())
    (models / "broken.distill").write_bytes(b"distill")
    with pytest.raises(RecipeError, match=r"^one\.wav: was made by the model .*; no file below"):
        remake(sound, models)
    path = model.save(models / "mine.distill")
    model.use_prior(untrained(model, model.prior.sounds[0].codes, width=8))
    other = model.save(models / "other-prior.distill")
    for place in (path, models, load_model_v2(path)):
        made, rate = remake(sound, place)
        assert torch.equal(made, expected) and rate == 48_000
    with pytest.raises(RecipeError, match=re.escape("open the file of the model as it was then")):
        remake(sound, other)


# --- what cannot be written is said before the work ------------------------------------------


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("one.txt", r"one\.txt: cannot be written; expected a name ending in \.aif, "),
        ("one", r"one: cannot be written; expected a name ending in "),
        ("gone/one.wav", "cannot be written: No such file or directory"),
        ("file/one.wav", "cannot be written: Not a directory"),
        ("mine.wav", r"mine\.wav: is there already"),
        ("folder.wav", r"folder\.wav: a folder; name a file"),
    ],
)
def test_a_place_for_a_sound_is_refused_before_anything_is_made(
    model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, message: str
) -> None:
    model.generate_file(tmp_path / "first.wav", 0.1, seed=1)
    codes = codes_of(model)
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "mine.wav").write_bytes(b"mine")
    (tmp_path / "folder.wav").mkdir()
    for work in ("_codes_by", "decode_pieces", "_encode_levels"):
        monkeypatch.setattr(LoadedVQModel, work, None)
    out, first = tmp_path / place, tmp_path / "first.wav"
    attempts: list[Callable[[], object]] = [
        lambda: model.generate_file(out, 0.1, seed=1),
        lambda: model.remake_file(first, out),
        lambda: model.reconstruct_file(first, out),
        lambda: model.decode_file(codes, out),
    ]
    for attempt in attempts:
        with pytest.raises((AudioFileError, OutputExistsError), match=message):
            attempt()
    assert (tmp_path / "mine.wav").read_bytes() == (tmp_path / "file").read_bytes() == b"mine"


def test_a_sound_is_never_made_again_over_what_is_read(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    start = codes_of(model).save(tmp_path / "start.npz")
    model.generate_file(tmp_path / "one.wav", 0.1, seed=1, prompt=Codes.load(start))
    before = (tmp_path / "one.wav").read_bytes()
    (tmp_path / "link.wav").symlink_to("one.wav")
    for out in ("one.wav", "link.wav"):
        with pytest.raises(OutputExistsError, match="is the file that is read, and is never writ"):
            model.remake_file(tmp_path / "one.wav", tmp_path / out, prompt=start, overwrite=True)
    assert (tmp_path / "one.wav").read_bytes() == before


# --- recipes from strangers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top_k": 2**53}, "its recipe cannot be used .top_k=9007199254740992: expected"),
        ({"loop_places": 10**6}, "its recipe cannot be used .places=1000000: expected"),
        ({"classes": ["<b>"]}, "its recipe cannot be used .this prior was trained without the"),
        ({"does": "vary"}, "its recipe cannot be used .it lacks what 'vary' needs"),
        ({"does": "fill", "gap_s": [0, 1]}, "its recipe cannot be used .it lacks what 'fill'"),
    ],
)
def test_what_a_recipe_asks_in_vain_is_said_of_its_file(
    model: LoadedVQModel, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    forged = _forged(model, tmp_path, **changes)
    for remade in (lambda: model.remake(forged), lambda: model.remake_file(forged, "out.wav")):
        with pytest.raises(RecipeError, match=rf"^forged\.wav: {message}"):
            remade()


def test_a_recipe_for_a_day_of_sound_does_not_take_the_memory(
    model: LoadedVQModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = _forged(model, tmp_path, seconds=86_400)
    monkeypatch.setattr(LoadedVQModel, "_codes_by", None)  # nothing is drawn
    expected = r"^forged\.wav: 24\.0 h of sound need 15\.4 GiB at once; up to 2 are taken: remake"
    with pytest.raises(NotEnoughMemoryError, match=expected):
        model.remake(forged)


def test_codes_of_days_do_not_take_the_memory(model: LoadedVQModel) -> None:
    """Zeros pack well: a file of 300 kB holds them."""
    steps = 2**21
    codes = model.codes_of(torch.zeros(3, steps, dtype=torch.int32), steps * 512, 0.5)
    expected = r"^codes: 6\.2 h of sound need 4\.0 GiB at once; up to 2 are taken: decode_f"
    with pytest.raises(NotEnoughMemoryError, match=expected):
        model.decode(codes)


def _forged(model: LoadedVQModel, folder: Path, **changes: Any) -> Path:
    """A sound whose recipe asks for something else."""
    model.generate_file(folder / "honest.wav", 0.1, seed=1)
    recipe = msgspec.to_builtins(read_recipe(folder / "honest.wav"))
    text = json.dumps({**recipe, **changes})
    made_by = f"somebody, generated: {text}"
    return write_audio(folder / "forged.wav", torch.zeros(100), 48_000, made_by=made_by)
