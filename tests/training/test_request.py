from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest
import soundfile

from distill import AudioCorpus, VQVAEConfig
from distill.audio.io import write_audio
from distill.errors import CorpusError, RunFolderError
from distill.training.run import request_seal
from distill.training.run.folder import RunFolder
from distill.training.run.preparation import begin_run, extend_run, write_request
from distill.training.run.request import RunRequest
from distill.training.run.run_sounds import (
    about_new_sounds,
    new_sounds,
    read_corpus,
    with_new_sounds,
)
from distill.training.run.writer import hold_run


@pytest.fixture
def sounds(corpus: AudioCorpus, tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for file, sound in list(zip(corpus.files, corpus.waveforms, strict=True))[:4]:
        soundfile.write(folder / file.path.name, sound.numpy(), 48_000)
    return folder


@pytest.fixture
def request_(sounds: Path) -> RunRequest:
    corpus = AudioCorpus.scan(sounds, progress=False)
    request = RunRequest.of(VQVAEConfig(max_steps=3), sounds, name="r", device="cpu")
    return request.with_corpus(corpus, corpus.split(0.1))


def came_back(request: RunRequest) -> RunRequest:
    return RunRequest.from_dict(json.loads(json.dumps(request.to_dict(), ensure_ascii=False)))


def test_a_request_comes_back_as_it_was(request_: RunRequest) -> None:
    assert came_back(request_) == request_
    assert request_.is_ours("") and came_back(request_).is_ours("")


def test_names_that_are_no_utf_8_come_back_as_they_were(tmp_path: Path) -> None:
    name = os.fsdecode(b"Gel\xe4ut.wav")
    config = VQVAEConfig(max_steps=3)
    request = RunRequest.of(config, [tmp_path / name], name="Gel\udce4ut", device="cpu")
    request.sealed().to_dict()
    begin_run(tmp_path / "run", request.to_dict())
    back = RunRequest.from_dict(RunFolder(tmp_path / "run").read_request())
    assert back.sources == (str(tmp_path / name),)
    assert back.name == "Gel\\xe4ut"
    assert back.is_ours("")
    (tmp_path / "run" / "run.json").read_text(encoding="utf-8")


def test_fields_of_a_later_version_are_kept(request_: RunRequest) -> None:
    values = {**request_.to_dict(), "weather": {"rain": [1, 2]}}
    back = RunRequest.from_dict(values)
    assert back.others == {"weather": {"rain": [1, 2]}}
    assert back.to_dict() == values


ODD: dict[str, Any] = {
    "name": 5,
    "model_type": "vae",
    "config": [],
    "device": None,
    "sources": "a text",
    "versions": {"torch": 2},
    "corpus": [{"path": "x"}],
    "refused": [1],
    "origin": 7,
    "start": {"model": "base", "digest": "no digest"},
}


@pytest.mark.parametrize("name", ODD)
def test_a_field_of_another_kind_is_refused_by_name(name: str, request_: RunRequest) -> None:
    with pytest.raises(RunFolderError, match=r"run\.json"):
        RunRequest.from_dict({**request_.to_dict(), name: ODD[name]})
    if name not in ("origin", "start"):
        with pytest.raises(RunFolderError, match=r"run\.json cannot be used: .*" + name):
            values = request_.to_dict()
            del values[name]
            RunRequest.from_dict(values)


@pytest.mark.parametrize("value", ["levels", 10**400, [[]] * 9, True, None, "9" * 99])
def test_a_config_that_is_none_is_refused(value: Any, request_: RunRequest) -> None:
    for config in ({"levels": value}, {"spectrogram": value}, {"spectrogram": {"n_fft": value}}):
        if value is None and "spectrogram" not in config:
            continue
        with pytest.raises(RunFolderError, match=r"run\.json cannot be used"):
            RunRequest.from_dict({**request_.to_dict(), "config": config})


def test_places_that_somebody_else_has_named_are_not_read(
    request_: RunRequest, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    values = {**request_.to_dict(), "sources": [str(secret)], "corpus": []}
    for mark in (request_.origin, "", "0" * 64, "é"):
        forged = RunRequest.from_dict({**values, "origin": mark})
        with pytest.raises(CorpusError, match=r"another machine or .*secret.* were not read"):
            read_corpus(forged, progress=False, last_host=platform.node())


def test_a_run_of_the_first_version_is_ours_where_it_was_trained(request_: RunRequest) -> None:
    values = request_.to_dict()
    del values["origin"]
    old = RunRequest.from_dict(values)
    assert old.is_ours(platform.node()) and not old.is_ours("elsewhere")
    assert old.sealed().is_ours("elsewhere")


def test_another_persons_key_gives_another_mark(
    request_: RunRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILL_STATE", str(tmp_path / "other"))
    assert not request_.is_ours(platform.node())
    assert request_.sealed().is_ours("")
    key = tmp_path / "other" / "origin.key"
    assert len(key.read_bytes()) == 32 and key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["origin.key"]
    monkeypatch.setenv("DISTILL_STATE", str(tmp_path / "run.json" / "no folder"))
    (tmp_path / "run.json").write_bytes(b"")  # nowhere to keep a key: what the machine has
    assert request_seal.seal(["a"]) == request_seal.seal(["a"]) != request_seal.seal(["b"])


def test_the_run_of_another_machine_is_resumed_once_its_sounds_are_named(
    request_: RunRequest, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_run(tmp_path / "run", request_.to_dict())
    monkeypatch.setenv("DISTILL_STATE", str(tmp_path / "here"))
    here = tmp_path / "here" / "mine"
    with pytest.raises(CorpusError, match="begun on another machine"):
        extend_run(tmp_path / "run", {})
    sounds.rename(here)
    with pytest.raises(CorpusError, match="begun on another machine"):
        extend_run(tmp_path / "run", {"max_steps": 5})
    found = extend_run(tmp_path / "run", {"max_steps": 5}, sounds=here)
    assert found is not None and {file.path.parent for file in found.files} == {here}
    request = RunRequest.from_dict(RunFolder(tmp_path / "run").read_request())
    assert {Path(entry.path).parent for entry in request.corpus} == {here}
    assert [entry.sha256 for entry in request.corpus] == [x.sha256 for x in request_.corpus]
    assert [entry.split for entry in request.corpus] == [x.split for x in request_.corpus]
    assert (request.config.max_steps, request.is_ours("")) == (5, True)
    assert len(read_corpus(request, progress=False)) == 4


def test_sounds_elsewhere_are_found_by_content_and_missing_ones_named(
    request_: RunRequest, sounds: Path, tmp_path: Path
) -> None:
    begin_run(tmp_path / "run", request_.to_dict())
    (sounds / "drum-02.wav").rename(sounds / "renamed.wav")
    extend_run(tmp_path / "run", {}, sounds=sounds)
    request = RunRequest.from_dict(RunFolder(tmp_path / "run").read_request())
    assert "renamed.wav" in {Path(entry.path).name for entry in request.corpus}
    (sounds / "renamed.wav").unlink()
    with pytest.raises(CorpusError, match=r"renamed\.wav: not among the 3 sounds given; 3 of 4"):
        extend_run(tmp_path / "run", {}, sounds=sounds)
    with pytest.raises(CorpusError, match=r"renamed\.wav: missing since .* resume\(\.\.\., sounds"):
        read_corpus(request, progress=False)


def test_new_sounds_are_reported_and_taken_where_asked(
    request_: RunRequest, sounds: Path, tmp_path: Path, corpus: AudioCorpus
) -> None:
    (sounds / "silent.wav").write_bytes((sounds / "drum-01.wav").read_bytes()[:1000])
    before = AudioCorpus.scan(sounds, progress=False)
    for source in (sounds, before):  # named as a folder, or scanned before
        request_ = RunRequest.of(request_.config, source, name="r", device="cpu")
        request_ = came_back(request_).with_corpus(before, before.split(0.1))
        assert about_new_sounds(request_) == "" and with_new_sounds(request_) is request_
    some = RunRequest.of(request_.config, [before.files[0].path], name="r", device="cpu")
    assert new_sounds(some) == []  # these files, said the person
    soundfile.write(sounds / "new.wav", corpus.waveforms[5].numpy(), 48_000)
    (sounds / "notes.txt").write_text("no sound")
    write_audio(sounds / "new.reconstruction.wav", corpus.waveforms[5], 48_000, made_by="a test")
    said = about_new_sounds(request_)
    assert said.startswith("1 new file is not part of this run (") and "new.wav" in said
    begin_run(tmp_path / "run", request_.to_dict())
    extend_run(tmp_path / "run", {}, new_sounds=True)
    request = RunRequest.from_dict(RunFolder(tmp_path / "run").read_request())
    assert len(request.corpus) == 5 and request.is_ours("")
    sides = {entry.sha256: entry.split for entry in request.corpus}
    assert all(sides[entry.sha256] == entry.split for entry in request_.corpus)
    assert about_new_sounds(request) == ""


def test_a_session_reads_nothing_that_was_not_named_here(
    request_: RunRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distill.training.session.session import run_session

    begin_run(tmp_path / "run", request_.to_dict())
    write_request(tmp_path / "run", {**request_.to_dict(), "sources": ["/"], "corpus": []})
    with (
        hold_run(tmp_path / "run") as folder,
        pytest.raises(CorpusError, match="begun on another machine"),
    ):
        run_session(folder)
