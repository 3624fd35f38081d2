"""Trying a sound in a dashboard: what is sent, what is made of it, and what is said."""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import threading
from pathlib import Path

import pytest
import soundfile
import torch

from distill import RunFolder
from distill.training import TrainingResult, trying
from distill.training.present_weights import PresentWeights
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest, SoundEntry
from distill_widgets import TrainingDashboard
from distill_widgets.sounds.uploads import MOST_BYTES
from distill_widgets.training import attempts, sound_trial as module
from distill_widgets.training.recordings import MOST_SHOWN, Recordings
from distill_widgets.training.sound_trial import SoundTrial
from tests.priors import tiny_prior
from tests.widgets.node_page import say
from tests.widgets.page_commands import answers, ask, command, sent

RATE = 48_000


def wav(seconds: float = 0.25) -> bytes:
    file = io.BytesIO()
    tone = torch.sin(torch.arange(int(RATE * seconds)) * 0.05) * 0.3
    soundfile.write(file, tone.numpy(), RATE, format="WAV")
    return file.getvalue()


@pytest.fixture
def weights(trained: TrainingResult, monkeypatch: pytest.MonkeyPatch) -> list[PresentWeights]:
    """What the trainer hands over next; it is not asked before `wait` is set."""
    found = [PresentWeights(trained.load(), 0, 7)]

    class Asked:
        wait = threading.Event()

        def __init__(self, _folder: RunFolder) -> None:
            pass

        def receive(self) -> PresentWeights:
            assert self.wait.wait(30)
            return found[-1]

    Asked.wait.set()
    monkeypatch.setattr(attempts, "WeightsRequest", Asked)
    return found


@pytest.fixture
def trial(trainer, weights):
    made = SoundTrial(RunFolder(trainer.path))
    yield made
    made.finish()
    made.close()


def outcome(widget, number: object, of: str = "outcome") -> dict[str, object]:
    while not (answer := command(widget, of, number=number)).get("done", "error" in answer):
        pass
    return answer


def tried(widget, **source: object) -> dict[str, object]:
    """The outcome of a try, once it is measured too."""
    begun = command(widget, "attempt", **source)
    if "error" in begun:
        return begun
    made = outcome(widget, begun["number"])
    return made if "error" in made else outcome(widget, begun["number"], "measured")


# --- in a dashboard -----------------------------------------------------------------------------


def test_closed_it_is_a_line_and_nothing_else(trainer, comms):
    dashboard = TrainingDashboard(trainer.path)
    assert dashboard.trying.children == (dashboard.trying.line,)
    assert dashboard.trying.content is None
    dashboard.trying.line.click()
    trial = dashboard.trying.content
    assert dashboard.trying.children == (dashboard.trying.line, trial)
    assert dashboard.trying.line.description.startswith("▾")
    dashboard.trying.line.click()
    assert dashboard.trying.children == (dashboard.trying.line,)
    dashboard.trying.line.click()
    assert dashboard.trying.content is trial  # with all that was tried
    dashboard.trying.line.click()
    dashboard.close()
    assert [comm.comm_id for comm in comms if comm.is_open] == []


def test_a_run_that_learns_codes_has_no_such_part(trained, corpus, tmp_path):
    request = RunRequest.of(tiny_prior(trained.load()), corpus, name="prior", device="cpu")
    begin_run(tmp_path / "run", request.to_dict())
    dashboard = TrainingDashboard(tmp_path / "run")
    assert dashboard.trying is None
    dashboard.close()


# --- trying -------------------------------------------------------------------------------------


