"""Generator: pads of new sounds; played, kept, discarded, made others of, undone, exported."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from distill import LoadedVQModel, TrainingRunner, load_model, read_audio, train_prior
from distill.audio.io import is_reconstruction
from distill.config.conditions import BRIGHTNESS, CONDITIONS
from distill.errors import (
    ConfigError,
    ModelTypeError,
    OutputExistsError,
    PartError,
    PriorError,
    RunFolderError,
)
from distill.models.prior.sounds import CodedSound
from distill.training import TrainingResult
from distill_widgets import Generator
from distill_widgets.inside import pad_source
from distill_widgets.inside.pad_board import MOST_PADS
from distill_widgets.inside.pad_files import stem_of
from tests.priors import tiny_prior, untrained
from tests.widgets.node_page import say


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    """A model with a prior that has learned nothing, of two recordings."""
    made = load_model(trained.model_path)
    assert isinstance(made, LoadedVQModel)
    random = torch.Generator().manual_seed(3)
    grids = [torch.randint(0, 16, (40, 3), generator=random) for _ in range(2)]
    made.use_prior(untrained(made, *grids))
    return made


@pytest.fixture
def pads(model):
    made = Generator(model, count=2, seconds=0.3, seed=5)
    yield made
    made.close()


def press(pads: Generator, kind: str, number: object) -> dict[str, object]:
    """What a page receives that pressed a button of a pad."""
    key = json.dumps({"act": f"{kind}-{number}-{len(pads.player.comm.sent)}", "number": number})
    say(pads.player, {"type": kind, "key": key, "client": "page"})
    return pads.player.comm.custom[-1][0]


def facts(pads: Generator, number: int) -> dict[str, object]:
    [found] = [row["pad"] for row in pads.player.rows if row["pad"]["number"] == number]
    return found


def test_it_begins_with_sounds_of_seeds_in_a_row(pads, model):
    assert pads.numbers == (2, 1) and pads.settings.seed.value == "6"
    for number, seed in ((1, 5), (2, 6)):
        wanted = model.generate(0.3, seed=seed)
        assert torch.equal(pads.codes(number).indices, wanted.indices)
        heard, rate = pads._board.sound(str(number))
        assert rate == model.sample_rate
        assert heard == pytest.approx(model.decode(wanted)[0].numpy(), abs=1e-5)
    assert pads.buttons[1].disabled and pads.buttons[2].disabled


def test_a_new_sound_has_a_seed_that_is_shown_and_gives_it_again(pads):
    pads.buttons[0].click()
    assert pads.numbers == (3, 2, 1)
    seed = pads.settings.seed.value
    pads.settings.seed.value = "5"
    assert torch.equal(pads.codes(4).indices, pads.codes(1).indices)
    pads.settings.seed.value = seed
    assert torch.equal(pads.codes(5).indices, pads.codes(3).indices)
    assert f"seed {seed}" in facts(pads, 5)["about"]


def pieces(pads: Generator, number: int) -> list[np.ndarray]:
    """What pages have received of a sound while it was drawn."""
    sent = [
        (message["place"], message["rate"], np.frombuffer(buffers[0], np.float32))
        for message, buffers in pads.player.comm.custom
        if message["type"] == "piece" and message["number"] == number
    ]
    rate = pads._board.model.sample_rate
    assert [(place, at) for place, at, _ in sent] == [(n, rate) for n in range(len(sent))]
    return [samples for *_, samples in sent]


def test_a_sound_is_heard_while_it_is_drawn(pads):
    shown = []
    pads.player.observe(lambda change: shown.append(change["new"][0]["pad"]), "rows")
    pads.settings.seconds.value = 3.0
    for kind, number in (("", 3), ("vary", 4), ("extend", 5), ("alike", 6)):
        if kind:
            assert "error" not in press(pads, kind, 3)
        else:
            pads.buttons[0].click()
        heard = pieces(pads, number)
        assert len(heard) > 1
        assert sum(map(len, heard)) == pads.codes(number).samples
        assert [(p["number"], p["drawn"]) for p in shown] == [(number, False), (number, True)]
        assert shown[0]["about"] == shown[1]["about"]
        shown.clear()
    assert not pieces(pads, 1) and not pieces(pads, 2)  # no page was there yet


def test_a_sound_that_is_broken_off_leaves_nothing(pads, monkeypatch):
    def broken(*_args):
        raise KeyboardInterrupt

    pads.settings.seconds.value = 3.0
    monkeypatch.setattr(pads.player, "send_piece", broken)
    with pytest.raises(KeyboardInterrupt):
        pads.new()
    assert pads.numbers == (2, 1)
    assert [row["pad"]["number"] for row in pads.player.rows] == [2, 1]
    monkeypatch.undo()
    assert pieces(pads, pads.new())


def test_temperature_0_takes_the_likeliest(pads):
    pads.settings.temperature.value = 0.0
    one, two = pads.codes(pads.new()), pads.codes(pads.new())
    assert torch.equal(one.indices, two.indices)


def test_novelty_is_asked_of_the_model(pads, model):
    pads.settings.novelty.value = 1.0
    number = pads.new(seed=5)
    wanted = model.generate(3.0, seed=5, novelty=1.0)
    steps = min(wanted.steps, pads.codes(number).steps)
    assert torch.equal(pads.codes(number).indices[:, :steps], wanted.indices[:, :steps])
    assert "novelty 1" in facts(pads, number)["about"]


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", "9" * 30, "<b>"])
def test_a_seed_that_is_none_is_said_where_it_was_typed(pads, typed):
    pads.settings.seed.value = typed
    assert pads.says.tone == "bad" and "expected a whole number" in pads.says.text
    assert pads.numbers == (2, 1) and pads.settings.seed.value == "6"


def test_others_are_made_of_a_sound(pads):
    first = pads.codes(1)
    for kind in ("vary", "extend", "alike"):
        assert "error" not in press(pads, kind, 1)
    varied, longer, alike = (pads.codes(number) for number in (3, 4, 5))
    assert torch.equal(varied.indices[0], first.indices[0])
    assert not torch.equal(varied.indices, first.indices)
    whole = first.samples // 1024  # the last step is half one
    assert torch.equal(longer.indices[:, :whole], first.indices[:, :whole])
    assert longer.seconds == pytest.approx(2 * 0.3, abs=0.03)
    begins = round(first.steps / 3)
    assert torch.equal(alike.indices[:, :begins], first.indices[:, :begins])
    assert not torch.equal(alike.indices, first.indices)
    assert alike.seconds == pytest.approx(first.seconds, abs=0.03)
    assert "begins as sound 1" in facts(pads, 5)["about"]


def ask(pads: Generator, kind: str, **asked: object) -> dict[str, object]:
    """What a page receives that asked for more than the number of a sound."""
    key = json.dumps({"act": f"{kind}-{len(pads.player.comm.sent)}", **asked})
    say(pads.player, {"type": kind, "key": key, "client": "page"})
    return pads.player.comm.custom[-1][0]


def test_a_gap_is_filled_between_two_moments(pads, model, tmp_path):
    first = pads.codes(1)
    assert "error" not in ask(pads, "fill", number=1, from_s=0.1, to_s=0.2)
    filled, seed = pads.codes(3), pads._board.pad(3).asked.seed
    begin, end = model.gap_steps(first, 0.1, 0.2)
    assert torch.equal(filled.indices[:, :begin], first.indices[:, :begin])
    assert torch.equal(filled.indices[:, end:], first.indices[:, end:])
    assert not torch.equal(filled.indices, first.indices)
    assert torch.equal(filled.indices, model.fill(first, 0.1, 0.2, seed=seed).indices)
    assert "sound 1, new from 0.09 to 0.21 s" in facts(pads, 3)["about"]
    [heard] = pieces(pads, 3)  # once its end is chosen
    assert heard == pytest.approx(model.decode(filled)[0].numpy(), abs=1e-5)
    pads.keep(3)
    [path] = pads.export(tmp_path)
    assert model.remake(path)[0] == pytest.approx(model.decode(filled)[0], abs=1e-5)
    pads.undo()
    pads.undo()
    assert pads.numbers == (2, 1)


@pytest.mark.parametrize(
    "moments",
    [(0.2, 0.1), (0.1, 0.1), (-1, 0.2), (0.1, 99), (None, 0.1), ("<b>", [1])],
)
def test_moments_between_which_there_is_no_gap_are_refused(pads, moments):
    from_s, to_s = moments
    said = str(ask(pads, "fill", number=1, from_s=from_s, to_s=to_s)["error"])
    assert "expected two moments within the 0.30 s of this sound" in said
    assert pads.numbers == (2, 1)
    with pytest.raises(ConfigError, match="the earlier one first"):
        pads.fill(1, from_s, to_s)


def test_a_loop_goes_on_from_a_sound_and_is_exported_without_a_seam(pads, model, tmp_path):
    pads.settings.seconds.value = 0.5
    assert "error" not in press(pads, "loop", 1)
    codes, seed = pads.codes(3), pads._board.pad(3).asked.seed
    wanted = model.loop(0.5, prompt=pads.codes(1), seed=seed)
    assert torch.equal(codes.indices, wanted.indices)
    assert torch.equal(codes.indices[:, 0], codes.indices[:, -1])
    assert facts(pads, 3)["loops"] and not facts(pads, 1)["loops"]
    assert "a loop that goes on from sound 1" in facts(pads, 3)["about"]
    sound = model.decode_loop(codes)[0]
    [heard] = pieces(pads, 3)
    assert heard == pytest.approx(sound.numpy(), abs=1e-5)
    assert pads._board.sound("3")[0] == pytest.approx(sound.numpy(), abs=1e-5)
    pads.keep(3)
    [path] = pads.export(tmp_path)
    assert read_audio(path)[0] == pytest.approx(sound, abs=1e-3)
    assert model.remake(path)[0] == pytest.approx(sound, abs=1e-5)
    assert "error" not in press(pads, "vary", 3)  # others can be made of it
    assert "error" not in press(pads, "extend", 3)
    for _ in range(4):
        pads.undo()
    assert pads.numbers == (2, 1)


def test_a_loop_of_several_levels_is_refused_with_what_to_do(model):
    told = load_model(model.path)
    grids = [sound.codes for sound in model.prior.sounds]
    told.use_prior(untrained(told, *grids, conditions=("loudness",)))
    pads = Generator(told, count=1, seconds=0.3, loudness=[-20, 0])
    assert "name one level" in str(press(pads, "loop", 1)["error"])
    assert "error" not in ask(pads, "fill", number=1, from_s=0.1, to_s=0.2)
    pads.settings.loudness.value = "-20"
    assert "error" not in press(pads, "loop", 1)
    pads.close()


def test_what_was_done_can_be_undone_a_step_at_a_time(pads):
    press(pads, "keep", 1)
    press(pads, "discard", 2)
    pads.buttons[0].click()
    assert pads.numbers == (3, 1) and facts(pads, 1)["kept"]
    undo = pads.buttons[1]
    undo.click()
    assert pads.numbers == (1,)
    undo.click()
    assert pads.numbers == (2, 1) and facts(pads, 1)["kept"]
    undo.click()
    undo.click()
    assert pads.numbers == (2, 1) and not facts(pads, 1)["kept"] and undo.disabled


def test_kept_sounds_are_exported_to_new_files_with_their_recipe(pads, model, tmp_path):
    pads.keep(1)
    pads.keep(pads.vary(1))
    assert [codes.indices.tolist() for codes in pads.kept] == [
        pads.codes(number).indices.tolist() for number in (1, 3)
    ]
    folder = tmp_path / "new"
    pads.folder_field.value = str(folder)
    pads.buttons[2].click()
    assert pads.says.tone == "good" and "2 sounds" in pads.says.text
    first, second = sorted(folder.iterdir())
    assert is_reconstruction(first) and is_reconstruction(second)
    for number, path in ((1, first), (3, second)):
        remade, _ = model.remake(path)
        assert remade == pytest.approx(model.decode(pads.codes(number))[0], abs=1e-5)
    before = first.read_bytes(), second.read_bytes()
    assert pads.export(folder) == [first, second]  # not written twice
    other = Generator(model, count=1, seconds=0.3, seed=9)
    other.keep(1)
    [beside] = other.export(folder)  # the same name: never over a file
    assert beside not in (first, second)
    assert (first.read_bytes(), second.read_bytes()) == before
    other.close()


def test_an_export_that_cannot_be_is_said(pads, tmp_path):
    with pytest.raises(PartError, match="no sound is kept"):
        pads.export(tmp_path)
    pads.keep(2)
    with pytest.raises(OutputExistsError, match="an empty path"):
        pads.export(" ")
    (tmp_path / "file").write_text("mine")
    pads.folder_field.value = str(tmp_path / "file")
    pads.buttons[2].click()
    assert pads.says.tone == "bad" and "name another one" in pads.says.text


def test_a_copy_of_a_recording_is_said_to_be_one(model):
    pads = Generator(model, count=1, seconds=0.3, seed=5)
    codes = pads.codes(1)
    assert not facts(pads, 1)["is_copy"]
    pads.close()
    learned = CodedSound("door.wav", (codes.indices.T.contiguous(),))
    mine = load_model(model.path)
    mine.use_prior(replace(model.prior, sounds=(learned,)))
    pads = Generator(mine, count=1, seconds=0.3, seed=5)
    said = facts(pads, 1)
    assert said["is_copy"] and "door.wav" in said["copied"] and said["shared_s"] > 0.2
    assert "a copy" in repr(pads) and "door.wav" in pads.saved_html()
    pads.close()


def test_a_class_and_a_loudness_are_asked_of_a_prior_that_knows_them(model, tmp_path):
    told = load_model(model.path)
    grids = [sound.codes for sound in model.prior.sounds]
    prior = untrained(told, *grids, conditions=CONDITIONS, classes=("<b>kick", "bell"))
    for column in prior.module.told.columns:
        torch.nn.init.normal_(column.weight)
    told.use_prior(prior)
    pads = Generator(told, count=1, seconds=0.3, seed=5, classes="bell", loudness=[-20, 0])
    wanted = told.generate(0.3, seed=5, classes="bell", loudness=[-20, 0])
    assert torch.equal(pads.codes(1).indices, wanted.indices)
    assert "class bell · -20, 0 dB" in facts(pads, 1)["about"]
    assert {"Class", "Loudness in dB"} <= {field.description for field in pads.settings.fields}
    pads.settings.kind.value, pads.settings.loudness.value = "<b>kick", ""
    number = pads.new(seed=5)
    wanted = told.generate(0.3, seed=5, classes="<b>kick")
    assert torch.equal(pads.codes(number).indices, wanted.indices)
    assert "<b>" not in pads.saved_html()
    pads.keep(1)
    [path] = pads.export(tmp_path)
    assert told.remake(path)[0] == pytest.approx(told.decode(pads.codes(1))[0], abs=1e-5)
    pads.settings.loudness.value = "loud"
    pads.buttons[0].click()
    assert pads.says.tone == "bad" and "expected levels in dB" in pads.says.text
    pads.close()
    with pytest.raises(ConfigError, match=r"loudness=\(20,\): expected a level"):
        Generator(told, count=0, loudness=20)
    with pytest.raises(ConfigError, match="class drum: no such class"):
        Generator(told, count=0, classes="drum")


def test_a_brightness_is_asked_of_a_prior_that_knows_it(model):
    told = load_model(model.path)
    grids = [sound.codes for sound in model.prior.sounds]
    prior = untrained(told, *grids, conditions=(BRIGHTNESS,))
    for column in prior.module.told.columns:
        torch.nn.init.normal_(column.weight)
    told.use_prior(prior)
    pads = Generator(told, count=1, seconds=0.3, seed=5, brightness=[500, 4000])
    wanted = told.generate(0.3, seed=5, brightness=[500, 4000])
    assert torch.equal(pads.codes(1).indices, wanted.indices)
    assert "500, 4000 Hz" in facts(pads, 1)["about"]
    assert "Brightness in Hz" in {field.description for field in pads.settings.fields}
    pads.settings.brightness.value = "900"
    number = pads.new(seed=5)
    assert torch.equal(
        pads.codes(number).indices, told.generate(0.3, seed=5, brightness=900).indices
    )
    pads.settings.brightness.value = "bright"
    pads.buttons[0].click()
    assert pads.says.tone == "bad" and "expected frequencies in Hz" in pads.says.text
    pads.close()
    with pytest.raises(PriorError, match="trained without the condition 'brightness'"):
        Generator(model, count=0, brightness=900)


def test_of_a_prior_that_knows_neither_nobody_asks_them(pads, model):
    assert "Class" not in {field.description for field in pads.settings.fields}
    assert (pads.settings.kind, pads.settings.loudness, pads.settings.brightness) == (None,) * 3
    with pytest.raises(PriorError, match="trained without the condition 'class'"):
        Generator(model, count=0, classes="kick")


def test_codes_are_shown_one_sound_at_a_time(pads):
    press(pads, "show", 1)
    [first] = pads.grid.children
    assert first.name == "sound 1" and torch.equal(first.codes.indices, pads.codes(1).indices)
    press(pads, "show", 2)
    [second] = pads.grid.children
    assert second.name == "sound 2" and first.comm is None


@pytest.mark.parametrize("number", [7, 0, -1, "1", None, [1], "<b>"])
def test_a_number_that_no_page_knows_is_refused(pads, number):
    for kind in ("keep", "discard", "vary", "extend", "alike", "show", "fill", "loop"):
        assert "not on the board" in str(press(pads, kind, number)["error"])
    with pytest.raises(PartError, match="not on the board"):
        pads._board.sound(f"{number}x")
    assert pads.numbers == (2, 1)


def test_the_oldest_that_nobody_keeps_make_room(model):
    pads = Generator(model, count=MOST_PADS, seconds=0.05, seed=1)
    pads.keep(1)
    pads.new()
    assert 2 not in pads.numbers and {1, MOST_PADS + 1} <= set(pads.numbers)
    pads.undo()
    assert 2 in pads.numbers
    for number in pads.numbers:
        pads.keep(number, kept=True)
    pads.buttons[0].click()
    assert pads.says.tone == "bad" and "all are kept" in pads.says.text
    assert len(pads.numbers) == MOST_PADS
    pads.close()


@pytest.mark.parametrize(
    "wrong",
    [{"count": -1}, {"count": 25}, {"count": 1.5}, {"seconds": 0}, {"seconds": 61.0},
     {"seconds": float("nan")}, {"seed": -1}, {"temperature": -1.0}, {"temperature": "hot"},
     {"novelty": 2.0}],
)  # fmt: skip
def test_settings_out_of_their_range_are_refused(model, wrong):
    with pytest.raises(ConfigError):
        Generator(model, **{"count": 0, **wrong})


def test_a_sound_grows_no_longer_than_a_page_takes(model):
    pads = Generator(model, count=1, seconds=0.1, seed=1)
    pads.settings.seconds.value = 60.0
    with pytest.raises(ConfigError, match="pads hold up to 60"):
        pads.extend(1)
    pads.close()


def test_models_that_make_no_sounds_say_what_is_needed(trained, trained_vae):
    with pytest.raises(PriorError, match=r"train one: distill train-prior model\.distill FOLDER"):
        Generator(load_model(trained.model_path))
    with pytest.raises(ModelTypeError, match="Generator"):
        Generator(load_model(trained_vae.model_path))


def test_sounds_and_outlines_are_answered_by_number(pads):
    say(pads.player, {"type": "sound", "key": "1", "client": "page"})
    message, [wav] = pads.player.comm.custom[-1]
    assert message["key"] == "1" and wav[:4] == b"RIFF"
    assert len(np.frombuffer(wav[44:], np.int16)) >= 0.3 * pads._board.model.sample_rate


def test_it_ends_with_all_its_parts(model):
    pads = Generator(model, count=1, seconds=0.1)
    view = pads.show_codes(1)
    pads.close()
    assert pads.comm is None and pads.player.comm is None and view.comm is None


def test_a_name_of_any_signs_gives_a_file():
    assert stem_of("../<b>|über:\n") == "b-über" and stem_of("/..") == "sound"


# --- a run that learns a prior ----------------------------------------------------------------


@pytest.fixture
def learning(trained, corpus, tmp_path):
    """A runner that learns a prior until the test is over, in a thread."""
    codec = load_model(trained.model_path)
    runner = TrainingRunner("thread")
    config = tiny_prior(codec, max_steps=1_000_000)
    runner.start_prior(codec, corpus, tmp_path / "run", config, "cpu")
    until(lambda: runner.history.step_count > 2)
    yield runner
    if runner.is_running:
        runner.stop(now=True)
        runner.wait(60)
    runner.close()


def until(condition):
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def step_of(pads: Generator, number: int) -> int:
    """Of the weights that a pad says it was drawn by."""
    said = re.search(r"weights after step ([\d,]+)$", str(facts(pads, number)["about"]))
    assert said is not None
    return int(said[1].replace(",", ""))


def test_sounds_of_a_run_are_drawn_by_the_weights_of_their_moment(learning, tmp_path):
    pads = Generator(learning, count=2, seconds=0.3, seed=5)
    assert pads.numbers == (2, 1) and step_of(pads, 1) == step_of(pads, 2) >= 2
    before = learning.history.step_count
    until(lambda: learning.history.step_count > before + 5)
    pads.buttons[0].click()
    assert step_of(pads, 3) > step_of(pads, 1)
    assert "error" not in press(pads, "vary", 1)
    assert step_of(pads, 4) >= step_of(pads, 3)
    assert torch.equal(pads.codes(4).indices[0], pads.codes(1).indices[0])
    learning.stop()
    learning.wait(60)
    pads.buttons[0].click()
    best = learning.history.best.epoch + 1
    assert f"kept weights of epoch {best}: the run is stopped" in facts(pads, 5)["about"]
    seed = int(pads.settings.seed.value)
    kept = learning.result.load().generate(0.3, seed=seed)
    assert torch.equal(pads.codes(5).indices, kept.indices)
    pads.keep(1)
    [file] = pads.export(tmp_path / "new")
    assert is_reconstruction(file)
    pads.close()


def test_what_a_run_keeps_is_read_once(trained, corpus, tmp_path, monkeypatch):
    codec = load_model(trained.model_path)
    config = tiny_prior(codec, max_steps=4)
    run = train_prior(codec, corpus, tmp_path / "run", config, "cpu").model_path.parent
    runner = TrainingRunner.attach(run)
    asked, present = [], pad_source.present_weights
    monkeypatch.setattr(
        pad_source, "present_weights", lambda folder: asked.append(1) or present(folder)
    )
    pads = Generator(runner, count=1, seconds=0.1)
    pads.new()
    assert "the run is finished" in facts(pads, 2)["about"] and len(asked) == 1
    os.utime(run / "model.distill", (1, 1))  # it has learned on meanwhile
    pads.new()
    assert len(asked) == 2
    pads.close()
    runner.close()


def test_pads_stay_with_their_run_whatever_the_runner_begins_next(trained, corpus, tmp_path):
    codec = load_model(trained.model_path)
    config = tiny_prior(codec, max_steps=4)
    first = train_prior(codec, corpus, tmp_path / "first", config, "cpu")
    runner = TrainingRunner(backend="thread")
    runner.start_prior(codec, corpus, tmp_path / "run", config, "cpu")
    runner.wait(progress=False)
    pads = Generator(runner, count=1, seconds=0.1, seed=1)
    other = tiny_prior(codec, max_steps=9, seed=5)
    runner.start_prior(codec, corpus, tmp_path / "other", other, "cpu")
    runner.wait(progress=False)
    pads.new()
    seed = int(pads.settings.seed.value)
    own = first.load().generate(0.1, seed=seed)  # the same settings, the same weights
    assert torch.equal(pads.codes(2).indices, own.indices)
    pads.close()
    runner.close()


def test_a_run_that_has_no_weights_yet_says_so_and_can_be_asked_again(learning, monkeypatch):
    def none_yet(_self):
        raise RunFolderError("the run is starting, and no weights are kept yet: try again")

    with monkeypatch.context() as patch:
        patch.setattr(pad_source, "present_weights", none_yet)
        pads = Generator(learning, count=2, seconds=0.3)
        assert pads.numbers == () and "no weights are kept yet" in pads.says.text
        pads.buttons[0].click()
        assert pads.numbers == () and pads.says.tone == "bad"
        with pytest.raises(ConfigError, match="count=-1"):
            Generator(learning, count=-1)
    pads.buttons[0].click()
    assert pads.numbers == (1,) and step_of(pads, 1) > 0
    pads.close()


def test_runners_that_learn_no_prior_are_refused(trained):
    with pytest.raises(RunFolderError, match=r"no run yet: begin one with runner\.start_prior"):
        Generator(TrainingRunner())
    runner = TrainingRunner.attach(trained.model_path.parent)
    with pytest.raises(ModelTypeError, match="trains RVQ-VAE, no prior, and makes no new sounds"):
        Generator(runner)
    runner.close()
