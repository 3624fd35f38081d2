"""The command line, as a person or a script runs it: real processes, real exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill import AudioCorpus, Codes, load_model_v2
from distill.cli import training
from distill.cli.app import _invoke
from distill.training import TrainingResult
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from tests.command_line import distill
from tests.families import tiny

SMALL = ["--codebook-size", "16", "--device", "cpu"]


@pytest.fixture(scope="module")
def few_sounds(sounds_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "meine Klänge"
    folder.mkdir()
    for path in sorted(sounds_dir.glob("drum-0[1-4].wav")):
        shutil.copy(path, folder)
    (folder / "notes.txt").write_text("not sound")
    return folder


@pytest.fixture(scope="module")
def run(few_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "run"
    answer = distill(
        "train", few_sounds, "--out", folder, "--epochs", 2, "--rvq-levels", 2,
        "--commitment-weight", 0.5, "--model-name", "drums", "--seed", 3, *SMALL,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "4 files" in answer.stdout
    assert "notes.txt: a .txt file, not sound" in answer.stdout
    assert "Trained 2 epochs" in answer.stdout and "(all epochs are done)" in answer.stdout
    assert "1 Structure" in answer.stdout and "2 Detail" in answer.stdout
    assert f"Model: {folder / 'model.distill'}" in answer.stdout
    assert "epoch 2" in answer.stderr
    return folder


def test_train_does_what_the_options_say(run: Path) -> None:
    model = load_model_v2(run / "model.distill")
    config = model.vqvae_config
    assert (config.levels, config.codebook_size, config.seed) == (2, 16, 3)
    assert (config.commitment_weight, config.max_epochs) == (0.5, 2)
    assert model.metadata["name"] == "drums"


def test_train_learns_on_from_a_model_of_ones_own(
    run: Path, few_sounds: Path, tmp_path: Path
) -> None:
    options = ["train", few_sounds, "--out", tmp_path / "run", "--epochs", 1, "--start"]
    answer = distill(*options, run / "none.distill", *SMALL)
    assert answer.returncode == 2 and "none.distill: cannot be read" in answer.stderr
    assert not (tmp_path / "run").exists()
    answer = distill(*options, run / "model.distill", *SMALL)
    assert answer.returncode == 0, answer.stderr
    assert "  started from model.distill\n" in answer.stdout
    digest = load_model_v2(run / "model.distill").digest
    said = load_model_v2(tmp_path / "run" / "model.distill").metadata["start"]
    assert said == {"model": "model.distill", "digest": digest}


def test_train_answers_scripts_with_one_json_object(few_sounds: Path, tmp_path: Path) -> None:
    answer = distill(
        "train", few_sounds, "--out", tmp_path / "run", "--epochs", 1, "--json", *SMALL
    )
    assert answer.returncode == 0, answer.stderr
    values = json.loads(answer.stdout)
    assert values["epochs"] == 1
    assert values["reason"] == "max_epochs"
    assert Path(values["model"]).is_file()
    assert [level["label"] for level in values["codebook_health"]] == [
        "Structure", "Timbre", "Texture", "Detail", "Detail 2", "Detail 3",
    ]  # fmt: skip
    assert answer.stderr == ""


def test_a_second_run_into_a_folder_is_refused_unless_asked(run: Path, few_sounds: Path) -> None:
    before = (run / "model.distill").read_bytes()
    answer = distill("train", few_sounds, "--out", run, "--epochs", 1, *SMALL)
    assert answer.returncode == 2
    assert "holds an earlier run" in answer.stderr
    assert (run / "model.distill").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rvq-levels", "17"], "levels=17: expected a whole number from 1 to 16"),
        (["--device", "abacus"], "device='abacus': not on this machine"),
        (["--max-seconds", "0"], "max_seconds=0.0: expected a number from 0.1"),
    ],
)
def test_bad_settings_are_reported_before_anything_is_read(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = distill("train", tmp_path / "none", "--out", tmp_path / "run", *arguments)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    for place, message in [("none", "no such file or folder"), ("texts", "a .txt file")]:
        answer = distill("train", tmp_path / place, "--out", tmp_path / "run")
        assert answer.returncode == 2
        assert message in answer.stderr


def test_ctrl_c_stops_and_keeps_the_model(few_sounds: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["train", few_sounds, "--out", folder, "--max-seconds", "600", *SMALL]
    process = subprocess.Popen(
        [sys.executable, "-m", "distill.cli", *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(600):
        if (folder / "events.jsonl").exists() and (folder / "events.jsonl").stat().st_size:
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Stopping after this step; the model is kept" in err
    assert "(somebody stopped it)" in out
    assert load_model_v2(folder / "model.distill").codebook_health


def test_a_run_is_listed_stopped_from_elsewhere_and_resumed(
    corpus: AudioCorpus, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "first"
    endless = tiny("vqvae", max_steps=1_000_000, preview_every_epochs=0)
    begin_run(run, RunRequest.of(endless, corpus, name="first", device="cpu").to_dict())
    command = ["train", "--resume", run, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "distill.cli", *map(str, command)], stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(600):
            if (run / "events.jsonl").exists() and (run / "events.jsonl").stat().st_size:
                break
            time.sleep(0.1)
        [row] = json.loads(distill("runs", run.parent, "--json").stdout)
        assert (row["name"], row["state"]) == ("first", "running")
        answer = distill("stop", run)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == f"{run}: stopped; the model is {run / 'model.distill'}\n"
        assert process.wait(60) == 130
        assert process.stdout is not None
        steps = json.loads(process.stdout.read())["steps"]
    assert "first  stopped" in distill("runs", run.parent).stdout
    answer = distill("stop", run)
    assert (answer.returncode, answer.stderr) == (
        2, f"distill: {run}: is not training, it is stopped\n",
    )  # fmt: skip
    [row] = json.loads(distill("runs", run.parent, "--json").stdout)
    answer = distill("train", "--resume", run, "--epochs", row["epoch"] + 1, "--json")
    assert answer.returncode == 0, answer.stderr
    values = json.loads(answer.stdout)
    assert values["reason"] == "max_epochs"
    assert values["steps"] > steps
    answer = distill("train", "--resume", run)
    assert answer.returncode == 2 and "is finished; to go on give it a larger" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a FOLDER of recordings and a run folder with --out, or --resume RUN"),
        (["--resume", "x", "--seed", "1"], "--resume goes with --max-seconds, --epochs, --max-s"),
        (["--resume", "x"], "x: no run there"),
    ],
)
def test_train_needs_to_know_what_to_train(arguments: list[str], message: str) -> None:
    answer = distill("train", *arguments)
    assert answer.returncode == 2
    assert message in answer.stderr


def test_a_prepared_run_waits_for_a_worker(few_sounds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    answer = distill("train", few_sounds, "--out", run, "--max-steps", 1, "--prepare", *SMALL)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith(f"-m distill.training.worker {run}\n")
    assert not (run / "events.jsonl").exists()
    worker = [sys.executable, "-m", "distill.training.worker", str(run)]
    assert subprocess.run(worker, capture_output=True, timeout=200).returncode == 0
    assert load_model_v2(run / "model.distill").vqvae_config.max_steps == 1


def test_info_for_people_and_scripts(run: Path) -> None:
    answer = distill("info", run / "model.distill")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("drums\n")
    assert "2 levels × 16 entries" in answer.stdout
    assert "4 files, 2.4 s" in answer.stdout
    values = json.loads(distill("info", run / "model.distill", "--json").stdout)
    assert values["config"]["levels"] == 2
    assert values["metadata"]["name"] == "drums"


def test_info_of_what_is_no_model(few_sounds: Path) -> None:
    answer = distill("info", few_sounds / "notes.txt")
    assert answer.returncode == 2
    assert answer.stderr == "distill: notes.txt: not a .distill file\n"


def test_encode_then_decode_equals_reconstruct(run: Path, few_sounds: Path, tmp_path: Path) -> None:
    model, sound = run / "model.distill", few_sounds / "drum-01.wav"
    codes, one, other = (tmp_path / name for name in ("a.npz", "one.wav", "other.wav"))
    for arguments in (
        ["encode", model, sound, "--out", codes],
        ["decode", model, codes, "--out", one],
        ["reconstruct", model, sound, "--out", other],
    ):
        answer = distill(*arguments)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.strip() == str(arguments[-1])
    assert Codes.load(codes).levels == 2
    assert np.array_equal(soundfile.read(one)[0], soundfile.read(other)[0])
    assert soundfile.info(one).frames == soundfile.info(sound).frames


def test_a_folder_goes_through_and_a_bad_file_is_named(
    run: Path, few_sounds: Path, tmp_path: Path
) -> None:
    sounds = tmp_path / "in"
    (sounds / "deep").mkdir(parents=True)
    shutil.copy(few_sounds / "drum-01.wav", sounds / "a.wav")
    shutil.copy(few_sounds / "drum-02.wav", sounds / "deep" / "b.wav")
    (sounds / "broken.wav").write_bytes(b"RIFF")
    answer = distill("reconstruct", run / "model.distill", sounds)
    assert answer.returncode == 4
    assert "broken.wav: unreadable" in answer.stderr
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.reconstruction.wav"))
    assert [str(path) for path in made] == [
        "in-reconstructed/a.reconstruction.wav",
        "in-reconstructed/deep/b.reconstruction.wav",
    ]


def test_nothing_usable_is_an_error(run: Path, few_sounds: Path, tmp_path: Path) -> None:
    answer = distill("encode", run / "model.distill", few_sounds / "notes.txt")
    assert answer.returncode == 2
    assert "notes.txt" in answer.stderr
    (tmp_path / "empty").mkdir()
    answer = distill("decode", run / "model.distill", tmp_path / "empty")
    assert (answer.returncode, answer.stderr) == (
        2, f"distill: {tmp_path / 'empty'}: nothing to decode there\n",
    )  # fmt: skip


def test_demo_goes_the_whole_way_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second one goes beside the first, which stays as it is, unless it may be replaced."""
    monkeypatch.setattr(training, "_DEMO_RECONSTRUCTIONS", 1)
    command = ["distill", "demo", "--out", str(tmp_path / "demo"), "--max-seconds", "0.2"]
    monkeypatch.setattr(sys, "argv", command)
    _invoke()
    first = (tmp_path / "demo" / "run" / "model.distill").read_bytes()
    capsys.readouterr()
    _invoke()
    said = capsys.readouterr().out
    assert f"holds a demo already, which stays; this one goes to {tmp_path / 'demo-2'}" in said
    assert (tmp_path / "demo" / "run" / "model.distill").read_bytes() == first
    assert (tmp_path / "demo-2" / "run" / "model.distill").is_file()
    monkeypatch.setattr(sys, "argv", [*command, "--overwrite"])
    _invoke()
    assert (tmp_path / "demo" / "run" / "model.distill").read_bytes() != first
    assert len(list((tmp_path / "demo" / "sounds").glob("*.wav"))) == 40
    assert (tmp_path / "demo" / "run" / "model.distill").is_file()
    listen = sorted(path.name for path in (tmp_path / "demo" / "listen").iterdir())
    assert len(listen) == 2 and sum("original" in name for name in listen) == 1


def test_the_cache_is_found_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"{'0' * 64}-48000.f32").write_bytes(bytes(2_000_000))
    assert distill("cache").stdout == f"{tmp_path / 'cache'}: 2.0 MB\n"
    assert distill("cache", "--clear").stdout == f"{tmp_path / 'cache'}: 2.0 MB set free\n"
    assert distill("cache").stdout == f"{tmp_path / 'cache'}: 0.0 MB\n"


def test_a_trained_model_is_described(trained: TrainingResult) -> None:
    answer = distill("info", trained.model_path)
    assert "12 epochs, 60 steps" in answer.stdout