def test_a_file_is_sent_tried_and_heard_and_tried_again(trial, weights):
    assert "error" not in tried(trial, upload=sent(trial, wav()))
    [row], [stage] = trial.rows, trial.stages
    assert (row["name"], row["seconds"]) == ("my kick.wav", 0.25)
    assert row["sides"] == ["original", "reconstruction"]
    assert stage["label"] == "step 7"
    assert stage["notes"][0].startswith("mel ") and "floor" in stage["notes"][0]
    for key in (row["keys"][0], row["keys"][1].replace("{stage}", stage["key"])):
        assert "error" not in ask(trial, "sound", key)
        [data] = trial.comm.custom[-1][1]
        assert soundfile.info(io.BytesIO(data)).frames == RATE // 4
    tried(trial)  # nothing new to hear of the same weights
    assert [stage["label"] for stage in trial.stages] == ["step 7"]
    weights.append(dataclasses.replace(weights[0], step=12))
    tried(trial)
    assert [stage["label"] for stage in trial.stages] == ["step 7", "step 12"]
    assert trial.rows == [row]
    tried(trial, upload=sent(trial, wav(0.5), "other.wav"))
    assert [row["name"] for row in trial.rows] == ["other.wav"] and len(trial.stages) == 1
    assert "not there any more" in ask(trial, "sound", row["keys"][0])["error"]


def test_kept_weights_say_why(trial, weights):
    weights.append(dataclasses.replace(weights[0], epoch=2, instead="its trainer is gone"))
    tried(trial, upload=sent(trial, wav()))
    [stage] = trial.stages
    assert stage["label"] == "kept, epoch 3"
    assert "its trainer is gone: heard are the weights it keeps" in stage["notes"][0]


def test_an_hour_of_sound_is_tried_from_its_beginning(trial, monkeypatch):
    monkeypatch.setattr("distill.training.trying.LONGEST_S", 0.1)
    tried(trial, upload=sent(trial, wav()))
    assert "the first 0.1 s of 250 ms" in trial.stages[0]["notes"][0]


def test_a_second_press_is_refused_while_one_is_tried(trial):
    attempts.WeightsRequest.wait.clear()
    number = sent(trial, wav())
    first = command(trial, "attempt", upload=number)
    second = sent(trial, wav(), "second.wav")
    assert "wait until it is heard" in command(trial, "attempt", upload=second)["error"]
    assert command(trial, "outcome", number=first["number"]) == {
        "type": "outcome", "key": trial.comm.custom[-1][0]["key"], "done": False,
    }  # fmt: skip
    attempts.WeightsRequest.wait.set()
    assert outcome(trial, first["number"])["done"] is True
    assert "error" not in tried(trial, upload=second)


def test_a_sound_that_was_asked_for_is_sent_as_soon_as_it_is_made(trial):
    attempts.WeightsRequest.wait.clear()
    number = command(trial, "attempt", upload=sent(trial, wav()))["number"]
    key = f"{number}/made"
    say(trial, {"type": "sound", "key": key, "client": "page"})
    assert not answers(trial, "sound", key)  # neither a sound nor an error
    attempts.WeightsRequest.wait.set()
    assert trial._attempts[number].made.wait(30)
    [answer] = answers(trial, "sound", key)
    assert "error" not in answer
    assert trial.stages[-1]["key"] == key
    outcome(trial, number, "measured")
    assert "not there any more" in ask(trial, "sound", f"{number}/other")["error"]
    assert "not there any more" in ask(trial, "sound", "9" * 5000)["error"]


def test_what_was_asked_for_and_never_made_is_told_to_whoever_asks_again(trial, monkeypatch):
    attempts.WeightsRequest.wait.clear()

    def fails(*_given) -> object:
        raise OSError("no memory")

    monkeypatch.setattr(module, "reconstructed", fails)
    number = command(trial, "attempt", upload=sent(trial, wav()))["number"]
    for side in ("original", "made"):
        say(trial, {"type": "sound", "key": f"{number}/{side}", "client": "page"})
    attempts.WeightsRequest.wait.set()
    assert trial._attempts[number].made.wait(30)
    for side in ("original", "made"):
        say(trial, {"type": "sound", "key": f"{number}/{side}", "client": "page"})
        assert "not there any more" in answers(trial, "sound", f"{number}/{side}")[-1]["error"]
    assert outcome(trial, number)["error"] == "no memory"
    assert not trial._awaited and not trial._sounds


