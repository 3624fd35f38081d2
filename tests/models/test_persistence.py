from __future__ import annotations

import dataclasses
import errno
import json
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from distill import (
    ConvVQVAE,
    VQVAEConfig,
    load_model,
    load_model_v2,
    read_audio,
    read_model_info,
    save_model_v2,
)
from distill.errors import (
    CorruptModelError,
    ModelFileError,
    ModelTypeError,
    ModelVersionError,
    NotAModelError,
)
from distill.family import known_families
from distill.models.file.container import read_container, write_container
from distill.training import TrainingResult


@pytest.fixture
def copy(trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "model.distill"
    path.write_bytes(trained.model_path.read_bytes())
    return path


def rewritten(path: Path, **texts: str | None) -> Path:
    """The same model with other metadata and a checksum that fits."""
    header, tensors = read_container(path)
    merged = {**header.texts, **texts}
    kept = {key: value for key, value in merged.items() if value is not None}
    return write_container(path, tensors, kept)


def test_a_loaded_model_is_the_saved_one(trained: TrainingResult, sounds_dir: Path) -> None:
    loaded, again = trained.load(), load_model_v2(trained.model_path)
    assert loaded.vqvae_config == again.vqvae_config
    for name, value in loaded.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name
    sound, rate = read_audio(sounds_dir / "drum-01.wav")
    assert torch.equal(loaded.encode(sound, rate).indices, again.encode(sound, rate).indices)


def test_it_carries_what_is_known_about_it(trained: TrainingResult) -> None:
    info = read_model_info(trained.model_path)
    assert info.name == "trained"
    assert info.metadata["corpus"]["files"] == 10
    assert info.metadata["level_labels"] == ["Structure", "Timbre", "Detail"]
    assert info.metadata["versions"]["torch"] == torch.__version__.split("+")[0]
    assert [level.label for level in info.codebook_health] == ["Structure", "Timbre", "Detail"]
    assert len(info.loss_curves["val"]) == trained.epochs
    assert min(info.loss_curves["val"]) == trained.best_val_loss
    assert info.parameters > 10_000
    assert info.file_bytes == trained.model_path.stat().st_size


def test_saving_a_loaded_model_keeps_everything_also_what_it_does_not_know(copy: Path) -> None:
    rewritten(copy, prior='{"kind": "later"}')
    loaded = load_model_v2(copy)
    again = save_model_v2(copy.with_name("again.distill"), loaded, metadata={"name": "other"})
    info = read_model_info(again)
    assert info.extra == {"prior": '{"kind": "later"}'}
    assert info.name == "other"
    assert info.metadata["created"] == loaded.metadata["created"]
    assert info.codebook_health == loaded.codebook_health
    assert info.loss_curves == loaded.loss_curves


def test_it_truncated_anywhere_is_refused(copy: Path) -> None:
    data = copy.read_bytes()
    for length in [*range(0, len(data), 1024), len(data) - 1]:
        copy.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match=r"truncated or altered|not a \.distill file"):
            load_model_v2(copy)
    copy.write_bytes(data + b"\0")
    with pytest.raises(CorruptModelError, match="truncated or altered"):
        load_model_v2(copy)


def test_any_flipped_bit_is_noticed(copy: Path) -> None:
    data = copy.read_bytes()
    header_end = 8 + int.from_bytes(data[:8], "little")
    places = [*range(0, header_end, 97), *range(header_end, len(data), 4999), len(data) - 1]
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 7)
        copy.write_bytes(flipped)
        with pytest.raises(ModelFileError):
            load_model_v2(copy)


def test_another_version_is_named(copy: Path) -> None:
    header, tensors = read_container(copy)
    data = safetensors.torch.save(tensors, metadata={**header.texts, "version": "3"})
    copy.write_bytes(data)
    with pytest.raises(ModelVersionError, match=r"version '3' of the format; .* reads version 2"):
        load_model_v2(copy)


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
        load_model_v2(copy)


def test_a_config_of_nonsense_is_named(copy: Path) -> None:
    header, _ = read_container(copy)
    config = {**json.loads(header.texts["vqvae_config"]), "levels": 99}
    rewritten(copy, vqvae_config=json.dumps(config))
    with pytest.raises(CorruptModelError, match="levels=99: expected a whole number from 1 to 8"):
        load_model_v2(copy)


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
            load_model_v2(copy)


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
            load_model_v2(path)
    torch.save({"bomb": Bomb()}, path)
    with pytest.raises(NotAModelError, match=r"not a \.distill file"):
        load_model_v2(path)
    assert not ran.exists()


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotAModelError, match="No such file"):
        load_model_v2(tmp_path / "none.distill")
    with pytest.raises(NotAModelError, match="a folder; expected a file"):
        read_model_info(tmp_path)


def test_a_full_disk_leaves_the_old_model_whole(
    copy: Path, trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = copy.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match=r"cannot be saved \(No space left on device\)"):
        save_model_v2(copy, trained.load())
    assert copy.read_bytes() == before
    assert list(copy.parent.iterdir()) == [copy]


def test_an_unwritable_folder_is_named(trained: TrainingResult, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be saved"):
        save_model_v2(tmp_path / "missing" / "model.distill", trained.load())


def test_a_header_is_enough_for_the_info(copy: Path) -> None:
    data = copy.read_bytes()
    altered = data[:-100] + bytes(100)  # the weights are not looked at
    copy.write_bytes(altered)
    assert read_model_info(copy).name == "trained"
    with pytest.raises(CorruptModelError, match="its checksum does not match"):
        load_model_v2(copy)


def test_a_model_is_fully_specified_by_its_config(tmp_path: Path) -> None:
    config = VQVAEConfig(
        width=24, latent_dim=4, levels=2, codebook_size=8, stride=3, kernel_size=5,
        encoder_depth=3, decoder_depth=1, seed=7, max_epochs=3,
    )  # fmt: skip
    model = ConvVQVAE(config)
    model.initialise(torch.randn(2, 128, 60))
    loaded = load_model_v2(save_model_v2(tmp_path / "m.distill", model))
    assert dataclasses.asdict(loaded.vqvae_config) == dataclasses.asdict(config)
