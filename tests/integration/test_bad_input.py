"""Every bad beginning a person can make, against the real thing."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import torch

from distill import (
    AudioCorpus,
    RunFolder,
    SpectrogramConfig,
    TrainingRunner,
    VQVAEConfig,
    get_adaptive_vqvae_config,
    load_model_v2,
    train_vqvae,
)
from distill.errors import CorpusError, RunFolderError, TrainingError
from distill.training.run.preparation import begin_run
from distill.training.run.writer import hold_run
from distill.training.session import training_session

QUICK = {"width": 16, "latent_dim": 8, "max_steps": 6, "preview_every_epochs": 0}


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def adaptive(corpus: AudioCorpus) -> VQVAEConfig:
    return get_adaptive_vqvae_config(len(corpus), corpus.seconds, **QUICK)


def adaptive_for(files: int, seconds: float) -> VQVAEConfig:
    return get_adaptive_vqvae_config(files, seconds, **QUICK)


def test_one_file_of_five_minutes(tmp_path: Path) -> None:
    """Scans, trains, encodes and decodes without ever holding a whole spectrogram of it."""
    sound = noise(5 * 60 * 8_000)
    soundfile.write(tmp_path / "long.wav", sound.numpy(), 8_000)
    spectrogram = dataclasses.replace(SpectrogramConfig.for_rate(8_000), n_mels=32)
    config = get_adaptive_vqvae_config(1, 300.0, **{**QUICK, "spectrogram": spectrogram})
    corpus = AudioCorpus.scan(tmp_path / "long.wav", sample_rate=8_000, progress=False)
    assert corpus.seconds == pytest.approx(300)
    model = train_vqvae(config, corpus, tmp_path / "run", "cpu").load()
    codes = model.encode(sound, 8_000)
    assert codes.seconds == pytest.approx(300)
    made, rate = model.decode(codes)
    assert len(made) == 300 * rate
    assert torch.isfinite(made).all()


def test_five_hundred_files(tmp_path: Path) -> None:
    for number in range(500):
        soundfile.write(tmp_path / f"{number:03}.wav", noise(2_400, number).numpy(), 48_000)
    corpus = AudioCorpus.scan(tmp_path, progress=False)
    assert len(corpus) == 500
    config = adaptive(corpus)
    assert config.codebook_size == 256
    assert train_vqvae(config, corpus, tmp_path / "run", "cpu").steps == 6


def test_eight_channels_at_192_khz(tmp_path: Path) -> None:
    sound = torch.stack([noise(96_000, number) for number in range(8)], dim=1)
    soundfile.write(tmp_path / "surround.wav", sound.numpy(), 192_000)
    corpus = AudioCorpus.scan(tmp_path, progress=False)
    assert (corpus.files[0].channels, corpus.files[0].sample_rate) == (8, 192_000)
    assert train_vqvae(adaptive(corpus), corpus, tmp_path / "run", "cpu").steps == 6


def test_bad_files_never_stop_a_run(tmp_path: Path) -> None:
    sounds = tmp_path / "Aufnahmen & Räume"
    sounds.mkdir()
    for number in range(3):
        soundfile.write(sounds / f"gut {number}.flac", noise(24_000, number).numpy(), 48_000)
    whole = (sounds / "gut 0.flac").read_bytes()
    (sounds / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (sounds / "zero.wav").write_bytes(b"")
    (sounds / "text.wav").write_text("I am no sound")
    soundfile.write(sounds / "silent.wav", torch.zeros(9_600).numpy(), 48_000)
    corpus = AudioCorpus.scan(sounds, progress=False)
    assert [file.path.name for file in corpus.files] == [f"gut {n}.flac" for n in range(3)]
    assert len(corpus.refusals) == 4
    assert train_vqvae(adaptive(corpus), corpus, tmp_path / "run", "cpu").steps == 6


def test_none_good_lists_why(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "b.txt").write_text("b")
    with pytest.raises(CorpusError, match=r"none of 2 files is usable:\n(.|\n)*a\.wav: an empty"):
        AudioCorpus.scan(tmp_path, progress=False)


def mounted(folder: Path, options: str) -> None:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    mounted(folder, "size=512k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "read-only"
    mounted(folder, "ro,size=1m")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_output_folder(read_only_disk: Path, corpus: AudioCorpus) -> None:
    with pytest.raises(RunFolderError, match=r"cannot be written \(Read-only file system\)"):
        train_vqvae(adaptive(corpus), corpus, read_only_disk / "run", "cpu")


def test_a_disk_that_fills_while_training(
    small_disk: Path, corpus: AudioCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says so and goes on; the model that does not fit is a clear error in the end."""
    monkeypatch.setattr(training_session, "_WAITS_FOR_ROOM_S", 0.1)
    config = dataclasses.replace(adaptive(corpus), width=96, max_steps=30, checkpoint_every_s=0.0)
    events: list[object] = []
    with pytest.raises(TrainingError, match=r"the disk is full .*make room, then resume"):
        train_vqvae(config, corpus, small_disk / "run", "cpu", events.append)
    warnings = [event for event in events if getattr(event, "kind", "") == "disk"]
    assert warnings
    assert all("make room" in w.message for w in warnings)  # type: ignore[attr-defined]
    assert type(events[-1]).__name__ == "TrainingFailedEvent"
    left = [path.name for path in small_disk.rglob("*") if path.suffix == ".tmp"]
    assert left == []


