"""New sounds from a model with a prior: drawn, gone on with, varied, kept, and what they copied."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from distill import (
    AudioCorpus,
    LoadedVQModel,
    edit_metadata,
    load_model_v2,
    read_model_info,
    train_prior,
)
from distill.config.fields import shown
from distill.errors import (
    CodesError,
    ConfigError,
    CorruptModelError,
    ModelFileError,
    PriorError,
)
from distill.models.file.container import read_container, write_container
from distill.models.prior.health import PriorHealth
from distill.models.prior.placing import put_prior
from distill.models.prior.section import prior_fact, prior_section
from distill.training import TrainingResult
from tests.priors import random_codes as codes_of, tiny_prior, untrained, with_untrained_prior


@pytest.fixture
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing, of two recordings."""
    return with_untrained_prior(load_model_v2(trained.model_path))


def test_the_same_seed_gives_the_same_sound(model: LoadedVQModel) -> None:
    one, two, other = (model.generate(1.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.indices, two.indices) and not torch.equal(one.indices, other.indices)
    assert (one.samples, one.levels, one.made_by) == (48_000, 3, model.digest)
    waveform, rate = model.decode(one)
    assert (len(waveform), rate) == (48_000, 48_000)
    steps = torch.tensor(list(islice(model.generate_steps(seed=1), one.steps))).T
    assert torch.equal(steps, one.indices)
    assert not torch.equal(model.generate(1.0).indices, model.generate(1.0).indices)


def test_temperature_0_takes_the_likeliest(model: LoadedVQModel) -> None:
    one, two = (model.generate(0.5, seed=seed, temperature=0) for seed in (1, 2))
    assert torch.equal(one.indices, two.indices)


def test_a_sound_goes_on_from_its_codes_and_from_its_file(
    model: LoadedVQModel, sounds_dir: Path
) -> None:
    prompt = codes_of(model)
    whole = model.continue_sound(prompt, 0.5, seed=1)
    assert torch.equal(whole.indices[:, :19], prompt.indices[:, :19])  # the last step is half one
    assert whole.samples == 19 * 1024 + 24_000 and whole.peak == prompt.peak
    after = model.generate(0.5, prompt=prompt, seed=1)
    shared = min(after.steps, whole.steps - 19)
    assert torch.equal(after.indices[:, :shared], whole.indices[:, 19 : 19 + shared])
    assert not torch.equal(after.indices, model.generate(0.5, seed=1).indices)
    of_file = model.continue_sound(sounds_dir / "drum-01.wav", 0.2)
    assert len(model.decode(of_file)[0]) == of_file.samples


def test_a_variation_keeps_the_first_levels(model: LoadedVQModel) -> None:
    codes = codes_of(model)
    other = model.vary(codes, 2, seed=1)
    assert torch.equal(other.indices[:2], codes.indices[:2])
    assert not torch.equal(other.indices[2], codes.indices[2])
    assert (other.samples, other.peak) == (codes.samples, codes.peak)
    filled = model.vary(codes.first_levels(1), seed=1)
    assert filled.levels == 3 and torch.equal(filled.indices[0], codes.indices[0])


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 86_401, "ten", None])
def test_lengths_that_are_none_are_refused(model: LoadedVQModel, seconds: float) -> None:
    said = f"seconds={shown(repr(seconds))}: expected above 0, up to 86400 (a day)"
    for make in (model.generate, lambda s: model.continue_sound(codes_of(model), s)):
        with pytest.raises(ConfigError, match=re.escape(said)):
            make(seconds)


def test_settings_out_of_range_are_refused(model: LoadedVQModel) -> None:
    with pytest.raises(ConfigError, match=r"^temperature=-1: expected a number from 0 to 1000"):
        model.generate_steps(temperature=-1)  # at once
    with pytest.raises(ConfigError, match=r"^seed=-1: expected a whole number from 0 on"):
        model.generate(1.0, seed=-1)
    with pytest.raises(ConfigError, match=r"^keep_levels=3: expected a whole number from 1 to 2"):
        model.vary(codes_of(model), 3)


def test_prompts_that_do_not_fit_are_refused(model: LoadedVQModel) -> None:
    codes = codes_of(model)
    with pytest.raises(CodesError, match=r"^codes of the model 'unnamed' \(00000000\); this model"):
        model.generate(1.0, prompt=replace(codes, made_by="0" * 64, model_name=""))
    with pytest.raises(CodesError, match=r"^codes of 2 of 3 levels: to go on from a sound all of"):
        model.generate(1.0, prompt=codes.first_levels(2))
    gap = codes.indices
    gap[1, 4] = -1
    with pytest.raises(CodesError, match=r"^codes with 1 places without a code \(-1\): a prior"):
        model.generate(1.0, prompt=codes.with_indices(gap))
    with pytest.raises(CodesError, match=r"^a str where codes were expected"):
        model.vary("codes")  # type: ignore[arg-type]


