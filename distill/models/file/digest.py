"""Digests of models: of what tells them apart, and of all that is in their file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from distill.family import family_of

Part = tuple[str, str, tuple[int, ...], bytes | memoryview]
"""Name, type as torch calls it, shape and bytes of a tensor."""
_OF_SOUND = ("sample_rate", "n_fft", "hop_length", "n_mels", "f_min_hz", "f_max_hz")


def model_digest(tensors: Mapping[str, Tensor], config: Any) -> str:
    """What tells a model from every other one: its weights, and what they need to make sound.

    Name, tags and how it was trained have no part in it, so that it stays when they change; nor has
    the precision in which a file keeps the weights, which are float32 in use.

    Args:
        tensors: the state of the model.
        config: of the model.

    Returns:
        SHA-256, hexadecimal.

    Raises:
        ModelTypeError: no family has such a config.
    """
    said = {name: getattr(config, name) for name in family_of(config).deciding_settings}
    said |= {name: getattr(config.spectrogram, name) for name in _OF_SOUND}
    used = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    return digest_of(map(part_of, used.items()), {"config": json.dumps(said, sort_keys=True)})


def part_of(item: tuple[str, Tensor]) -> Part:
    """A tensor as it lies in a file."""
    name, tensor = item
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return name, str(tensor.dtype), tuple(tensor.shape), data


def digest_of(parts: Iterable[Part], texts: Mapping[str, str]) -> str:
    """Digest of every tensor (name, type, shape, bytes) and of every text but the checksum."""
    digest = hashlib.sha256()
    for name, kind, shape, data in sorted(parts, key=lambda part: part[0]):
        digest.update(f"{name}:{kind}:{shape}:".encode())
        digest.update(data)
    for key in sorted(texts):
        if key != "checksum":
            digest.update(json.dumps([key, texts[key]]).encode())
    return digest.hexdigest()