def test_two_processes_into_one_folder(
    corpus: AudioCorpus, tiny_config: VQVAEConfig, tmp_path: Path
) -> None:
    begin_run(tmp_path / "run", {})
    with (
        hold_run(tmp_path / "run"),
        pytest.raises(RunFolderError, match="another training is running there"),
    ):
        train_vqvae(tiny_config, corpus, tmp_path / "run", "cpu", overwrite=True)


def test_real_recordings(shared_data: Path, tmp_path: Path) -> None:
    corpus = AudioCorpus.scan(shared_data / "sonic_pi", progress=False)
    assert len(corpus) == 162
    assert {refusal.path.name for refusal in corpus.refusals} == {
        "README.md", "elec_tick.flac", "tabla_ke1.flac", "tabla_ke2.flac",
    }  # fmt: skip
    model = train_vqvae(adaptive(corpus), corpus, tmp_path / "run", "cpu").load()
    again = load_model_v2(tmp_path / "run" / "model.distill")
    sound = corpus.waveforms[0]
    assert torch.equal(model.encode(sound, 48_000).indices, again.encode(sound, 48_000).indices)
    assert (tmp_path / "run" / "model.distill").stat().st_size < 1_000_000


def test_an_earlier_run_is_no_corpus(corpus: AudioCorpus, tmp_path: Path) -> None:
    train_vqvae(adaptive(corpus), corpus, tmp_path / "run", "cpu")
    with pytest.raises(CorpusError, match="a distill run, not recordings; name the folder"):
        AudioCorpus.scan(tmp_path / "run", progress=False)
    with pytest.raises(CorpusError, match="run: a distill run, not recordings"):
        AudioCorpus.scan(tmp_path, progress=False)


def test_links(tmp_path: Path) -> None:
    """A linked file is a sound under its own name; a linked folder is named, not followed."""
    blobs, sounds = tmp_path / "blobs", tmp_path / "sounds"
    blobs.mkdir()
    sounds.mkdir()
    soundfile.write(blobs / "abc123", noise(9_600).numpy(), 48_000, format="WAV")
    (sounds / "kick.wav").symlink_to(blobs / "abc123")
    (sounds / "more").symlink_to(blobs)
    runner = TrainingRunner("thread")
    runner.start_vqvae(adaptive_for(1, 0.2), sounds, tmp_path / "run", "cpu")
    result = runner.wait(100)
    assert result is not None and result.steps == 6
    request = RunFolder(tmp_path / "run").read_request()
    assert [Path(entry["path"]).name for entry in request["corpus"]] == ["kick.wav"]
    assert request["refused"] == ["more: a link to a folder; name it by itself"]
    [warning] = [w for w in result.history.warnings if w.kind == "corpus"]
    assert "1 file is not used" in warning.message
