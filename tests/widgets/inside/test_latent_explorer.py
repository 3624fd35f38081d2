"""LatentExplorer: sliders named by what they do; heard on release; undo, seeds and new files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from distill import LoadedVAE, load_model, read_audio
from distill.analysis.latent.directions import principal_directions
from distill.audio.io import is_reconstruction
from distill.errors import ConfigError, LatentsError, OutputExistsError, PartError
from distill.training import TrainingResult
from distill_widgets import LatentExplorer


@pytest.fixture(scope="module")
def vae(trained_vae: TrainingResult) -> LoadedVAE:
    loaded = load_model(trained_vae.model_path)
    assert isinstance(loaded, LoadedVAE)
    return loaded


@pytest.fixture(scope="module")
def directions(vae: LoadedVAE) -> tuple[object, ...]:
    return tuple(principal_directions(vae, 3))


@pytest.fixture
def explorer(vae, directions, corpus):
    made = LatentExplorer(vae, corpus.files[0].path, directions=directions)
    yield made
    made.close()


def heard(explorer: LatentExplorer, side: int = 1) -> np.ndarray:
    [stage], [row] = explorer.player.stages, explorer.player.rows
    return explorer._walk.sound(row["keys"][side].replace("{stage}", stage["key"]))[0]


def test_each_slider_is_named_by_what_was_measured(explorer, directions):
    assert [slider.description for slider in explorer.sliders] == [d.name for d in directions]
    for slider in explorer.sliders:  # ipywidgets 7 calls it otherwise
        hint = slider.tooltip if slider.has_trait("tooltip") else slider.description_tooltip
        assert "one standard deviation" in hint
    assert not any(slider.continuous_update for slider in explorer.sliders)
    for direction in directions:
        assert direction.name in repr(explorer) and direction.name in explorer.saved_html()


def test_a_slider_that_is_let_go_of_moves_the_sound_and_is_heard(explorer, vae, directions):
    before, plays = heard(explorer), explorer.player.plays
    explorer.sliders[0].value = 2.0
    assert explorer.amounts == (2.0, 0.0, 0.0)
    assert explorer.player.plays == plays + 1
    moved = directions[0].moved(explorer._walk._sound.latents, 2.0)
    assert heard(explorer) == pytest.approx(vae.decode(moved)[0].numpy())
    assert not np.allclose(heard(explorer), before)


def test_the_first_side_is_the_recording(explorer, corpus):
    waveform, _ = read_audio(corpus.files[0].path)
    assert heard(explorer, 0) == pytest.approx(waveform.numpy())


def test_undo_goes_back_a_step_at_a_time_and_no_further(explorer):
    undo = explorer.buttons[0]
    assert undo.disabled
    explorer.sliders[0].value = 1.0
    explorer.sliders[1].value = -1.0
    undo.click()
    assert explorer.amounts == (1.0, 0.0, 0.0) and explorer.sliders[1].value == 0.0
    undo.click()
    undo.click()
    assert explorer.amounts == (0.0, 0.0, 0.0) and undo.disabled


def test_a_seed_leads_to_the_same_sound_again(explorer):
    explorer.buttons[1].click()
    seed, amounts = explorer.seed, explorer.amounts
    assert explorer.seed_field.value == str(seed) and any(amounts)
    explorer.buttons[0].click()
    explorer.seed_field.value = str(seed)
    assert (explorer.seed, explorer.amounts) == (seed, amounts)


def test_without_a_sound_each_seed_is_a_new_one(vae, directions):
    explorer = LatentExplorer(vae, directions=directions, seconds=0.5)
    first = heard(explorer)
    explorer.seed_field.value = "7"
    assert explorer.seed == 7 and explorer.amounts == (0.0, 0.0, 0.0)
    assert len(heard(explorer)) == len(first) and not np.allclose(heard(explorer), first)
    explorer.close()


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", str(2**32), "<b>"])
def test_a_seed_that_is_none_is_said_where_it_was_typed(explorer, typed):
    before = explorer.seed
    explorer.seed_field.value = typed
    assert explorer.says.tone == "bad" and "expected a whole number" in explorer.says.text
    assert explorer.seed == before and explorer.seed_field.value == str(before)


def test_saving_makes_a_new_file_and_never_writes_over_one(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer.sliders[0].value = 1.5
    explorer.file_field.value = "mine"
    explorer.buttons[2].click()
    saved = tmp_path / "mine.wav"
    assert explorer.says.tone == "good" and saved.is_file() and is_reconstruction(saved)
    data = saved.read_bytes()
    explorer.file_field.value = "mine.wav"
    explorer.buttons[2].click()
    assert explorer.says.tone == "bad" and "exists already" in explorer.says.text
    assert saved.read_bytes() == data
    with pytest.raises(OutputExistsError, match="an empty path"):
        explorer.save(" ")


@pytest.mark.parametrize("amounts", [[], [1.0], [4.0, 0, 0], [float("nan"), 0, 0], "abc", None])
def test_amounts_that_are_none_change_nothing(explorer, amounts):
    with pytest.raises(ConfigError):
        explorer.move(amounts)
    assert explorer.amounts == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("key", ["", "moved/", "moved/x/0,0,0", "moved/0/9,0,0", "other/0/0,0,0"])
def test_keys_that_no_page_knows_are_refused(explorer, key):
    with pytest.raises(PartError, match="no such sound"):
        explorer._walk.sound(key)


def test_what_is_no_sound_or_of_another_model_is_refused(vae, directions):
    with pytest.raises(LatentsError, match="expected"):
        LatentExplorer(vae, 3, directions=directions)
    with pytest.raises(ConfigError, match="no directions"):
        LatentExplorer(vae, directions=[])


def test_it_ends_with_all_its_parts(vae, directions, corpus):
    explorer = LatentExplorer(vae, corpus.files[0].path, directions=directions)
    player = explorer.player
    explorer.close()
    assert explorer.comm is None and player.comm is None


def test_a_file_is_named_as_text(vae, directions, corpus, tmp_path: Path):
    odd = tmp_path / "<img src=x onerror=alert(1)>.wav"
    odd.write_bytes(corpus.files[0].path.read_bytes())
    explorer = LatentExplorer(vae, odd, directions=directions)
    assert "<img" not in explorer.saved_html()
    explorer.close()
