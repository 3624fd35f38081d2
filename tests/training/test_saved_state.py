"""Checkpoints with a right digest that are not what they say: refused before anything is done."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import json
import pickle
import random
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from distill import (
    AudioCorpus,
    TrainingConfig,
    TrainingResult,
    load_checkpoint,
    resume,
    save_checkpoint,
    train,
)
from distill.errors import CheckpointError
from distill.training.engine.engine import Engine, Reporter
from distill.training.run.checkpoint import list_checkpoints
from distill.training.run.request import RunRequest
from distill.training.session.assembly import assemble
from tests.families import FAMILIES, tiny

State = dict[str, Any]
# What is the same whatever is trained: bytes, files, and names of parts.
of_one_family = pytest.mark.parametrize("small", FAMILIES[:1], indirect=True)


@pytest.fixture(scope="module", params=FAMILIES)
def small(request: pytest.FixtureRequest) -> TrainingConfig:
    own = {"codebook_size": 8, "levels": 2} if request.param == "vqvae" else {}
    return tiny(
        request.param, width=8, latent_dim=4, batch_size=2, segment_frames=16,
        encoder_depth=1, decoder_depth=1, min_steps_per_epoch=3, max_steps=7,
        preview_every_epochs=0, checkpoint_every_s=0.0, checkpoints_kept=9, **own,
    )  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(
    corpus: AudioCorpus, small: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> TrainingResult:
    return train(small, corpus, tmp_path_factory.mktemp("runs") / "undisturbed", "cpu")


@pytest.fixture(scope="module")
def good(undisturbed: TrainingResult, small: TrainingConfig) -> State:
    newest = list_checkpoints(undisturbed.model_path.parent / "checkpoints")[1]
    return load_checkpoint(newest.path, small)


@pytest.fixture(scope="module")
def engine(corpus: AudioCorpus, small: TrainingConfig) -> Engine:
    request = RunRequest.of(small, corpus, name="run", device="cpu")
    made, _ = assemble(request, corpus.split(), lambda _task: Reporter())
    return made


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a state, tables and lists included."""
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inner = [place for key in value for place in places(value[key], (*path, key))]
    elif isinstance(value, (list, tuple)):
        inner = [place for i in range(len(value)) for place in places(value[i], (*path, i))]
    return [path, *inner] if path else inner


def changed(state: State, path: tuple[Any, ...], change: Callable[[Any], Any]) -> State:
    """A copy with another value at a place."""
    made = copy.deepcopy(state)
    holder: Any = made
    for key in path[:-1]:
        holder = holder[key]
    try:
        holder[path[-1]] = change(holder[path[-1]])
    except TypeError:  # a tuple
        return made
    return made


def as_tensor(change: Callable[[torch.Tensor], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, torch.Tensor) else "no tensor"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda _: None,
    "text": lambda _: "a" * 50,
    "a list": lambda _: [1, 2, 3],
    "a table": lambda _: {"a": 1},
    "no table": lambda _: {},
    "true": lambda _: True,
    "minus one": lambda _: -1,
    "absurd": lambda _: 10**400,
    "a number": lambda _: 0.5,
    "nan": lambda _: float("nan"),
    "infinite": lambda _: float("inf"),
    "another tensor": lambda _: torch.zeros(3),
    "a huge tensor of one number": lambda _: torch.zeros(1).expand(10**6, 10**6),
    "one dimension more": as_tensor(lambda value: value[None]),
    "one number less": as_tensor(lambda value: value.flatten()[1:]),
    "another kind": as_tensor(lambda value: value.to(torch.float64)),
    "complex": as_tensor(lambda value: value.to(torch.complex64)),
    "full of nan": as_tensor(lambda value: torch.full(value.shape, float("nan"))),
    "sparse": as_tensor(lambda value: value.float().to_sparse()),
    "negated": as_tensor(lambda value: torch._neg_view(value) if value.is_floating_point() else 1),
    "a view of one number": as_tensor(lambda value: torch.zeros(1).expand(value.shape)),
    "with a gradient": as_tensor(lambda value: value.float().requires_grad_()),
}


def test_what_is_not_refused_can_be_gone_on_from(
    good: State, small: TrainingConfig, engine: Engine, tmp_path: Path
) -> None:
    dice, everywhere, refused = random.Random(0), places(good), 0
    for _ in range(20):
        path, kind = dice.choice(everywhere), dice.choice(list(CHANGES))
        state = changed(good, path, CHANGES[kind])
        file = save_checkpoint(tmp_path, state, step=1, val_loss=0.5)
        try:
            state = load_checkpoint(file, small)
        except CheckpointError as error:
            assert str(error).startswith("step-000001.ckpt: ") and len(str(error)) < 1000
            refused += 1
            continue
        engine.load_state_dict(state)
        assert all(torch.isfinite(weight).all() for weight in engine.task.module.parameters())
    assert refused > 10


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize(
    ("part", "small"),
    [
        *((part, FAMILIES[0]) for part in ("model", "best_weights", "optimizers")),
        *((part, family) for part in ("task", "reporter") for family in FAMILIES),
    ],
    indirect=["small"],
)
def test_a_part_that_is_something_else_is_refused(
    part: str, kind: str, good: State, small: TrainingConfig, tmp_path: Path
) -> None:
    if (part, kind) == ("best_weights", "no table"):  # before the first validation
        return
    file = save_checkpoint(tmp_path, changed(good, (part,), CHANGES[kind]), step=1, val_loss=0.5)
    with pytest.raises(CheckpointError, match=r"^step-000001\.ckpt: "):
        load_checkpoint(file, small)


