"""What holds for the files of every family: saved is loaded, and damage is named."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from distill import (
    ConvVQVAE,
    VAEConfig,
    VQVAEConfig,
    load_model,
    load_model_v2,
    read_audio,
    read_model_info,
    save_model,
)
from distill.config import AutoencoderConfig
from distill.errors import (
    CorruptModelError,
    ModelFileError,
    ModelTypeError,
    ModelVersionError,
    NotAModelError,
)
from distill.family import family, family_of, known_families
from distill.models.file.container import read_container, write_container
from distill.training import TrainingResult


@pytest.fixture
def copy(any_trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "model.distill"
    path.write_bytes(any_trained.model_path.read_bytes())
    return path


def rewritten(path: Path, **texts: str | None) -> Path:
    """The same model with other metadata and a checksum that fits."""
    header, tensors = read_container(path)
    merged = {**header.texts, **texts}
    kept = {key: value for key, value in merged.items() if value is not None}
    return write_container(path, tensors, kept)


def test_a_loaded_model_is_the_saved_one(
    any_trained: TrainingResult, sounds_dir: Path, tmp_path: Path
) -> None:
    loaded = any_trained.load()
    again = load_model(save_model(tmp_path / "again.distill", loaded))
    assert (type(again), again.config, again.digest) == (type(loaded), loaded.config, loaded.digest)
    assert (again.health, again.loss_curves) == (loaded.health, loaded.loss_curves)
    for name, value in loaded.weights.items():
        assert torch.equal(value, again.weights[name]), name
    sound, rate = read_audio(sounds_dir / "drum-01.wav")
    one, two = (vars(model.encode(sound, rate)) for model in (loaded, again))
    assert one.keys() == two.keys()
    for name, part in one.items():
        assert np.array_equal(np.asarray(part), np.asarray(two[name])), name
    assert torch.equal(loaded.reconstruct(sound, rate)[0], again.reconstruct(sound, rate)[0])


def test_it_carries_what_is_known_about_it(any_trained: TrainingResult) -> None:
    info = read_model_info(any_trained.model_path)
    assert info.name == any_trained.model_path.parent.name
    assert info.metadata["corpus"]["files"] == 10
    assert info.metadata["versions"]["torch"] == torch.__version__.split("+")[0]
    assert info.health == any_trained.history.best.health
    assert len(info.loss_curves["val"]) == any_trained.epochs
    assert min(info.loss_curves["val"]) == any_trained.best_val_loss
    assert info.parameters > 10_000
    assert info.file_bytes == any_trained.model_path.stat().st_size


def test_levels_have_names(trained: TrainingResult) -> None:
    info = read_model_info(trained.model_path)
    assert info.metadata["level_labels"] == ["Structure", "Timbre", "Detail"]
    assert [level.label for level in info.codebook_health] == ["Structure", "Timbre", "Detail"]


def test_saving_a_loaded_model_keeps_everything_also_what_it_does_not_know(copy: Path) -> None:
    rewritten(copy, prior='{"kind": "later"}')
    loaded = load_model(copy)
    again = save_model(copy.with_name("again.distill"), loaded, metadata={"name": "other"})
    info = read_model_info(again)
    assert info.extra == {"prior": '{"kind": "later"}'}
    assert info.name == "other"
    assert info.metadata["created"] == loaded.metadata["created"]
    assert info.health == loaded.health
    assert info.loss_curves == loaded.loss_curves


def test_it_truncated_anywhere_is_refused(copy: Path) -> None:
    data = copy.read_bytes()
    for length in [*range(0, len(data), 1024), len(data) - 1]:
        copy.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match=r"truncated or altered|not a \.distill file"):
            load_model(copy)
    copy.write_bytes(data + b"\0")
    with pytest.raises(CorruptModelError, match="truncated or altered"):
        load_model(copy)


def test_any_flipped_bit_is_noticed(copy: Path) -> None:
    data = copy.read_bytes()
    header_end = 8 + int.from_bytes(data[:8], "little")
    places = [*range(0, header_end, 97), *range(header_end, len(data), 4999), len(data) - 1]
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 7)
        copy.write_bytes(flipped)
        with pytest.raises(ModelFileError):
            load_model(copy)


def test_another_version_is_named(copy: Path) -> None:
    header, tensors = read_container(copy)
    data = safetensors.torch.save(tensors, metadata={**header.texts, "version": "3"})
    copy.write_bytes(data)
    reads = family(header.texts["model_type"]).file_version
    with pytest.raises(
        ModelVersionError, match=rf"version '3' of the format; .* reads version {reads}"
    ):
        load_model(copy)


def test_an_unknown_family_names_those_that_are_known(copy: Path) -> None:
    rewritten(copy, model_type="vaf")
    known = " or ".join(known_families())
    for read in (read_model_info, load_model, load_model_v2):
        with pytest.raises(
            ModelTypeError, match=rf"m.*holds a model of type 'vaf': expected {known}"
        ):
            read(copy)


def test_a_missing_section_is_named(copy: Path) -> None:
    rewritten(copy, loss_curves=None)
    with pytest.raises(CorruptModelError, match="its section 'loss_curves' is missing"):
        load_model(copy)


def test_a_config_of_nonsense_is_named(copy: Path) -> None:
    header, _ = read_container(copy)
    section = family(header.texts["model_type"]).config_section
    config = {**json.loads(header.texts[section]), "stride": 99}
    rewritten(copy, **{section: json.dumps(config)})
    with pytest.raises(CorruptModelError, match="stride=99: expected a whole number from 1 to 16"):
        load_model(copy)


def test_missing_misshapen_and_foreign_tensors_are_named(copy: Path) -> None:
    header, tensors = read_container(copy)
    name = "encoder.0.weight"
    cases = {
        rf"tensor '{name}' is missing": {k: v for k, v in tensors.items() if k != name},
        rf"'{name}' has shape \(3,\); expected \(16, 128, 5\)": {**tensors, name: torch.ones(3)},
        "tensor 'stray' belongs to no part": {**tensors, "stray": torch.ones(1)},
    }
    for message, altered in cases.items():
        write_container(copy, altered, header.texts)
        with pytest.raises(CorruptModelError, match=message):
            load_model(copy)


def test_what_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x.distill"
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(ran),))

    plain = safetensors.torch.save({"a": torch.ones(2)})
    for data in (b"", b"RIFF", pickle.dumps(Bomb()), b"\x89PNG\r\n\x1a\n" * 9, plain):
        path.write_bytes(data)
        with pytest.raises(NotAModelError, match=r"not a \.distill file|not of distill"):
            load_model(path)
    torch.save({"bomb": Bomb()}, path)
    with pytest.raises(NotAModelError, match=r"not a \.distill file"):
        load_model(path)
    assert not ran.exists()


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotAModelError, match="No such file"):
        load_model(tmp_path / "none.distill")
    with pytest.raises(NotAModelError, match="a folder; expected a file"):
        read_model_info(tmp_path)


def test_a_full_disk_leaves_the_old_model_whole(
    copy: Path, any_trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = copy.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match=r"cannot be saved \(No space left on device\)"):
        save_model(copy, any_trained.load())
    assert copy.read_bytes() == before
    assert list(copy.parent.iterdir()) == [copy]


def test_an_unwritable_folder_is_named(any_trained: TrainingResult, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be saved"):
        save_model(tmp_path / "missing" / "model.distill", any_trained.load())


def test_a_header_is_enough_for_the_info(copy: Path) -> None:
    data = copy.read_bytes()
    altered = data[:-100] + bytes(100)  # the weights are not looked at
    copy.write_bytes(altered)
    assert read_model_info(copy).name in ("trained", "breath")
    with pytest.raises(CorruptModelError, match="its checksum does not match"):
        load_model(copy)


SHAPE = {
    "width": 24, "latent_dim": 4, "stride": 3, "kernel_size": 5, "encoder_depth": 3,
    "decoder_depth": 1, "seed": 7, "max_epochs": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [VQVAEConfig(**SHAPE, levels=2, codebook_size=8), VAEConfig(**SHAPE, kl_weight=0.5)],
)
def test_a_model_is_fully_specified_by_its_config(
    config: AutoencoderConfig, tmp_path: Path
) -> None:
    model = family_of(config).build(config)
    if isinstance(model, ConvVQVAE):
        model.initialise(torch.randn(2, 128, 60))
    loaded = load_model(save_model(tmp_path / "m.distill", model))
    assert dataclasses.asdict(loaded.config) == dataclasses.asdict(config)
