"""A folder goes through: what is bad is named, the next one is done, and the code says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill import ConvVQVAE, LoadedVQModel, load_model_v2, save_model_v2
from distill.cli.files import Options, convert
from distill.errors import CodesError, ConfigError
from distill.training import TrainingResult


@pytest.fixture
def model(trained: TrainingResult) -> Path:
    return trained.model_path


@pytest.fixture
def folder(tmp_path: Path, sounds_dir: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in (1, 2):
        shutil.copy(sounds_dir / f"drum-0{number}.wav", folder / f"{number}.wav")
    return folder


def test_what_is_no_sound_is_named_and_does_not_count(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.txt").write_text("a note")
    (folder / ".DS_Store").write_bytes(b"x")
    assert convert("encode", model, folder, None, "cpu") == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("distill: 1 not used:\n  notes.txt: a .txt file, not sound")
    assert len(printed.out.splitlines()) == 2


def test_sound_that_is_not_read_here_counts(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    (folder / ".take.wav.icloud").write_bytes(b"b")
    assert convert("encode", model, folder, None, "cpu") == 2
    printed = capsys.readouterr().err
    assert printed.startswith("distill: 2 not used:\n")
    assert "phone.m4a: " in printed and "take.wav: not downloaded" in printed


def test_a_name_that_is_no_utf8_goes_through(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"Gel\xe4ut\x1b.wav")
    (folder / "1.wav").rename(folder / name)
    (folder / os.fsdecode(b"bad\xff.wav")).write_bytes(b"RIFF")
    for kind in ("encode", "reconstruct"):
        assert convert(kind, model, folder, None, "cpu") == 1
        printed = capsys.readouterr()
        assert "/Gel\\xe4ut\\x1b." in printed.out
        assert printed.err.startswith("distill: bad\\xff.wav: unreadable")
    assert (folder.parent / "in-encoded" / f"{name}.npz").is_file()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("some library gave up\nwith generated code"),
        PermissionError(13, "Permission denied", "x"),
        OSError(5, "Input/output error"),
        KeyError("a fault"),
    ],
)
def test_whatever_happens_to_one_the_next_is_done(
    error: Exception, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    encode = LoadedVQModel.encode_file

    def sometimes(self: LoadedVQModel, path: Path, **options: Any) -> object:
        if path.name == "1.wav":
            raise error
        return encode(self, path, **options)

    monkeypatch.setattr(LoadedVQModel, "encode_file", sometimes)
    assert convert("encode", model, folder, None, "cpu") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("distill: ") and "1.wav" in line
    assert (folder.parent / "in-encoded" / "2.wav.npz").is_file()


def test_nothing_good_at_all_is_an_error(model: Path, folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"RIFF")
    with pytest.raises(ConfigError, match="none of 2 files could be used"):
        convert("encode", model, folder, None, "cpu")


def test_codes_of_another_model_are_refused_unless_forced(
    model: Path, folder: Path, tmp_path: Path
) -> None:
    convert("encode", model, folder / "1.wav", None, "cpu")
    torch.manual_seed(9)
    other = ConvVQVAE(load_model_v2(model).vqvae_config)
    other.initialise(torch.randn(1, 128, 400))
    path = save_model_v2(tmp_path / "other.distill", other.eval(), metadata={"name": "other"})
    with pytest.raises(CodesError, match=r"codes of the model 'trained' .*; this model is 'other'"):
        convert("decode", path, folder / "1.wav.npz", None, "cpu")
    assert not (folder / "1.reconstruction.wav").exists()
    assert convert("decode", path, folder / "1.wav.npz", None, "cpu", Options(force=True)) == 0
    assert (folder / "1.reconstruction.wav").is_file()


def test_results_are_the_same_as_from_python(model: Path, folder: Path) -> None:
    from distill import Codes, read_audio
    from distill.audio import is_reconstruction

    convert("encode", model, folder / "1.wav", None, "cpu")
    convert("reconstruct", model, folder / "1.wav", None, "cpu")
    loaded = load_model_v2(model)
    sound, rate = read_audio(folder / "1.wav")
    assert torch.equal(Codes.load(folder / "1.wav.npz").indices, loaded.encode(sound, rate).indices)
    made = folder / "1.reconstruction.wav"
    assert is_reconstruction(made) and not is_reconstruction(folder / "1.wav")
    expected = loaded.reconstruct(sound, rate)[0].clamp(-1, 1)
    assert np.allclose(read_audio(made)[0], expected, atol=1e-3)