def test_who_asks_for_the_original_of_a_sound_that_is_tried_again_does_no_harm(trial):
    tried(trial, upload=sent(trial, wav()))
    attempts.WeightsRequest.wait.clear()
    number = command(trial, "attempt")["number"]
    say(trial, {"type": "sound", "key": f"{number}/original", "client": "page"})
    attempts.WeightsRequest.wait.set()
    assert "error" not in outcome(trial, number)
    assert "not there any more" in ask(trial, "sound", f"{number}/original")["error"]


def test_a_try_that_fails_late_leaves_the_original_to_be_heard(trial, monkeypatch):
    def fails(_widget, key: str, _sound: object) -> None:
        if key.endswith("made"):
            raise OSError("no memory")

    monkeypatch.setattr(SoundTrial, "answer_sound", fails)
    attempts.WeightsRequest.wait.clear()
    number = command(trial, "attempt", upload=sent(trial, wav()))["number"]
    say(trial, {"type": "sound", "key": f"{number}/made", "client": "page"})
    attempts.WeightsRequest.wait.set()
    assert outcome(trial, number)["error"] == "no memory"
    assert "error" not in ask(trial, "sound", trial.rows[0]["keys"][0])


def test_in_colab_only_an_answer_brings_what_was_made(trial, monkeypatch):
    monkeypatch.setattr(module, "in_colab", lambda: True)
    begun = command(trial, "attempt", upload=sent(trial, wav()))
    assert trial._attempts[begun["number"]].made.wait(30)
    assert trial.rows == []
    assert outcome(trial, begun["number"])["done"] is True
    assert len(trial.rows) == 1
    trial.stages = []
    assert outcome(trial, begun["number"], "measured")["done"] is True
    assert trial.stages[0]["notes"][0].startswith("mel ")


def test_weights_are_asked_for_while_a_file_is_sent_unless_that_took_long(
    trial, weights, monkeypatch
):
    def step_of(number: object) -> str:
        tried(trial, upload=number)
        return trial.stages[-1]["label"]

    number = sent(trial, wav())
    assert trial._asked.result(30) is weights[0]
    weights.append(dataclasses.replace(weights[0], step=12))
    assert step_of(number) == "step 7"
    monkeypatch.setattr(module, "_FRESH_S", 0.0)
    number = sent(trial, wav())
    assert trial._asked.result(30) is weights[1]
    weights.append(dataclasses.replace(weights[0], step=15))
    assert step_of(number) == "step 15"


def test_it_is_heard_before_it_is_measured(trial, monkeypatch):
    measured = threading.Event()
    real = trying.distances_between

    def late(*sounds) -> object:
        assert measured.wait(30)
        return real(*sounds)

    monkeypatch.setattr(trying, "distances_between", late)
    begun = command(trial, "attempt", upload=sent(trial, wav()))
    outcome(trial, begun["number"])
    [stage] = trial.stages
    assert stage["notes"] == ["its distances follow"]
    key = trial.rows[0]["keys"][1].replace("{stage}", stage["key"])
    assert "error" not in ask(trial, "sound", key)
    assert command(trial, "measured", number=begun["number"])["done"] is False
    measured.set()
    outcome(trial, begun["number"], "measured")
    [again] = trial.stages
    assert again["key"] == stage["key"] and again["notes"][0].startswith("mel ")


def test_what_cannot_be_measured_is_heard_and_said(trial, monkeypatch):
    def full(*_sounds) -> object:
        raise OSError("no memory")

    monkeypatch.setattr(trying, "distances_between", full)
    begun = command(trial, "attempt", upload=sent(trial, wav()))
    assert outcome(trial, begun["number"], "measured")["error"] == "no memory"
    assert len(trial.stages) == 1


# --- what is wrong with it ----------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"no sound at all", b"\0" * 5000])
def test_a_file_that_is_no_sound_is_named_as_the_person_calls_it(trial, data):
    said = tried(trial, upload=sent(trial, data, "note\n\u202e<b>.wav"))["error"]
    assert said.startswith(r"note\n\u202e<b>.wav: ")
    assert str(Path(tempfile.gettempdir())) not in said and "sound:" not in said
    assert trial.rows == []


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "7", None, MOST_BYTES + 1])
def test_a_size_that_is_none_takes_no_room(trial, size):
    answer = command(trial, "upload", name="big.wav", bytes=size)
    assert answer["error"] == "big.wav: expected a file of 1 byte to 64 MB"
    assert trial._uploads._folder is None


