"""What was recorded on a page: checked, and saved as a new file or shown as codes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill import load_model
from distill.errors import ModelTypeError
from distill_widgets import CodesRecorder, TrainPanel
from distill_widgets.sounds.recorder import Recorder, Recording
from tests.widgets.page_commands import ask, command, sent

RATE = 44_100
TONE = (0.5 * np.sin(np.arange(RATE // 2) * 0.05)).astype("<f4")


def recorded(widget, samples: np.ndarray = TONE, **fields: object) -> dict[str, object]:
    """The answer to a recording that a page hands over."""
    number = sent(widget, samples.tobytes(), "the recording")
    return command(widget, "recorded", upload=number, **{"rate": RATE, "name": "", **fields})


@pytest.fixture
def got():
    return []


@pytest.fixture
def recorder(got):
    def use(recording: Recording) -> str:
        got.append(recording)
        return f"got {recording.seconds} s"

    made = Recorder(use)
    yield made
    made.finish()
    made.close()


def test_samples_arrive_as_they_were_recorded(recorder, got):
    assert recorded(recorder, name="kick")["said"] == "got 0.5 s"
    [recording] = got
    assert (recording.name, recording.sample_rate) == ("kick", RATE)
    assert np.array_equal(recording.waveform.numpy(), TONE)
    assert "not arrived whole" in command(recorder, "recorded", upload=1, rate=RATE)["error"]


@pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files")
def test_a_disk_that_is_full_in_the_middle_of_a_piece_leaves_no_sample_twice(recorder, got):
    import resource

    data = TONE.tobytes()
    number = command(recorder, "upload", name="kick", bytes=len(data))["upload"]
    assert "error" not in ask(recorder, "piece", f"{number}/0", data[:10_000])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, before[1]))  # half of the piece fits
    try:
        answer = ask(recorder, "piece", f"{number}/10000", data[10_000:20_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "too large" in answer["error"]
    for at in range(10_000, len(data), 10_000):
        assert "error" not in ask(recorder, "piece", f"{number}/{at}", data[at : at + 10_000])
    assert "said" in command(recorder, "recorded", upload=number, rate=RATE, name="kick")
    assert np.array_equal(got[0].waveform.numpy(), TONE)


@pytest.mark.parametrize(
    ("samples", "fields", "message"),
    [
        (TONE, {"rate": 7999}, "expected a rate of 8000 to 192000 Hz"),
        (TONE, {"rate": "fast"}, "expected a rate"),
        (TONE, {"rate": None}, "expected a rate"),
        (np.zeros(3, "u1"), {}, "expected samples of up to 300 s"),
        (np.ones(8000 * 302, "<f4"), {"rate": 8000}, "expected samples of up to 300 s"),
        (np.zeros(100, "<f4"), {}, "nothing but silence was recorded"),
        (np.array([0, np.nan], "<f4"), {}, "holds NaN or Inf at sample 1"),
    ],
)
def test_what_is_no_recording_is_refused(recorder, got, samples, fields, message):
    assert message in recorded(recorder, samples, **fields)["error"]
    assert got == []


# --- in the panel -------------------------------------------------------------------------------


@pytest.fixture
def panel(tmp_path):
    (tmp_path / "sounds").mkdir()
    made = TrainPanel(tmp_path / "sounds", tmp_path / "runs")
    assert made.recording.content is None  # nothing is sent before somebody opens it
    made.recording.line.click()
    yield made
    made.close()


def test_a_recording_becomes_a_new_file_among_the_sounds(panel, tmp_path):
    answer = recorded(panel.recording.content, name=" my kick ")
    path = tmp_path / "sounds" / "my kick.wav"
    assert answer["said"] == f"my kick.wav saved: 500 ms, in {path.parent}"
    samples, rate = soundfile.read(path)
    assert rate == RATE and samples == pytest.approx(TONE, abs=1e-4)


def test_no_file_is_written_over(panel, tmp_path):
    recorded(panel.recording.content, name="kick")
    path = tmp_path / "sounds" / "kick.wav"
    before = path.read_bytes()
    answer = recorded(panel.recording.content, TONE / 2, name="kick.wav")
    assert answer["error"] == (
        "kick.wav: a file of that name is there already, and stays; kick-2 is free"
    )
    assert path.read_bytes() == before
    (tmp_path / "sounds" / "link.wav").symlink_to(tmp_path / "elsewhere.wav")
    assert "there already" in recorded(panel.recording.content, name="link")["error"]
    assert not (tmp_path / "elsewhere.wav").exists()


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "..", "../up", "a\\b", "a\nb", "n" * 61, "\u202e"]
)
def test_a_name_that_no_file_can_have_is_refused(panel, tmp_path, name):
    assert recorded(panel.recording.content, name=name)["error"]
    assert list(tmp_path.rglob("*.wav")) == []


def test_without_a_folder_it_says_so(panel, tmp_path):
    panel.chooser.go_to(tmp_path / "none")
    answer = recorded(panel.recording.content, name="kick")
    assert answer["error"].startswith("choose a folder of sounds first")


# --- as codes -----------------------------------------------------------------------------------


def test_a_recording_is_shown_as_codes_and_the_next_one_in_its_place(trained, tmp_path):
    model = load_model(trained.model_path)
    view = CodesRecorder(model)
    assert view.view is None and repr(view) == "CodesRecorder(nothing yet)"
    said = recorded(view.recorder)["said"]
    assert said.startswith("recording 1: 500 ms, ") and said.endswith("steps of codes")
    first = view.view
    wanted = model.encode(TONE, RATE)
    assert np.array_equal(first.codes.indices, wanted.indices)
    recorded(view.recorder, TONE[: RATE // 4])
    assert view.children == (view.recorder, view.view) and view.view is not first
    assert first.comm is None
    view.close()
    assert list(Path(tmp_path).iterdir()) == []


def test_a_model_without_codebooks_is_refused(trained_vae):
    with pytest.raises(ModelTypeError, match="CodesRecorder"):
        CodesRecorder(load_model(trained_vae.model_path))
