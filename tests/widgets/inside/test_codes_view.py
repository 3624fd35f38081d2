from __future__ import annotations

import copy
import dataclasses
import io
import json
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill import AudioCorpus, Codes, LoadedVQModel, read_audio, read_model_info
from distill.errors import AudioFileError, CodesError, ModelFileError, PartError, ShapeError
from distill.training import TrainingResult
from distill_widgets import CodesView
from distill_widgets.inside.codes_view import CHUNK_STEPS, _fitting, hues_of
from distill_widgets.inside.grid_sounds import GridSounds, common_gain

Replies = list[tuple[dict[str, Any], list[bytes]]]


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return trained.load()


@pytest.fixture
def view_of(model: LoadedVQModel) -> Iterator[Callable[..., CodesView]]:
    opened: list[CodesView] = []

    def view(sound: Any, **options: Any) -> CodesView:
        made = CodesView(options.pop("model", model), sound, **options)
        opened.append(made)
        made.replies = []  # type: ignore[attr-defined]
        made.send = lambda said, buffers=None: made.replies.append((said, buffers))  # type: ignore[attr-defined,method-assign]
        return made

    yield view
    for one in opened:
        one.close()


def ask(view: Any, kind: str, key: str) -> tuple[dict[str, Any], list[bytes]]:
    view._receive(None, {"type": kind, "key": key}, [])
    return view.replies[-1]


def request(view: Any, kind: str, **wanted: Any) -> dict[str, Any]:
    return ask(view, kind, json.dumps({"act": str(time.monotonic_ns()), **wanted}))[0]


def sound_of(buffer: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(buffer)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples / np.float32(32767), file.getframerate()


@pytest.fixture
def path(corpus: AudioCorpus) -> Path:
    return Path(corpus.files[0].path)


def test_the_grid_comes_in_chunks_of_int16(
    view_of: Callable[..., CodesView], model: LoadedVQModel
) -> None:
    steps = CHUNK_STEPS + 5
    indices = torch.randint(-1, 16, (3, steps), generator=torch.Generator().manual_seed(0))
    per_step = round(model.sample_rate / model.vqvae_config.step_rate_hz)
    codes = Codes(indices, 16, 1 / model.vqvae_config.step_rate_hz, (steps - 1) * per_step, 48_000)
    view = view_of(codes)
    rows = [np.frombuffer(ask(view, "codes", key)[1][0], "<i2").reshape(3, -1) for key in "01"]
    np.testing.assert_array_equal(np.concatenate(rows, axis=1), indices.numpy())
    assert rows[1].shape == (3, 5)
    assert view.facts["original"] is False
    assert "chunk 2: the sound has no such steps" in ask(view, "codes", "2")[0]["error"]
    assert "chunk -1" in ask(view, "codes", "-1")[0]["error"]


def test_opening_sends_no_codes_and_no_sound(view_of: Callable[..., CodesView]) -> None:
    """A minute of codes opens with what a second opens with."""
    sizes = []
    for seconds in (1, 60):
        view = view_of((torch.zeros(48_000 * seconds), 48_000))
        state = view.get_state()
        state.pop("_esm"), state.pop("_css")
        sizes.append(len(str(state)))
    assert abs(sizes[1] - sizes[0]) < 50 and sizes[0] < 5000


def test_a_cell_is_brought_to_a_common_peak(
    view_of: Callable[..., CodesView], path: Path, model: LoadedVQModel
) -> None:
    view = view_of(path)
    for level in range(3):
        facts, (content,) = ask(view, "sound", f"cell/{level}/3")
        samples, rate = sound_of(content)
        assert rate == model.sample_rate
        if 0 < facts["louder_db"] < 60:
            assert np.abs(samples).max() == pytest.approx(0.5, abs=1e-3)


def test_gain_lifts_the_quiet_and_leaves_the_rest() -> None:
    assert common_gain(np.array([0.05, -0.02], np.float32)) == pytest.approx(10)
    assert common_gain(np.array([0.9], np.float32)) == 1
    assert common_gain(np.zeros(4, np.float32)) == 1
    assert common_gain(np.array([1e-7], np.float32)) == 1000


def test_the_whole_is_what_the_model_decodes(
    view_of: Callable[..., CodesView], path: Path, model: LoadedVQModel
) -> None:
    view = view_of(path)
    made = sound_of(ask(view, "sound", "part/first-3/0")[1][0])[0]
    expected = model.decode(view.codes)[0].clamp(-1, 1).numpy()
    np.testing.assert_allclose(made, expected, atol=1e-4)
    original = sound_of(ask(view, "sound", "part/original/0")[1][0])[0]
    np.testing.assert_allclose(original, read_audio(path)[0].numpy(), atol=1e-4)


def test_pieces_of_a_long_sound_follow_each_other(model: LoadedVQModel) -> None:
    """25 s come in pieces of 10 s, whose lengths add up to that of the sound."""
    tone = 0.3 * torch.sin(torch.arange(44_100 * 25) * 0.05)
    sounds = GridSounds(model, (tone, 44_100), seconds=0.3)
    assert sounds.piece_steps < sounds.codes.steps
    for source in ("original", "first-1", "alone-2"):
        pieces = [sounds.get(f"part/{source}/{n}") for n in range(3)]
        seconds = sum(len(piece.samples) / piece.sample_rate for piece in pieces)
        assert seconds == pytest.approx(25, abs=0.03)
        assert len({piece.gain for piece in pieces}) == 1
    assert pieces[1].samples[0] == 0 and pieces[1].samples[-1] == 0, "faded at its seams"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cell/3/0", "level=3: expected 0 to 2"),
        ("cell/0/99999", "step=99999"),
        ("cell/0", "'cell/0': not something that can be heard"),
        ("cell/x/y", "not something that can be heard"),
        ("nonsense", "'nonsense': not something that can be heard"),
        ("part/first-4/0", "levels=4: expected 1 to 3"),
        ("part/alone-9/0", "level=9"),
        ("part/alone-x/0", "not something that can be heard"),
        ("part/second-1/0", "'part/second-1/0': not something that can be heard"),
        ("part/first-1/7", "piece=7: the sound has no such piece"),
        ("part/first-1/-1", "'part/first-1/-1': not something"),
    ],
)
def test_what_cannot_be_heard_is_said_on_the_page(
    view_of: Callable[..., CodesView], path: Path, key: str, text: str
) -> None:
    facts, buffers = ask(view_of(path), "sound", key)
    assert text in facts["error"] and facts["key"] == key and not buffers


