"""Forged models and atlases: wrong in one place, with everything else right, checksums included.

What a forger needs of the formats is written here a second time, from their description.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

PAYLOAD = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
_TORCH = {
    "F32": "torch.float32",
    "BOOL": "torch.bool",
    "F16": "torch.float16",
    "I64": "torch.int64",
}


class Raw(str):
    """JSON as it is to stand there."""


JUNK: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**53 + 1, 2**64, 10**400, -(10**400), 0.5, -0.0, 1e-320,
    44100.0, 1e300, 1e308, Raw("1e999"), Raw("NaN"), Raw("-Infinity"), math.pi, "", "3", PAYLOAD,
    "a\0b", "\r\n\x1b[31m", "x" * 300, "x" * 20_000, "\u202egnp.exe", Raw(r'"\ud800"'), "é" * 41,
    [], {}, [[]], [None], ["a", 1], {"a": {"b": []}}, [PAYLOAD] * 3, {PAYLOAD: PAYLOAD},
    {"__class__": "os.system", "py/reduce": []}, [0] * 5000, Raw("[" * 100 + "]" * 100),
    Raw("[" * 100_000 + "]" * 100_000), Raw('{"a":' * 3000 + "1" + "}" * 3000),
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-01-01", list(range(9)),
)  # fmt: skip


def dumps(value: Any) -> str:
    """As `json.dumps`, with raw pieces."""
    if isinstance(value, Raw):
        return str.__str__(value)
    if isinstance(value, dict):
        pieces = (f"{json.dumps(key)}:{dumps(item)}" for key, item in value.items())
        return "{" + ",".join(pieces) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def parts(data: bytes) -> tuple[dict[str, str], dict[str, Any], bytes]:
    """Texts, entries and tensor bytes of a `.distill` file."""
    end = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:end])
    return entries.pop("__metadata__"), entries, data[end:]


def signed(texts: dict[str, str], entries: dict[str, Any], data: bytes) -> bytes:
    """A file of these parts, whose checksum is right wherever there can be one."""
    digest = hashlib.sha256()
    for name in sorted(entries):
        try:
            start, end = entries[name]["data_offsets"]
            kind, shape = entries[name]["dtype"], tuple(entries[name]["shape"])
            digest.update(f"{name}:{_TORCH.get(kind, kind)}:{shape}:".encode())
            digest.update(data[start:end])
        except (TypeError, ValueError, KeyError, AttributeError):
            break
    for key in sorted(texts):
        if key != "checksum":
            digest.update(json.dumps([key, texts[key]]).encode())
    marked = {**texts, "checksum": digest.hexdigest()}
    text = dumps({"__metadata__": marked, **entries}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def _altered(rng: Random, tree: Any, depth: int = 0) -> Any:
    """A tree of JSON, wrong in one place."""
    if not isinstance(tree, (dict, list)) or not tree or (depth and rng.random() < 0.15):
        return rng.choice(JUNK)
    if isinstance(tree, dict):
        key = rng.choice(list(tree))
        how = rng.random()
        if how < 0.1:
            return {name: item for name, item in tree.items() if name != key}
        if how < 0.2:
            return {**tree, rng.choice(["later", PAYLOAD, "", key + " "]): rng.choice(JUNK)}
        return {**tree, key: _altered(rng, tree[key], depth + 1)}
    place, how = rng.randrange(len(tree)), rng.random()
    if how < 0.1:
        return tree[:place] + tree[place + 1 :]
    if how < 0.2:
        return [*tree, *tree[:1]]
    return [*tree[:place], _altered(rng, tree[place], depth + 1), *tree[place + 1 :]]


def _section(name: str) -> Callable[[Random, bytes], bytes]:
    def forge(rng: Random, good: bytes) -> bytes:
        texts, entries, data = parts(good)
        texts.pop("model_digest", None)
        return signed({**texts, name: dumps(_altered(rng, json.loads(texts[name])))}, entries, data)

    return forge


def _tensors(rng: Random, good: bytes) -> bytes:
    texts, entries, data = parts(good)
    name = rng.choice(list(entries))
    how = rng.randrange(8)
    if how == 0:
        entries[name] = rng.choice(JUNK)
    elif how == 1:
        entries[rng.choice([PAYLOAD, "x" * 1000, ""])] = dict(entries.pop(name))
    elif how == 2:
        entries["stray"] = {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}
    elif how == 3:
        entries[name]["shape"] = rng.choice([[0], [], [-1], [2**62], [1] * 100, "ab", [1.0]])
    elif how == 4:
        entries[name]["dtype"] = rng.choice(["F64", "I64", "U4", "F8_E4M3", "", None, PAYLOAD])
    elif how == 5:
        entries[name]["data_offsets"] = rng.choice([[0, 4], [-4, 0], [8, 4], [0], [0, 2**60]])
    elif how == 6:
        one, other = rng.sample(list(entries), 2)
        entries[one], entries[other] = entries[other], entries[one]
    else:
        entries[name]["later"] = rng.choice(JUNK)
    return signed(texts, entries, data)


def _texts(rng: Random, good: bytes) -> bytes:
    texts, entries, data = parts(good)
    name = rng.choice([*texts, "later", PAYLOAD])
    value = rng.choice([PAYLOAD, "", "null", "[", "x" * 300, "3", json.dumps({"a": PAYLOAD})])
    return signed({**texts, name: value}, entries, data)


def _weights(rng: Random, good: bytes) -> bytes:
    texts, entries, data = parts(good)
    texts.pop("model_digest", None)
    name = rng.choice([name for name, entry in entries.items() if entry["dtype"] == "F32"])
    start, end = entries[name]["data_offsets"]
    numbers = np.frombuffer(data[start:end], "<f4").copy()
    numbers[rng.randrange(len(numbers))] = rng.choice([np.nan, np.inf, -np.inf, 3e38])
    return signed(texts, entries, data[:start] + numbers.tobytes() + data[end:])


def _sizes(rng: Random, good: bytes) -> bytes:
    texts, entries, data = parts(good)
    how = rng.randrange(5)
    if how == 0:
        config = json.loads(texts["vqvae_config"])
        config |= {"width": 2048, "encoder_depth": 32, "decoder_depth": 32}
        return signed({**texts, "vqvae_config": json.dumps(config)}, entries, data)
    if how == 1:
        config = json.loads(texts["vqvae_config"])
        config |= {"levels": 8, "codebook_size": 65_536, "latent_dim": rng.choice([128, 1024])}
        return signed({**texts, "vqvae_config": json.dumps(config)}, entries, data)
    if how == 2:
        more = {
            f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(5000)
        }
        return signed(texts, {**entries, **more}, data)
    if how == 3:
        return signed({**texts, "later": "[" * 5_000_000}, entries, data)
    sound = json.loads(texts["spectrogram_config"]) | {"n_fft": 16_384, "hop_length": 16}
    return signed({**texts, "spectrogram_config": json.dumps(sound)}, entries, data)


def _bytes(rng: Random, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(rng.randrange(1, 5)):
        data[rng.randrange(min(len(data), 6000))] = rng.randrange(256)
    return bytes(data[: rng.choice([len(data), len(data), rng.randrange(len(data))])])


MODELS: dict[str, Callable[[Random, bytes], bytes]] = {
    "config": _section("vqvae_config"),
    "spectrogram": _section("spectrogram_config"),
    "training": _section("training_config"),
    "health": _section("codebook_health"),
    "curves": _section("loss_curves"),
    "metadata": _section("metadata"),
    "texts": _texts,
    "tensors": _tensors,
    "weights": _weights,
    "sizes": _sizes,
    "bytes": _bytes,
}


_MOST_CHARACTERS = 2**24


def _arrays(rng: Random, arrays: dict[str, Any]) -> dict[str, Any]:
    name = rng.choice(list(arrays))
    array, how = arrays[name], rng.randrange(9)
    if how == 0:
        arrays.pop(name)
    elif how == 1:
        arrays[name] = np.array([{"a": 1}], dtype=object)
    elif how == 2:
        arrays[name] = array[..., None] if rng.random() < 0.5 else array.reshape(-1)
    elif how == 3:
        arrays[name] = np.zeros(array.shape, rng.choice(["U3", "f8", "i1", "b1", "c8", "M8[s]"]))
    elif how == 4 and array.dtype.kind in "iuf" and array.size:
        filled = array.copy()
        odd = [np.nan, np.inf, -1e30] if array.dtype.kind == "f" else [0, 1, 99, 2**15 - 1]
        with np.errstate(over="ignore"):
            filled.reshape(-1)[rng.randrange(filled.size)] = rng.choice(odd)
        arrays[name] = filled
    elif how == 5 and array.dtype.kind in "if" and array.size:
        arrays[name] = -array - 2
    elif how == 6:
        text = rng.choice([PAYLOAD, "x" * 5000, "\0", "a\nb"])
        fitting = max(1, _MOST_CHARACTERS // max(1, array.size))  # or the forger has no room
        arrays[name] = np.full(array.shape, text[:fitting])
    elif how == 7 and array.ndim:
        arrays[name] = np.concatenate([array, array])
    else:
        arrays[name] = np.zeros((2**13,) * 2, "u1")
    return arrays


def forged_atlas(rng: Random, good: bytes) -> bytes:
    """An atlas that is wrong in one place."""
    with np.load(io.BytesIO(good), allow_pickle=False) as data:
        arrays = dict(data)
    file = io.BytesIO()
    how = rng.random()
    if how < 0.1:
        data = bytearray(good)
        for _ in range(5):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    if how < 0.8:
        arrays = _arrays(rng, arrays)
        save = np.savez if rng.random() < 0.5 else np.savez_compressed
        save(file, **arrays)
        return file.getvalue()
    header = rng.choice([b"(" * 4000, b"__import__('os')", b"{'descr': '|O', 'shape': ()}", b""])
    name = rng.choice(list(arrays))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            text = member.getvalue()
            if key == name:
                text = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
                text += b"\0" * rng.choice([0, 10, 50_000_000])
            archive.writestr(f"{key}.npy", text)
    return file.getvalue()


def make_odd(rng: Random, path: Path) -> None:
    """Puts something at a path that is no file, or none that can be read."""
    how = rng.randrange(6)
    if how == 0:
        path.mkdir()
    elif how == 1:
        path.symlink_to(rng.choice([path.name, "gone", "/dev/zero", path.parent]))
    elif how == 2 and hasattr(os, "mkfifo"):
        os.mkfifo(path)
    elif how == 3:
        with path.open("wb") as file:
            file.truncate(2 ** rng.randrange(20, 40))
    else:
        path.write_bytes(
            rng.choice([b"", b"RIFF", (2**63).to_bytes(8, "little") + b'{"', b"{}" * 9])
        )
