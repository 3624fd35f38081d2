"""Files of a family that distill does not bring, of several versions, and with further sections."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from distill import (
    ConvVAE,
    ConvVQVAE,
    LoadedModel,
    LoadedVQModel,
    TrainingConfig,
    VAEConfig,
    VQVAEConfig,
    edit_metadata,
    family as families,
    load_model,
    load_model_v2,
    read_model_info,
    save_model,
    save_model_v2,
)
from distill.config import AutoencoderConfig
from distill.config.fields import number
from distill.errors import (
    ConfigError,
    CorruptModelError,
    ModelFileError,
    ModelTypeError,
    ModelVersionError,
)
from distill.models.autoencoder import ConvAutoencoder
from distill.models.file import container, weights
from distill.models.file.container import read_container, write_container
from distill.models.use.pieces import decoded_pieces
from distill.models.use.sounds import SoundAtRate

OLD = Path(__file__).parents[1] / "data" / "first_version" / "finished" / "model.distill"


@dataclass(frozen=True, kw_only=True)
class PlainConfig(AutoencoderConfig):
    squeeze: float = number(1.0, 0.0, 10.0)


@dataclass(frozen=True)
class PlainHealth:
    dim: int
    spread: float


@dataclass(frozen=True)
class Plain:
    latent: Tensor
    samples: int
    peak: float


class PlainModel(ConvAutoencoder):
    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.config = config

    def encode(self, mel: Tensor) -> Tensor:
        return self.encoded(mel)


class LoadedPlain(LoadedModel[Plain]):
    def _encode(self, sound: SoundAtRate) -> Plain:
        return Plain(torch.cat(list(self._latents(sound)), dim=-1), sound.samples, sound.peak)

    def decode_pieces(self, encoded: Plain, *, force: bool = False) -> Iterator[Tensor]:
        latent = encoded.latent

        def take(start: int, stop: int) -> Tensor:
            return latent[:, start:stop]

        mels = decoded_pieces(self.model, take, latent.shape[-1])
        return self._sounds(mels, encoded.samples, encoded.peak)


def _never(*_arguments: Any) -> Any:
    raise AssertionError("files need no training")


PLAIN = families.Family(
    name="plain",
    title="plain autoencoder",
    file_version=1,
    config=PlainConfig,
    loss_parts=("reconstruction",),
    build=PlainModel,
    open=LoadedPlain,
    task=_never,
    adaptive_config=_never,
    health=_never,
    health_type=PlainHealth,
)
SMALL = {"width": 8, "latent_dim": 4, "encoder_depth": 1, "decoder_depth": 1, "kernel_size": 3}
HEALTH = (PlainHealth(0, 0.5), PlainHealth(1, 0.25))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(families._registered, "plain", PLAIN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return save_model(
        tmp_path / "plain.distill",
        PlainModel(PlainConfig(squeeze=2.0, seed=5, **SMALL)).eval(),  # type: ignore[arg-type]
        health=HEALTH,
        loss_curves={"val": [2.0, 1.0]},
        metadata={"tags": ["a"]},
    )


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old.distill").write_bytes(OLD.read_bytes())
    return tmp_path / "old.distill"


def rewritten(path: Path, **texts: str | None) -> Path:
    header, tensors = read_container(path)
    merged = {**header.texts, **texts}
    return write_container(path, tensors, {k: v for k, v in merged.items() if v is not None})


def test_a_file_of_any_family_says_what_it_is(path: Path) -> None:
    info = read_model_info(path)
    assert (info.family, info.name, info.texts["version"]) == ("plain", "plain", "1")
    assert info.config == PlainConfig(squeeze=2.0, seed=5, **SMALL)  # type: ignore[arg-type]
    assert json.loads(info.texts["plain_config"])["squeeze"] == 2.0
    assert json.loads(info.texts["training_config"])["seed"] == 5
    assert info.health == HEALTH and info.codebook_health == ()
    assert "level_labels" not in info.metadata
    assert info.parameters == info.config.parameters


def test_a_model_of_any_family_comes_back_and_sounds(path: Path) -> None:
    model = load_model(path)
    assert isinstance(model, LoadedPlain)
    assert (model.health, model.loss_curves) == (HEALTH, {"val": [2.0, 1.0]})
    sound = torch.sin(torch.arange(7_000) * 0.05)
    made, rate = model.reconstruct(sound, 44_100)
    assert (len(made), rate) == (7_000, 44_100)
    again = load_model(model.save(path.with_name("again.distill"), metadata={"name": "b"}))
    assert (again.name, again.metadata["tags"], again.digest) == ("b", ["a"], model.digest)
    assert torch.equal(again.encode(sound, 44_100).latent, model.encode(sound, 44_100).latent)
    assert again.sections == {**model.sections, "metadata": again.sections["metadata"]}


def test_load_model_opens_an_rvq_vae_of_the_first_version() -> None:
    model = load_model(OLD)
    assert isinstance(model, LoadedVQModel)
    assert model.digest == load_model_v2(OLD).digest


def test_the_old_calls_say_which_one_opens_and_saves_it(path: Path) -> None:
    message = (
        r"plain\.distill: holds a plain autoencoder model \('plain', version 1\); "
        r"load_model\(path\) opens it"
    )
    with pytest.raises(ModelTypeError, match=message):
        load_model_v2(path)
    with pytest.raises(ModelTypeError, match=r"a plain autoencoder model: save_model\(path, model"):
        save_model_v2(path, load_model(path))
    with pytest.raises(ModelTypeError, match=r"settings of type TrainingConfig: expected those of"):
        model = PlainModel(PlainConfig())
        model.config = TrainingConfig()  # type: ignore[assignment]
        save_model(path, model)


def test_a_version_of_another_family_is_named(path: Path, old: Path) -> None:
    rewritten(path, version="2")
    with pytest.raises(ModelVersionError, match=r"version '2' .* reads version 1 of plain auto"):
        load_model(path)
    rewritten(old, version="1")
    for read in (read_model_info, load_model, load_model_v2):
        with pytest.raises(ModelVersionError, match=r"version '1' .* reads version 2 of RVQ-VAE"):
            read(old)


def test_a_file_with_the_settings_of_another_family_is_named(path: Path, old: Path) -> None:
    rewritten(old, model_type="plain", version="1")
    message = "'plain_config' is missing; it says 'plain' and has 'vqvae_config', the settings of"
    with pytest.raises(CorruptModelError, match=message):
        load_model(old)
    rewritten(path, model_type="vqvae", version="2")
    with pytest.raises(CorruptModelError, match=r"'vqvae_config' is missing; .* 'plain_config'"):
        load_model_v2(path)
    settings = read_container(OLD)[0].texts["vqvae_config"]
    rewritten(path, model_type="plain", version="1", plain_config=settings)
    with pytest.raises(CorruptModelError, match="plain_config: holds the settings of 'vqvae' "):
        load_model(path)


def test_any_flipped_bit_of_a_file_of_version_1_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    for place in [*range(0, end, 61), *range(end, len(data), 997), len(data) - 1]:
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 7)
        path.write_bytes(flipped)
        with pytest.raises(ModelFileError):
            load_model(path)


@pytest.mark.parametrize("row", [{"dim": 0}, {"dim": "0", "spread": 1.0}, "x", {"dim": 0.5}])
def test_health_of_another_form_is_refused(path: Path, row: object) -> None:
    rewritten(path, health=json.dumps([row]))
    with pytest.raises(CorruptModelError, match=r"its header is altered \(health: "):
        read_model_info(path)


def test_a_model_without_levels_has_no_names_for_them(path: Path) -> None:
    with pytest.raises(ConfigError, match="1 level_labels: expected 0"):
        edit_metadata(path, level_labels=["a"])


def with_later(path: Path) -> dict[str, Tensor]:
    """Adds a section that nobody knows; returns its tensors."""
    others = {
        "later.layer.weight": torch.randn(3, 5).to(torch.bfloat16),
        "later.table": torch.tensor([[1, -2], [3, 2**40]]),
        "later.gain": torch.tensor(float("nan")),
        "vocoder.on": torch.tensor([True, False]),
    }
    header, tensors = read_container(path)
    texts = {**header.texts, "later": '{"kind":"later",  "n": 1.0}', "vocoder": "{}"}
    write_container(path, {**tensors, **others}, {**texts, "notes": "mine"})
    return others


def as_bytes(tensors: dict[str, Tensor]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {
        name: (str(one.dtype), tuple(one.shape), bytes(one.reshape(-1).view(torch.uint8).tolist()))
        for name, one in tensors.items()
    }


@pytest.mark.parametrize("family", ["plain", "vqvae"])
def test_sections_nobody_knows_are_named_and_kept_bit_for_bit(
    family: str, path: Path, old: Path
) -> None:
    path = path if family == "plain" else old
    before, digest = read_model_info(path), load_model(path).digest
    others = with_later(path)
    info = read_model_info(path)
    assert info.other_sections == ("later", "notes", "vocoder")
    assert info.parameters == before.parameters
    model = load_model(path)
    assert model.digest == digest  # it is the same model
    assert as_bytes(model.other_tensors) == as_bytes(others)
    again = model.save(path.with_name("again.distill"))
    edited = edit_metadata(path, name="new").path
    for file in (again, edited):
        header, tensors = read_container(file)
        kept = {name: tensor for name, tensor in tensors.items() if name in others}
        assert as_bytes(kept) == as_bytes(others)
        assert header.texts["later"] == '{"kind":"later",  "n": 1.0}'
        assert header.texts["notes"] == "mine"
    model.encode(torch.ones(3000), 48_000)


@pytest.mark.parametrize(
    "name", ["encodr.0.weight", "encoder.9.weight", "later", "metadata.a", "later2.a", ".a"]
)
def test_a_misspelt_tensor_is_refused(name: str, path: Path) -> None:
    with_later(path)
    header, tensors = read_container(path)
    write_container(path, {**tensors, name: torch.ones(2)}, {**header.texts, "encoder": "{}"})
    before = path.read_bytes()
    for use in (load_model, edit_metadata):
        with pytest.raises(CorruptModelError, match=f"'{name}' belongs to no part of the model"):
            use(path)
    assert path.read_bytes() == before


def test_sections_nobody_knows_take_bounded_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = with_later(path)
    size = sum(tensor.nbytes for tensor in others.values())
    monkeypatch.setattr(weights, "MOST_OTHER_BYTES", size)
    assert load_model(path).other_tensors.keys() == others.keys()
    monkeypatch.setattr(weights, "MOST_OTHER_BYTES", size - 1)

    def never(*_: object) -> None:
        raise AssertionError("tensors were read")

    monkeypatch.setattr(container, "_tensor_bytes", never)
    for use in (load_model, edit_metadata):
        with pytest.raises(CorruptModelError, match=f"does not know take {size} bytes; expected"):
            use(path)


def test_a_model_in_use_does_not_hold_the_bytes_of_its_file(path: Path) -> None:
    with_later(path)
    for tensor in load_model(path).other_tensors.values():
        assert tensor.untyped_storage().nbytes() == tensor.nbytes


def test_settings_of_a_model_decide_its_digest(path: Path) -> None:
    model = load_model(path)
    config = VQVAEConfig(**SMALL, levels=1, codebook_size=4)  # type: ignore[arg-type]
    assert LoadedVQModel(ConvVQVAE(config)).digest != model.digest
    before = model.digest
    model.model.config = PlainConfig(squeeze=3.0, seed=5, **SMALL)  # type: ignore[arg-type]
    assert model.digest != before


@pytest.mark.slow  # a program
def test_another_family_opens_without_the_library_of_codebooks(tmp_path: Path) -> None:
    """And a kernel that only looks at runs is spared torch.compile, which trainings bring in."""
    network = ConvVAE(VAEConfig(**SMALL))  # type: ignore[arg-type]
    path = save_model(tmp_path / "a.distill", network)
    program = (
        "import sys, distill; distill.TrainingRunner.attach(sys.argv[2]); print(*sys.modules); "
        "distill.load_model(sys.argv[1]).digest; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(OLD.parent)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    looking, opened = (line.split() for line in done.stdout.splitlines())
    assert "distill.families.vqvae" in looking and "torch._dynamo" not in looking
    assert "distill.models.vae.model" in opened
    assert "vector_quantize_pytorch" not in opened