def test_a_model_without_a_prior_says_how_to_train_one(trained: TrainingResult) -> None:
    model = load_model_v2(trained.model_path)
    said = (
        "'trained' has no prior to make new sounds with; train one: distill train-prior "
        "model.distill FOLDER, in Python train_prior(model, sounds, run_folder)"
    )
    for make in (lambda: model.generate(1.0), lambda: model.prior):
        with pytest.raises(PriorError, match=re.escape(said)):
            make()
    assert not model.has_prior


def test_another_prior_of_the_same_settings_takes_the_place_of_the_first(
    model: LoadedVQModel,
) -> None:
    first, text = model.generate(0.5, seed=1), model.extra["prior"]
    codes = model.prior.sounds[0].codes
    other = untrained(model, codes, codes)
    with torch.no_grad():
        other.module.begin.add_(3.0)
    model.use_prior(other)
    assert model.extra["prior"] == text  # which says nothing of the weights
    assert torch.equal(model.prior.module.begin, other.module.begin)
    assert not torch.equal(model.generate(0.5, seed=1).indices, first.indices)
    model.other_tensors["prior.begin"] = model.other_tensors["prior.begin"] + 1.0
    assert torch.equal(model.prior.module.begin, other.module.begin + 1.0)


# --- in the file -----------------------------------------------------------------------------


def test_a_file_keeps_the_prior_however_often_it_is_saved(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    first = model.save(tmp_path / "a.distill")
    edit_metadata(first, name="Choir")
    again = load_model_v2(load_model_v2(first).save(tmp_path / "b.distill"))
    assert again.name == "Choir" and again.digest == model.digest
    expected = model.generate(0.5, seed=1).indices
    assert torch.equal(again.generate(0.5, seed=1).indices, expected)
    assert [sound.name for sound in again.prior.sounds] == ["take-0.wav", "take-1.wav"]
    assert all(
        torch.equal(one.codes, two.codes)
        for one, two in zip(again.prior.sounds, model.prior.sounds, strict=True)
    )
    info = read_model_info(first)
    assert info.has_prior and info.other_sections == ()


def test_a_prior_of_another_codec_is_refused_by_name(model: LoadedVQModel) -> None:
    prior = model.prior
    with torch.no_grad():
        next(model.model.decoder.parameters()).add_(1.0)
    said = (
        rf"^this prior was made for 'trained' \({prior.codec_digest[:8]}\), and this model is "
        rf"'trained' \({model.digest[:8]}\), whose codes mean something else; train one: "
    )
    for use in (lambda: model.prior, lambda: model.use_prior(prior)):
        with pytest.raises(PriorError, match=said):
            use()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: "{}",
            "^a.distill: its prior is of version None; this distill reads version 1",
        ),
        (lambda text: "[", "^.*its section 'prior' cannot be read"),
        (lambda text: text.replace('"levels":3', '"levels":2'), "levels=2: the model has 3"),
        (lambda text: text.replace('"width":16', '"width":17'), "are missing, or of another shape"),
        (lambda text: text.replace('"steps":[40]', '"steps":[41]', 1), r"not of shape \(81, 3\)"),
    ],
)
def test_a_section_that_is_damaged_is_refused(
    model: LoadedVQModel, tmp_path: Path, change: object, message: str
) -> None:
    path = model.save(tmp_path / "a.distill")
    header, tensors = read_container(path)
    changed = change(header.texts["prior"])  # type: ignore[operator]
    assert changed != header.texts["prior"]
    write_container(path, tensors, {**header.texts, "prior": changed})
    again = load_model_v2(path)  # the rest of the model is as it was
    with pytest.raises(ModelFileError, match=message):
        again.generate(1.0)


def test_codes_that_do_not_exist_and_weights_of_no_part_are_refused(
    model: LoadedVQModel, tmp_path: Path
) -> None:
    path = model.save(tmp_path / "a.distill")
    header, tensors = read_container(path)
    for change, message in (
        ({"prior.codes": tensors["prior.codes"] + 9}, "do not exist"),
        ({"prior.more": torch.zeros(2)}, "weights of no part of the prior"),
        ({"prior.begin": torch.full((16,), float("nan"))}, "holds NaN, Inf or numbers beyond"),
    ):
        write_container(path, {**tensors, **change}, header.texts)
        with pytest.raises(CorruptModelError, match=message):
            load_model_v2(path).generate(1.0)


