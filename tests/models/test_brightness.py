"""Brightness: measured as what it says, learned of recordings, asked of new sounds."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st

from distill import LoadedVQModel, PriorConfig, load_model_v2
from distill.audio.resampling import resample
from distill.audio.spectrogram import LogMel
from distill.config import SpectrogramConfig
from distill.config.conditions import ALL_CONDITIONS, BRIGHTNESS, CONDITIONS
from distill.errors import ConfigError, PriorError
from distill.models.prior.brightness import brightness_value, step_brightness
from distill.models.prior.conditions import learned_conditions, with_conditions
from distill.models.prior.drawing import Drawing
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import LENGTH_OF, LENGTHS, CodedSound
from distill.models.prior.stream import CodeStream
from distill.models.prior.wanted import Wanted, typed_brightness, wanted_of
from distill.models.use.recipe import read_recipe
from distill.training import TrainingResult
from distill.training.tasks.code_windows import CodeWindows
from tests.priors import random_codes, untrained

RATE, STRIDE = 48_000, 2
STEP = 512 * STRIDE
ONE_STEP = 0.25  # octaves
SPECTROGRAM = LogMel(SpectrogramConfig())


def tone(hz: float, seconds: float = 0.5, level: float = 0.4) -> torch.Tensor:
    return level * torch.sin(2 * math.pi * hz * torch.arange(round(seconds * RATE)) / RATE)


def inner(waveform: torch.Tensor) -> torch.Tensor:
    """Of steps that lie within the sound; at its ends a tone begins and ends at once."""
    return step_brightness(SPECTROGRAM, waveform, STRIDE, len(waveform) // STEP)[3:-3]


@settings(deadline=None, max_examples=25)
@given(st.floats(150.0, 4000.0), st.floats(1.5, 4.0), st.floats(0.05, 1.0))
def test_it_is_the_mean_frequency_of_each_step(one: float, ratio: float, share: float) -> None:
    """Of two tones by their levels; nearer to each other they would beat."""
    two = one * ratio
    both, mean = tone(one) * share + tone(two), (one * share + two) / (share + 1)
    for sound, hz in ((tone(one), one), (both, mean)):
        assert float((inner(sound) / hz).log2().abs().max()) < ONE_STEP


def test_it_moves_with_the_sound_and_nobody_knows_it_of_silence() -> None:
    dark, bright = tone(300.0), tone(4000.0)
    steps = len(dark) // STEP
    hz = step_brightness(
        SPECTROGRAM, torch.cat([dark, torch.zeros(10 * STEP), bright]), STRIDE, 2 * steps + 10
    )
    assert hz[3 : steps - 3].median() == pytest.approx(300, rel=0.1)
    assert hz[steps + 14 : -3].median() == pytest.approx(4000, rel=0.1)
    assert bool(hz[steps + 3 : steps + 7].isnan().all())
    assert brightness_value(hz)[steps + 5] == 0
    assert brightness_value(torch.tensor([1.0, 62.5, 16e3, 99e3])).tolist() == [1, 1, 33, 33]


@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000])
def test_at_other_rates_too(rate: int) -> None:
    spectrogram = LogMel(SpectrogramConfig.for_rate(rate))
    sound = torch.sin(2 * math.pi * 1000 * torch.arange(rate) / rate)
    hz = step_brightness(spectrogram, sound, 1, spectrogram.frames(rate))
    assert float((hz[8:-8] / 1000).log2().abs().max()) < ONE_STEP


def config_of(*conditions: str) -> PriorConfig:
    return PriorConfig(
        levels=1, codebook_size=8, code_dim=4, width=32, dropout=0.0, stride=STRIDE,
        conditions=conditions,
    )  # fmt: skip


def test_a_copy_at_another_speed_is_told_as_bright_as_it_is() -> None:
    sound, config = tone(900.0, 1.0), config_of(BRIGHTNESS)
    waveforms = [sound, *(resample(sound, LENGTH_OF, length) for length in LENGTHS), sound / 2]
    grids = tuple(torch.zeros(len(w) // STEP, 1) for w in waveforms)
    [known] = with_conditions(config, [CodedSound("a", grids)], [sound], [""])
    for told, waveform in zip(learned_conditions(config, [known]), waveforms, strict=True):
        measured = brightness_value(inner(waveform))
        assert int((told[3:-4, 0].long() - measured).abs().max()) <= 1
    assert learned_conditions(config, [CodedSound("a", grids)])[0].unique().tolist() == [0]


def test_a_prior_that_learned_it_draws_what_is_as_bright_as_was_asked() -> None:
    torch.manual_seed(0)
    config, sounds = config_of(BRIGHTNESS), []
    for number in range(24):
        is_bright = (torch.arange(12) >= number % 12) != (number % 2 == 0)
        hz = torch.where(is_bright, 4000.0, 300.0)
        sounds.append(CodedSound("a", (is_bright.long()[:, None],), brightness_hz=hz))
    prior = CodePrior(config)
    prior.use_codebooks(torch.randn(1, 8, 4))
    windows = CodeWindows(
        [sound.codes for sound in sounds], steps=12, batch_size=32,
        conditions=learned_conditions(config, sounds),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(prior.parameters(), lr=0.01)
    for _ in range(120):
        codes, told = windows.batch_with_conditions()
        logits, _ = prior(codes, told)
        target = codes[:, 1:, 0].flatten()
        F.cross_entropy(logits[0].flatten(0, 1), target, ignore_index=-1).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    prior.eval()

    def drawn(*asked: float) -> list[int]:
        wanted = wanted_of(config, sounds, brightness=asked, steps=10)
        stream = CodeStream(prior, Drawing(temperature=0.3), 1, wanted=wanted)
        return [stream.next()[0] for _ in range(10)]

    assert sum(drawn(4000.0)) >= 8 and sum(drawn(300.0)) <= 2
    rising, falling = drawn(300.0, 4000.0), drawn(4000.0, 300.0)
    assert sum(rising[:4]) < sum(rising[6:]) and sum(falling[:4]) > sum(falling[6:])


def test_between_levels_it_moves_evenly_in_octaves() -> None:
    wanted = Wanted((BRIGHTNESS,), steps=5, brightness_hz=(250.0, 4000.0))
    assert [wanted.values(step, 0, 0)[0] for step in range(5)] == [9, 13, 17, 21, 25]
    assert wanted.asks and not wanted.unasked.asks


# --- in use ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior of random weights that can be told of all."""
    made = load_model_v2(trained.model_path)
    prior = untrained(
        made, random_codes(made).indices.T, conditions=ALL_CONDITIONS, classes=("bell", "kick")
    )
    for column in prior.module.told.columns:
        torch.nn.init.normal_(column.weight)  # type: ignore[arg-type]
    made.use_prior(prior)
    return made