def test_codes_alone_have_no_original(
    view_of: Callable[..., CodesView], path: Path, model: LoadedVQModel
) -> None:
    view = view_of(model.encode(*read_audio(path)))
    assert "there is no original" in ask(view, "sound", "part/original/0")[0]["error"]
    assert view.name == "Codes"


def test_a_file_that_went_is_said_when_it_is_asked_for(
    view_of: Callable[..., CodesView], path: Path, tmp_path: Path
) -> None:
    gone = Path(shutil.copy(path, tmp_path / "gone.wav"))
    view = view_of(gone)
    gone.unlink()
    assert "gone.wav: no such file" in ask(view, "sound", "part/original/0")[0]["error"]
    assert "error" not in ask(view, "sound", "part/first-3/0")[0]


def test_silence_is_said_and_its_entries_are_heard(view_of: Callable[..., CodesView]) -> None:
    view = view_of((torch.zeros(24_000), 48_000))
    assert view.facts["silent"]
    assert np.abs(sound_of(ask(view, "sound", "cell/0/0")[1][0])[0]).max() > 0.01
    assert not sound_of(ask(view, "sound", "part/first-3/0")[1][0])[0].any()


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_a_sound_shorter_than_a_step_at_any_rate(
    view_of: Callable[..., CodesView], rate: int
) -> None:
    view = view_of((torch.tensor([0.5, -0.5, 0.1]), rate))
    assert view.codes.steps >= 1
    for key in ("cell/0/0", "moment/0", "part/first-3/0", "part/original/0"):
        assert "error" not in ask(view, "sound", key)[0], key


def test_no_code_is_heard_as_silence(
    view_of: Callable[..., CodesView], model: LoadedVQModel, path: Path
) -> None:
    codes = model.encode(*read_audio(path))
    grid = codes.indices
    grid[1] = -1
    codes = codes.with_indices(grid)
    facts, (content,) = ask(view_of(codes), "sound", "cell/1/0")
    assert "error" not in facts
    assert np.abs(sound_of(content)[0]).max() <= 1


def test_an_edited_grid_never_plays_the_sound_of_the_old_one(
    view_of: Callable[..., CodesView], model: LoadedVQModel, path: Path
) -> None:
    codes = model.encode(*read_audio(path))
    view, grid = view_of(codes), codes.indices
    keys = ("cell/0/1", "moment/1", "part/alone-1/0", "part/first-3/0")
    before = [ask(view, "sound", key)[1] for key in keys]
    grid[:] = (grid + 1) % codes.codebook_size
    codes.indices[:] = view.codes.indices[:] = grid  # copies: nothing is edited in place
    edited = view_of(codes.with_indices(grid))
    assert [ask(view, "sound", key)[1] for key in keys] == before
    assert all(ask(edited, "sound", key)[1] != old for key, old in zip(keys, before, strict=True))