@of_one_family
def test_a_part_that_is_missing_is_named(
    good: State, small: TrainingConfig, tmp_path: Path
) -> None:
    for part in set(good) - {"processes"}:  # which earlier versions did not say
        without = {name: value for name, value in good.items() if name != part}
        file = save_checkpoint(tmp_path, without, step=1, val_loss=0.5)
        with pytest.raises(CheckpointError, match=f"^step-000001.ckpt: {part} is missing"):
            load_checkpoint(file, small)


@pytest.mark.parametrize("name", ["before", "steps_before"])
@pytest.mark.parametrize("kind", CHANGES)
def test_what_the_epoch_before_saw_is_checked_too(
    name: str, kind: str, good: State, small: TrainingConfig, tmp_path: Path
) -> None:
    state = changed(good, ("reporter", "health", name), CHANGES[kind])
    file = save_checkpoint(tmp_path, state, step=1, val_loss=0.5)
    with pytest.raises(CheckpointError, match=rf"^step-000001\.ckpt: reporter: {name}"):
        load_checkpoint(file, small)


def test_an_earlier_version_did_not_say_what_the_epoch_before_saw(
    good: State, small: TrainingConfig, tmp_path: Path
) -> None:
    state = copy.deepcopy(good)
    for name in ("before", "steps_before"):
        state["reporter"]["health"].pop(name)
    file = save_checkpoint(tmp_path, state, step=1, val_loss=0.5)
    assert "before" not in load_checkpoint(file, small)["reporter"]["health"]


def test_one_of_another_run_is_refused(good: State, small: TrainingConfig, tmp_path: Path) -> None:
    file = save_checkpoint(tmp_path, good, step=1, val_loss=0.5)
    wider = dataclasses.replace(small, width=16)
    with pytest.raises(CheckpointError, match=r"model: .*: found \(8, .*expected \(16, "):
        load_checkpoint(file, wider)


def forged(path: Path, payload: bytes) -> Path:
    """A file with a right digest."""
    header = {"format": "distill_checkpoint", "step": 1, "val_loss": 0.5}
    header["sha256"] = hashlib.sha256(payload).hexdigest()
    path.write_bytes(json.dumps(header).encode() + b"\n" + payload)
    return path


