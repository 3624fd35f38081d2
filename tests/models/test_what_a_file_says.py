"""What a header says is typed, ranged, and kept where it is not understood."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import (
    edit_metadata,
    load_model_v2,
    read_model_info,
    save_model_v2,
)
from distill.errors import ConfigError, CorruptModelError, ModelFileError
from distill.family import family
from distill.models.file import container, sections
from distill.models.file.container import read_container, write_container

OLD = Path(__file__).parents[1] / "data" / "first_version" / "finished" / "model.distill"
posix = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.distill").write_bytes(OLD.read_bytes())
    return tmp_path / "a.distill"


def rewritten(path: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> Path:
    header, tensors = read_container(path)
    return write_container(path, tensors, change(dict(header.texts)))


def with_field(path: Path, section: str, **fields: Any) -> Path:
    def change(texts: dict[str, str]) -> dict[str, str]:
        return {**texts, section: json.dumps({**json.loads(texts[section]), **fields})}

    return rewritten(path, change)


def test_a_file_of_the_first_version_is_saved_again_byte_for_byte(path: Path) -> None:
    before = read_model_info(path)
    assert before.passed_over == () and before.digest is None
    model = load_model_v2(path)
    after = read_model_info(save_model_v2(path.with_name("b.distill"), model))
    assert {
        name: after.texts[name] for name in sections.section_names(family("vqvae"))
    } == model.sections
    assert after.digest == model.digest == load_model_v2(after.path).digest


def test_fields_of_later_versions_are_passed_over_by_name_and_stay(path: Path) -> None:
    with_field(path, "vqvae_config", rotation=0.5)
    with_field(path, "spectrogram_config", window="hann")
    with_field(path, "training_config", schedule=[1, {"a": 2.50}])
    with_field(path, "metadata", tags="voice", mine={"x": 1.0}, training={"epochs": "many"})
    model = load_model_v2(path)
    info = read_model_info(path)
    assert info.passed_over == (
        "vqvae_config.rotation",
        "spectrogram_config.window",
        "training_config.schedule",
        "metadata.tags",
        "metadata.training",
    )
    assert "tags" not in model.metadata and model.metadata["mine"] == {"x": 1.0}
    again = save_model_v2(path.with_name("b.distill"), model, metadata={"name": "new"})
    edited = edit_metadata(path, name="new")
    for found in (read_model_info(again), edited):
        assert found.name == "new" and set(found.passed_over) == set(info.passed_over)
        for name in ("vqvae_config", "spectrogram_config", "training_config"):
            assert found.texts[name] == info.texts[name]
        kept = json.loads(found.texts["metadata"])
        assert kept["tags"] == "voice" and kept["training"] == {"epochs": "many"}


@pytest.mark.parametrize(
    ("section", "fields", "reason"),
    [
        ("vqvae_config", {"levels": True}, "levels=True: expected a whole number from 1 to 16"),
        ("vqvae_config", {"levels": 3.0}, "levels=3.0: expected a whole number from 1 to 16"),
        ("vqvae_config", {"stride": "2"}, r"vqvae_config: stride: expected bool \| int"),
        ("spectrogram_config", {"sample_rate": 44100.0}, "sample_rate=44100.0: expected a whole"),
        ("training_config", {"seed": None}, "seed=None: expected a whole number"),
        ("loss_curves", {"val": ["<b>"]}, "loss_curves: .*expected float | null, got str"),
        ("loss_curves", {"val": [10**400]}, "loss_curves: .*number out of range"),
        ("loss_curves", {f"c{n}": [] for n in range(65)}, "loss_curves: expected object of len"),
    ],
)
def test_a_value_out_of_line_is_refused_where_it_stands(
    path: Path, section: str, fields: dict[str, Any], reason: str
) -> None:
    with_field(path, section, **fields)
    with pytest.raises(CorruptModelError, match=rf"a\.distill: its header is altered \({reason}"):
        read_model_info(path)


@pytest.mark.parametrize(
    "row",
    [
        {"dead_codes": "<img src=x onerror=alert(1)>"},
        {"dead_codes": 9},
        {"utilization": 1.5},
        {"perplexity": None},
        {"perplexity": 9.0},
        {"entries": 7},
        {"level": 1},
        {"samples": -1},
        {"churn": 10**400},
        {"other_samples": -1},
        {"other_utilization": 1.5},
        {"other_entropy_bits": 17.0},
        {"over": "x" * 41},
        {"label": 3},
    ],
)
def test_health_is_numbers_in_their_ranges(path: Path, row: dict[str, Any]) -> None:
    def change(texts: dict[str, str]) -> dict[str, str]:
        first, *rest = json.loads(texts["codebook_health"])
        return {**texts, "codebook_health": json.dumps([{**first, **row}, *rest])}

    rewritten(path, change)
    for read in (read_model_info, load_model_v2):
        with pytest.raises(CorruptModelError, match=r"its header is altered \(codebook_health: "):
            read(path)


@pytest.mark.parametrize("field", ["sample_rate", "n_fft", "f_max_hz"])
def test_what_decides_the_sound_may_not_be_missing(path: Path, field: str) -> None:
    def change(texts: dict[str, str]) -> dict[str, str]:
        values = json.loads(texts["spectrogram_config"])
        values.pop(field)
        return {**texts, "spectrogram_config": json.dumps(values)}

    rewritten(path, change)
    with pytest.raises(CorruptModelError, match=f"spectrogram_config: {field} is missing"):
        read_model_info(path)


def test_long_labels_are_shown_short(path: Path) -> None:
    with_field(path, "metadata", level_labels=["x" * 60, " a\n b ", "ok"])
    assert load_model_v2(path).level_labels == ("x" * 39 + "…", "a b", "ok")
    with pytest.raises(ConfigError, match=r"the level label 'xxx.*: expected 1 to 40 characters"):
        edit_metadata(path, level_labels=["x" * 41, "b", "c"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tags": "voice"}, "tags: expected array, got str"),
        ({"name": ["a"]}, "name: expected float | str, got array"),
        ({"name": "x" * 1001}, "name: expected str of length <= 1000"),
        ({"training": {"best_epoch": "x"}}, "training: best_epoch: expected int, got str"),
        ({"start": {"model": 3}}, "start: model: expected str, got int"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    path: Path, changes: dict[str, Any], message: str
) -> None:
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=message.replace("|", r"\|")):
        edit_metadata(path, **changes)
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_cannot_sound_are_neither_read_nor_written(path: Path, value: float) -> None:
    header, tensors = read_container(path)
    name = "encoder.0.weight"
    altered = {**tensors, name: tensors[name].clone().fill_(value)}
    texts = {key: text for key, text in header.texts.items() if key != "model_digest"}
    write_container(path, altered, texts)
    with pytest.raises(CorruptModelError, match=f"the tensor '{name}' holds NaN, Inf or numbers"):
        load_model_v2(path)
    model = load_model_v2(OLD)
    with torch.no_grad():
        model.model.state_dict()[name].fill_(value)
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="holds NaN, Inf or numbers beyond"):
        save_model_v2(path, model, overwrite=True)
    assert path.read_bytes() == before


def test_a_tensor_of_another_kind_is_refused(path: Path) -> None:
    header, tensors = read_container(path)
    name = "encoder.0.bias"
    write_container(path, {**tensors, name: tensors[name].to(torch.int64)}, header.texts)
    with pytest.raises(CorruptModelError, match=f"the tensor '{name}' is of type I64"):
        load_model_v2(path)


def test_a_digest_of_another_model_is_refused(path: Path) -> None:
    save_model_v2(path, load_model_v2(path), overwrite=True)
    rewritten(path, lambda texts: {**texts, "model_digest": "0" * 64})
    with pytest.raises(CorruptModelError, match="its weights are not those of its digest"):
        load_model_v2(path)


def test_no_memory_is_taken_for_tensors_that_are_not_of_the_model(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_field(path, "vqvae_config", width=16)

    def never(*_: object) -> None:
        raise AssertionError("weights were read")

    monkeypatch.setattr(container, "_tensor_bytes", never)
    with pytest.raises(CorruptModelError, match=r"'encoder.0.weight' has shape .*; expected"):
        load_model_v2(path)


def test_long_trainings_are_kept_in_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "LONGEST_CURVE", 10)
    model = load_model_v2(path)
    curve = [float(number) for number in range(25)]
    save_model_v2(path, model, overwrite=True, loss_curves={"val": curve, "short": curve[:10]})
    assert read_model_info(path).loss_curves == {"val": curve[::3], "short": curve[:10]}


@pytest.mark.parametrize(
    "given",
    [
        {"metadata": {"x": object()}},
        {"metadata": {"name": "\ud800"}},
        {"loss_curves": {"val": ["a"]}},
        {"codebook_health": [{"level": "x"}]},
    ],
)
def test_what_no_file_can_hold_is_a_config_error(path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"JSON cannot hold|could not be read again"):
        save_model_v2(path, load_model_v2(OLD), **given)


def test_a_header_that_could_not_be_read_again_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model_v2(OLD)
    monkeypatch.setattr(container, "HEADER_LIMIT", 1000)
    with pytest.raises(ModelFileError, match=r"takes .* bytes; at most 1000 can be read again"):
        save_model_v2(path, model, overwrite=True)


@posix
def test_renaming_keeps_the_permissions(path: Path) -> None:
    path.chmod(0o600)
    edit_metadata(path, name="mine")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o444)
    with pytest.raises(ModelFileError, match="the file there may only be read; make it writable"):
        edit_metadata(path, name="other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o444 and read_model_info(path).name == "mine"


@pytest.mark.parametrize("section", ["metadata", "vqvae_config", "codebook_health"])
def test_a_section_has_a_ceiling(path: Path, section: str) -> None:
    rewritten(path, lambda texts: {**texts, section: texts[section] + " " * (4 << 20)})
    with pytest.raises(CorruptModelError, match=rf"{section}: \d+ bytes; expected at most 4194304"):
        read_model_info(path)