def test_a_prior_is_put_into_the_file_of_its_model_and_no_other(
    model: LoadedVQModel, trained: TrainingResult, tmp_path: Path
) -> None:
    source = model.save(tmp_path / "run.distill")
    own = tmp_path / "own.distill"
    own.write_bytes(trained.model_path.read_bytes())
    before, weights = read_container(own)
    put_prior(own, source)
    after, tensors = read_container(own)
    assert all(torch.equal(tensors[name], weight) for name, weight in weights.items())
    said = {key: text for key, text in after.texts.items() if key not in ("prior", "checksum")}
    assert said.items() <= before.texts.items()
    assert load_model_v2(own).generate(0.2, seed=0).steps > 0
    put_prior(own, source)  # in place of the first
    with torch.no_grad():
        next(model.model.decoder.parameters()).add_(1.0)
    other = model.save(tmp_path / "other.distill")
    with pytest.raises(PriorError, match="is not the model any more whose codes"):
        put_prior(other, source)
    with pytest.raises(PriorError, match=r"^model\.distill: has no prior"):
        put_prior(own, trained.model_path)


def test_a_mistyped_setting_is_an_error_of_the_method(model: LoadedVQModel) -> None:
    codes = codes_of(model)
    with pytest.raises(TypeError, match=r"continue_sound\(\) got an unexpected keyword .*'prompt'"):
        model.continue_sound(codes, 0.1, prompt=codes)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"vary\(\) got an unexpected keyword argument 'heat'"):
        model.vary(codes, heat=1)  # type: ignore[call-arg]


def test_a_prior_says_in_a_line_what_it_is(model: LoadedVQModel) -> None:
    def said(*bits: float) -> str:
        rows = tuple(PriorHealth(n, "", 16, 80, value) for n, value in enumerate(bits))
        prior = replace(untrained(model, model.prior.sounds[0].codes), health=rows)
        return prior_fact(prior_section(prior)[0], model.digest)

    assert said() == "from 1 recording"
    assert said(3.0, 3.0, 3.0) == "9.0 of 12.0 bits a step, from 1 recording"
    worse = "12.3 of 12.0 bits a step (no better than guessing), from 1 recording"
    assert said(4.1, 4.1, 4.1) == worse


# --- copying ---------------------------------------------------------------------------------


def test_what_is_learned_from_one_sound_is_flagged_and_random_weights_are_not(
    trained: TrainingResult, corpus: AudioCorpus, tmp_path: Path
) -> None:
    model = load_model_v2(trained.model_path)
    longest = max(corpus.files, key=lambda file: file.seconds)
    config = tiny_prior(
        model, width=64, dropout=0.0, copies=0, max_steps=150, segment_steps=48,
        batch_size=8, validation_fraction=0.0, learning_rate=0.01, min_steps_per_epoch=50,
    )  # fmt: skip
    made = train_prior(model, longest.path, tmp_path / "run", config, "cpu").load()
    sound = made.generate(longest.seconds, seed=1, temperature=0)
    run = made.prior.shared_run(sound)
    assert run.is_copy and run.recording == longest.path.name
    itself = made.prior.shared_run(made.codes_of(made.prior.sounds[0].codes.T, 6000, 0.5))
    assert (itself.levels, itself.is_copy) == (3, True)
    for temperature in (0, 1.0):
        steered = made.generate(longest.seconds, seed=1, temperature=temperature, novelty=1)
        assert not made.prior.shared_run(steered).is_copy
    made.use_prior(untrained(made, made.prior.sounds[0].codes))
    for seed in range(3):
        random = made.generate(longest.seconds, seed=seed)
        assert not made.prior.shared_run(random).is_copy


def test_what_no_copies_can_be_told_of_is_refused(model: LoadedVQModel) -> None:
    codes = codes_of(model)
    assert str(model.prior.shared_run(codes)).startswith("no copy")
    for given, said in (
        (codes.indices.numpy(), "^a ndarray where codes were expected"),
        (
            codes.first_levels(2),
            "^codes of 2 levels × 16 entries: this prior knows 3 × 16, and",
        ),
        (replace(codes, codebook_size=17), "^codes of 3 levels × 17 entries: this prior knows"),
        (replace(codes, made_by="0" * 64), r"^codes of the model 'trained' \(00000000\); this"),
    ):
        with pytest.raises(CodesError, match=said):
            model.prior.shared_run(given)