def test_pieces_may_come_twice_but_none_may_be_missing(trial):
    data = wav()
    number = command(trial, "upload", name="a.wav", bytes=len(data))["upload"]
    assert "error" not in ask(trial, "piece", f"{number}/0", data[:100])
    assert "error" not in ask(trial, "piece", f"{number}/0", data[:100])
    for key, piece in (
        (f"{number}/200", data[200:]), (f"{number}/100", b""), (f"{number}/100", data + data),
        (f"{number}/", data), (f"{number}/{'9' * 5000}", data), (f"{number}/²", data),
        ("", data), (f"{int(number) + 1}/0", data),
    ):  # fmt: skip
        assert "error" in ask(trial, "piece", key, piece), key
    assert "not arrived whole" in command(trial, "attempt", upload=number)["error"]
    assert "error" not in ask(trial, "piece", f"{number}/100", data[100:])
    assert "error" not in tried(trial, upload=number)
    assert "not arrived whole" in command(trial, "attempt", upload=number)["error"]  # it is gone


def test_nothing_of_a_file_stays(trial):
    sent(trial, wav())
    folder = Path(trial._uploads._folder.name)
    assert folder.is_dir()
    trial.finish()
    assert not folder.exists()


@pytest.mark.parametrize("source", [{"upload": 99}, {"recording": -1}, {"recording": "x"}, {}])
def test_what_is_not_there_is_said(trial, source):
    assert command(trial, "attempt", **source)["error"]
    assert command(trial, "outcome", number=12)["error"].startswith("that try is long over")
    assert command(trial, "outcome", number=[])["error"]


# --- recordings of the run ----------------------------------------------------------------------


def with_recordings(trainer, corpus, count: int = 0) -> Recordings:
    """A run that has read its sounds, and some more names."""
    folder = RunFolder(trainer.path)
    request = RunRequest.from_dict(folder.read_request())
    split = corpus.split(0.2)
    request = request.with_corpus(corpus, split)
    more = tuple(
        SoundEntry(f"/sounds/kick {n}.wav", "0" * 64, 1.0, "training") for n in range(count)
    )
    request = dataclasses.replace(request, corpus=(*request.corpus, *more)).sealed()
    (trainer.path / "run.json").write_text(json.dumps(request.to_dict()))
    return Recordings(folder)


def test_a_recording_of_the_run_is_tried(trainer, corpus, trial):
    assert ask(trial, "recordings", "")["total"] == 0  # not read yet
    with_recordings(trainer, corpus)
    found = ask(trial, "recordings", "DRUM")
    assert found["total"] == found["found"] == len(corpus)
    assert sum(name.endswith("(held out)") for name in found["names"]) >= 1
    assert "error" not in tried(trial, recording=found["numbers"][0])
    assert trial.rows[0]["name"] == corpus.files[0].path.name


def test_of_many_recordings_the_first_that_have_a_text_are_listed(trainer, corpus):
    recordings = with_recordings(trainer, corpus, 500)
    found = recordings.find("kick")
    assert found["found"] == 500 and len(found["names"]) == MOST_SHOWN
    assert recordings.find("kick 499")["names"] == ["sounds/kick 499.wav"]
    assert recordings.find("none of that name")["numbers"] == []


def test_what_a_run_from_elsewhere_names_is_not_read(trainer, corpus, trial):
    with_recordings(trainer, corpus)
    said = json.loads((trainer.path / "run.json").read_text())
    said["corpus"][0]["path"] = "/etc/passwd"
    (trainer.path / "run.json").write_text(json.dumps(said))
    answer = command(trial, "attempt", recording=0)
    assert "begun on another machine or by another person" in answer["error"]
