"""Changing what a model file says of itself, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from distill import edit_metadata, load_model_v2, read_model_info
from distill.errors import ConfigError, CorruptModelError, ModelFileError, NotAModelError
from distill.models.file import container
from distill.models.file.container import read_container, rewrite_texts, write_container
from distill.training import TrainingResult


@pytest.fixture
def copy(trained: TrainingResult, tmp_path: Path) -> Path:
    path = tmp_path / "model.distill"
    path.write_bytes(trained.model_path.read_bytes())
    return path


def tensor_bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


def test_only_what_was_named_changes_and_the_weights_do_not(copy: Path) -> None:
    before, weights = read_container(copy)[0], tensor_bytes(copy)
    info = edit_metadata(copy, name="Grüße 🎵", tags=["a", "b"], mine={"any": [1, None]})
    assert (info.name, info.metadata["tags"]) == ("Grüße 🎵", ["a", "b"])
    assert info.metadata["mine"] == {"any": [1, None]}
    after, _ = read_container(copy)  # checks the checksum
    changed = {key for key in before.texts if before.texts[key] != after.texts[key]}
    assert changed == {"metadata", "checksum"}
    assert tensor_bytes(copy) == weights
    assert load_model_v2(copy).metadata["name"] == "Grüße 🎵"
    assert [item.name for item in copy.parent.iterdir()] == ["model.distill"]


def test_none_takes_away(copy: Path) -> None:
    edit_metadata(copy, mine=1)
    assert "mine" not in edit_metadata(copy, mine=None).metadata


def test_sections_it_does_not_know_stay(copy: Path) -> None:
    header, tensors = read_container(copy)
    write_container(copy, tensors, {**header.texts, "prior": "later"})
    assert edit_metadata(copy, name="x").extra == {"prior": "later"}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(min_size=1))
def test_any_name_comes_back(copy: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        with pytest.raises(ConfigError, match="metadata that JSON cannot hold"):
            edit_metadata(copy, name=name)
    else:
        assert edit_metadata(copy, name=name).name == name
        assert int.from_bytes(copy.read_bytes()[:8], "little") % 8 == 0
        read_container(copy)


def test_tensors_of_every_type_are_checked_by_their_bytes(tmp_path: Path) -> None:
    types = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
    types += [torch.float16, torch.bfloat16, torch.float32, torch.float64]
    tensors = {str(kind): torch.ones(3, 2, dtype=kind) for kind in types}
    tensors |= {"empty": torch.zeros(0, 4), "one": torch.tensor(2.0)}
    path = write_container(tmp_path / "all.distill", tensors, {"a": "1"})
    rewrite_texts(path, lambda header: {**header.texts, "a": "2"})
    header, again = read_container(path)
    assert header.texts["a"] == "2"
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("place", [-1, -5000, 300, 2000])
def test_damage_is_never_given_a_checksum_that_fits(copy: Path, place: int) -> None:
    data = bytearray(copy.read_bytes())
    data[place] ^= 4
    copy.write_bytes(data)
    with pytest.raises(ModelFileError):
        edit_metadata(copy, name="x")
    assert copy.read_bytes() == bytes(data)


def test_a_header_without_what_tensors_need_is_damage(copy: Path) -> None:
    data = copy.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    values = json.loads(data[8:end])
    del next(value for key, value in values.items() if key != "__metadata__")["dtype"]
    text = json.dumps(values).encode()
    copy.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])
    with pytest.raises(CorruptModelError, match=r"its header is altered: .* required field dtype"):
        edit_metadata(copy, name="x")


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAModelError, match=r"gone\.distill: cannot be read \(No such file"):
        edit_metadata(tmp_path / "gone.distill", name="x")
    other = tmp_path / "other.distill"
    other.write_bytes(safetensors.torch.save({"a": torch.ones(2)}))
    with pytest.raises(NotAModelError, match="a safetensors file, but not of distill"):
        edit_metadata(other, name="x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level_labels": ["a", "b"]}, "2 level_labels: expected 3, one for each level"),
        ({"mine": object()}, "metadata that JSON cannot hold: "),
    ],
)
def test_values_that_do_not_fit_are_named(
    copy: Path, changes: dict[str, Any], message: str
) -> None:
    data = copy.read_bytes()
    with pytest.raises(ConfigError, match=message):
        edit_metadata(copy, **changes)
    assert copy.read_bytes() == data


def test_levels_can_be_renamed(copy: Path) -> None:
    edit_metadata(copy, level_labels=["bass", "body", "air"])
    assert load_model_v2(copy).level_labels == ("bass", "body", "air")


def test_labels_that_do_not_fit_leave_the_model_usable(copy: Path) -> None:
    header, tensors = read_container(copy)
    for labels in (["only", "two"], "abc", 3, None):
        metadata = json.dumps({**json.loads(header.texts["metadata"]), "level_labels": labels})
        write_container(copy, tensors, {**header.texts, "metadata": metadata})
        model = load_model_v2(copy)
        assert model.level_labels == ("Structure", "Timbre", "Detail")
        assert model.encode(torch.ones(3000), 48_000).labels == model.level_labels


@pytest.mark.parametrize("metadata", ["[1]", "3", '"text"'])
def test_metadata_that_is_no_table_is_damage(copy: Path, metadata: str) -> None:
    header, tensors = read_container(copy)
    write_container(copy, tensors, {**header.texts, "metadata": metadata})
    with pytest.raises(CorruptModelError, match="its header is altered"):
        read_model_info(copy)


def test_a_file_written_meanwhile_is_not_replaced(
    copy: Path, trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = b"somebody else's newer weights"
    digest = container.digest_of

    def slow(*arguments: Any) -> str:
        copy.write_bytes(newer)
        return digest(*arguments)

    monkeypatch.setattr(container, "digest_of", slow)
    with pytest.raises(ModelFileError, match="written by somebody else just now; try again"):
        edit_metadata(copy, name="x")
    assert copy.read_bytes() == newer


def test_a_full_disk_leaves_the_old_file(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    data = copy.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="cannot be saved"):
        edit_metadata(copy, name="x")
    assert copy.read_bytes() == data


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_at_any_moment_the_file_is_whole(copy: Path) -> None:
    code = (
        "import sys\nfrom distill import edit_metadata\nprint('ready', flush=True)\n"
        "for n in range(10**9): edit_metadata(sys.argv[1], name='x' * (n % 3000))"
    )
    weights = tensor_bytes(copy)
    for wait_s in (0.0, 0.013, 0.031, 0.057):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(copy)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        read_container(copy)  # checks the checksum
        assert tensor_bytes(copy) == weights