def test_what_is_asked_changes_what_is_drawn_wherever_it_can_be_asked(model: LoadedVQModel) -> None:
    codes = random_codes(model)
    for make in (
        lambda **asked: model.generate(0.4, seed=1, **asked),
        lambda **asked: model.continue_sound(codes, 0.4, seed=1, **asked),
        lambda **asked: model.vary(codes, seed=1, **asked),
        lambda **asked: model.fill(codes, 0.1, 0.3, seed=1, draws=2, **asked),
        lambda **asked: model.loop(0.3, seed=1, places=3, **asked),
    ):
        free, dark, bright = make(), make(brightness=100), make(brightness=[8000.0])
        again = make(brightness=8000)
        assert torch.equal(bright.indices, again.indices)
        assert not torch.equal(dark.indices, bright.indices)
        assert not torch.equal(free.indices, bright.indices)


def test_its_file_and_recipe_keep_it(model: LoadedVQModel, tmp_path: Path) -> None:
    again = load_model_v2(model.save(tmp_path / "a.distill"))
    assert again.prior.config.conditions == ALL_CONDITIONS
    one, two = tmp_path / "one.wav", tmp_path / "two.wav"
    again.generate_file(one, 0.4, seed=4, brightness=[250, 4000], classes="kick")
    assert read_recipe(one).brightness == [250.0, 4000.0]
    model.remake_file(one, two)
    assert one.read_bytes() == two.read_bytes()


def test_priors_without_it_are_written_as_they_were_and_say_how_to_train_one(
    model: LoadedVQModel, trained: TrainingResult, tmp_path: Path
) -> None:
    earlier = load_model_v2(trained.model_path)
    earlier.use_prior(
        untrained(
            earlier, random_codes(earlier).indices.T, conditions=CONDITIONS, classes=("a", "b")
        )
    )
    section = json.loads(earlier.extra["prior"])
    assert section["version"] == 2 and section["config"]["conditions"] == list(CONDITIONS)
    assert len(earlier.prior.module.told.columns) == 4
    path = tmp_path / "one.wav"
    earlier.generate_file(path, 0.2, seed=1, loudness=-20)
    assert "brightness" not in str(read_recipe(path))
    said = r"without the condition 'brightness'.*--conditions class,loudness,position,brightness"
    with pytest.raises(PriorError, match=said):
        earlier.generate(0.2, brightness=900)
    assert json.loads(model.extra["prior"])["config"]["conditions"] == list(ALL_CONDITIONS)


@pytest.mark.parametrize("wrong", ["bright", 20.0, 99_000, [], [900, float("nan")], [900] * 33, -1])
def test_what_is_no_brightness_is_refused(model: LoadedVQModel, wrong: object) -> None:
    with pytest.raises(
        ConfigError, match=r"^brightness=.*: expected a mean frequency from 62\.5 t"
    ):
        model.generate(0.2, brightness=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^brightness: several levels are spread over a sound"):
        model.loop(0.3, brightness=[500, 900])
    with pytest.raises(
        ConfigError, match=r"^brightness='x': expected frequencies in Hz with commas"
    ):
        typed_brightness("x")
    assert typed_brightness("500, 4e3") == [500.0, 4000.0]


def test_who_learns_without_it_learns_as_before() -> None:
    config = config_of(*CONDITIONS[1:])
    torch.manual_seed(0)
    one = CodePrior(config).state_dict()
    sound = CodedSound("a", (torch.zeros(9, 1),), loudness_db=torch.zeros(9))
    bright = replace(sound, brightness_hz=torch.full((9,), 900.0))
    rows, others = (learned_conditions(config, [x])[0] for x in (sound, bright))
    assert torch.equal(rows, others) and rows.shape == (10, 3)
    assert not any("columns.3" in name for name in one)