def archive(pickled: bytes, compression: int = zipfile.ZIP_STORED, **files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        made.writestr("archive/data.pkl", pickled)
        made.writestr("archive/version", b"3\n")
        for name, data in files.items():
            made.writestr(f"archive/data/{name}", data)
    return buffer.getvalue()


class _Called:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


MEMO_BOMB = b"\x80\x02}r\xff\xff\xff\x7f."
DEEP = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."


def laughs(depth: int = 60) -> bytes:
    """A tuple of ten tuples, which are one, of ten tuples …: small, but 10^60 to who counts."""
    made = b"(" + b"K\x00" * 10 + b"tq\x00"
    for number in range(1, depth):
        made = b"(" + made + (b"h" + bytes([number - 1])) * 9 + b"tq" + bytes([number])
    return made


def storage(item_bytes: bytes, key: bytes, count: bytes) -> bytes:
    return b"\x80\x02(X\x07\0\0\0storage" + item_bytes + key + b"X\3\0\0\0cpu" + count + b"tQ."


ONE_KEY, BILLION = b"X\1\0\0\x000", b"J\x00\xca\x9a\x3b"


@of_one_family
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no archive",
        pickle.dumps({"a": 1}),
        archive(b""),
        archive(b"\x80\x02}"),
        archive(MEMO_BOMB),
        archive(DEEP),
        archive(pickle.dumps({"a": bytes(10**7)}), zipfile.ZIP_DEFLATED),
        archive(b"\x80\x02" + b"}0" * (3 << 20) + b"}."),
        archive(pickle.dumps({"a": _Called(bytearray, 10**12)}, protocol=2)),
        archive(pickle.dumps({"a": _Called(torch.Tensor, 10**11)}, protocol=2)),
        archive(pickle.dumps({"a": _Called(print, "ran")}, protocol=2)),
        archive(pickle.dumps({"a": _Called(print, "ran")}, protocol=5)),
        archive(pickle.dumps([1, 2], protocol=2)),
        archive(pickle.dumps("text", protocol=2)),
        archive(b"\x80\x02}" + laughs() + b"K\1s."),
        archive(b"\x80\x02}(" + laughs() + b"K\1u."),
        archive(b"\x80\x02(" + laughs() + b"K\1d."),
        archive(b"\x80\x04\x8f(" + laughs() + b"\x90."),
        archive(b"\x80\x02ccollections\nOrderedDict\n]" + laughs() + b"K\1\x86a\x85R."),
        archive(storage(b"X\3\0\0\0abc", ONE_KEY, BILLION), **{"0": b"1234"}),
        archive(storage(b"]K\1a", ONE_KEY, BILLION), **{"0": b"1234"}),
        archive(storage(b"K\4", laughs(), b"K\1"), **{"0": b"1234"}),
        archive(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\1\0\0\0aK\1sb."),
        b"something else" + archive(pickle.dumps({"a": 1}, protocol=2)),
    ],
    ids=[
        "empty", "no archive", "pickle", "no pickle", "half a pickle", "memo", "deep", "packed",
        "large", "bytes", "tensor", "call", "call by the stack", "list", "text", "laughing key",
        "laughing keys", "laughing table", "laughing set", "laughing argument", "text for a size",
        "list for a size", "laughing storage", "function with fields", "something in front",
    ],
)  # fmt: skip
def test_forged_bytes_are_refused_and_nothing_is_called(
    payload: bytes, small: TrainingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = forged(tmp_path / "step-000001.ckpt", payload)
    with pytest.raises(CheckpointError, match=r"^step-000001\.ckpt: "):
        load_checkpoint(file, small)
    assert capsys.readouterr().out == ""


@of_one_family
def test_a_storage_that_is_shorter_than_it_says_is_refused(
    small: TrainingConfig, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.arange(4.0)}, buffer)
    with zipfile.ZipFile(buffer) as made:
        pickled = made.read("archive/data.pkl")
        longer = pickled.replace(b"K\x04t", b"J\x00\x00\x00\x10t")
        assert longer != pickled
        payload = archive(longer, **{"0": made.read("archive/data/0")})
    with pytest.raises(CheckpointError, match="promises 268435456 numbers where 16 bytes are"):
        load_checkpoint(forged(tmp_path / "step-000001.ckpt", payload), small)


@of_one_family
def test_larger_than_a_run_can_write_is_not_read(small: TrainingConfig, tmp_path: Path) -> None:
    file = forged(tmp_path / "step-000001.ckpt", b"")
    with file.open("r+b") as opened:
        opened.truncate(10**12)  # takes no room
    with pytest.raises(CheckpointError, match=r"has 1,000,000,000,000 bytes; .* at most \d"):
        load_checkpoint(file, small)


@of_one_family
def test_altered_bytes_with_a_new_digest(
    good: State, small: TrainingConfig, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    torch.save(good, buffer)
    dice = random.Random(0)
    for _ in range(30):
        payload = bytearray(buffer.getvalue())
        place, length = dice.randrange(len(payload)), dice.randrange(1, 9)
        payload[place : place + length] = dice.randbytes(length)
        try:
            load_checkpoint(forged(tmp_path / "step-000001.ckpt", bytes(payload)), small)
        except CheckpointError as error:
            assert str(error).startswith("step-000001.ckpt: ")


@of_one_family
@pytest.mark.parametrize("damage", ["a link", "a folder", "shapes", "nan"])
def test_one_that_cannot_be_used_gives_way_to_the_one_before(
    damage: str,
    good: State,
    corpus: AudioCorpus,
    small: TrainingConfig,
    undisturbed: TrainingResult,
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    stop = threading.Event()
    stop_at_5 = lambda event: stop.set() if getattr(event, "step", 0) == 4 else None  # noqa: E731
    train(small, corpus, run, "cpu", stop_at_5, stop)
    newest = list_checkpoints(run / "checkpoints")[0].path
    if damage in ("a link", "a folder"):
        newest.unlink()
        newest.symlink_to(__file__) if damage == "a link" else newest.mkdir()
    else:
        name, tensor = next(iter(good["model"].items()))
        wrong = tensor[None] if damage == "shapes" else torch.full(tensor.shape, float("nan"))
        state = {**good, "model": {**good["model"], name: wrong}}
        save_checkpoint(newest.parent, state, step=5, val_loss=0.5, keep=9)
    result = resume(run)
    [warning] = [item for item in result.history.warnings if item.kind == "checkpoint"]
    assert warning.message.startswith(f"{newest.name}: ")
    assert warning.message.endswith("; went back to step-000004.ckpt")
    for name, value in result.load().model.state_dict().items():
        assert torch.equal(value, undisturbed.load().model.state_dict()[name]), name