def test_what_is_no_sound_is_refused(model: LoadedVQModel, tmp_path: Path) -> None:
    with pytest.raises(CodesError, match=r"sound is a ndarray; expected \(waveform, sample_rate\)"):
        CodesView(model, np.zeros(100, np.float32))  # type: ignore[arg-type]
    with pytest.raises(AudioFileError, match=r"no such file"):
        CodesView(model, tmp_path / "none.wav")
    with pytest.raises(ShapeError, match=r"mono"):
        CodesView(model, (torch.zeros(2, 100), 48_000))
    step_s = 1 / model.vqvae_config.step_rate_hz
    other = Codes(torch.zeros(4, 4, dtype=torch.int64), 16, step_s, 100, 48_000)
    with pytest.raises(CodesError, match=r"4 levels × 16 entries; this model has 3 × 16"):
        CodesView(model, other)


def test_renaming_is_seen_by_observers_and_refused_where_it_makes_no_sense(
    view_of: Callable[..., CodesView], path: Path
) -> None:
    view = view_of(path)
    seen: list[list[str]] = []
    view.observe(lambda change: seen.append(change.new), "labels")
    assert "error" not in request(view, "rename", level=1, label="  Body  &\tsoul / 2 ")
    assert seen == [["Structure", "Body & soul / 2", "Detail"]]
    assert "an empty name" in request(view, "rename", level=1, label="  ")["error"]
    assert (
        "41 characters: expected at most 40"
        in request(view, "rename", level=0, label="x" * 41)["error"]
    )
    assert "level=-1" in request(view, "rename", level="x")["error"]
    with pytest.raises(PartError, match=r"level=3: expected 0 to 2"):
        view.rename(3, "more")
    with pytest.raises(CodesError, match=r"2 labels for 3 levels"):
        view.labels = ["a", "b"]
    assert view.labels[1] == "Body & soul / 2"


def test_names_are_written_into_the_file(
    view_of: Callable[..., CodesView], path: Path, trained: TrainingResult, tmp_path: Path
) -> None:
    from distill import load_model_v2

    copy = Path(shutil.copy(trained.model_path, tmp_path / "copy.distill"))
    view = view_of(path, model=load_model_v2(copy))
    view.rename(0, "Bones")
    assert request(view, "write")["file"] == str(copy)
    assert read_model_info(copy).metadata["level_labels"][0] == "Bones"
    copy.unlink()
    assert "copy.distill" in request(view, "write")["error"]


def test_a_model_from_no_file_cannot_be_written(
    view_of: Callable[..., CodesView], path: Path, model: LoadedVQModel
) -> None:
    loose = LoadedVQModel(model.model)
    view = view_of(path, model=loose)
    assert view.facts["file"] == ""
    with pytest.raises(ModelFileError, match=r"came from no file: give the path of one"):
        view.write_labels()


def test_labels_that_do_not_fit_become_the_usual_ones(
    view_of: Callable[..., CodesView], path: Path, model: LoadedVQModel
) -> None:
    odd = LoadedVQModel(model.model, metadata={"level_labels": ["only one"]})
    assert view_of(path, model=odd).labels == ["Structure", "Timbre", "Detail"]


def test_hues_use_the_whole_circle(model: LoadedVQModel) -> None:
    hues = hues_of(model)
    assert hues.dtype == np.uint16
    assert all(sorted(row) == list(range(16)) for row in hues.tolist())


def test_other_messages_are_left_alone(view_of: Callable[..., CodesView], path: Path) -> None:
    view: Any = view_of(path)
    for message in ({}, {"type": "what"}, "text", None):
        view._receive(None, message, [])
    assert view.replies == []
    assert "CodesView" in repr(view)


def test_a_page_without_widgets_has_the_beginning_of_the_grid(
    view_of: Callable[..., CodesView], path: Path
) -> None:
    data, _ = view_of(path)._repr_mimebundle_()
    assert "<svg" in data["text/html"] and len(data["text/html"]) < 40_000
    assert "application/vnd.jupyter.widget-view+json" in data


def test_odd_labels_and_weights_are_shown_not_broken(
    view_of: Callable[..., CodesView], model: LoadedVQModel, path: Path
) -> None:
    codes = model.encode(*read_audio(path))
    with pytest.raises(CodesError, match="a label of 1000000 characters"):
        view_of(dataclasses.replace(codes, labels=("x" * 1_000_000, "b", "c")))
    assert _fitting("x" * 1_000_000, 1) == "x" * 39 + "…"
    assert (_fitting(" \n ", 2), _fitting("two\nlines\u202e", 3)) == ("level 2", "two lines\\u202e")
    broken = copy.deepcopy(model.model)
    with torch.no_grad():
        for book in broken.quantizer.parameters():
            book.fill_(float("nan"))
        for book in broken.quantizer.buffers():
            if book.is_floating_point():
                book.fill_(float("inf"))
    hues = hues_of(LoadedVQModel(broken))
    assert sorted(hues[0].tolist()) == list(range(16))
