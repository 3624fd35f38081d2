"""The base as a file: averaged weights in half precision, with where they come from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from distill.models.persistence import save_model_v2
from distill.models.vqvae import ConvVQVAE

LARGEST_BYTES = 8_000_000


def pack(path: Path, model: ConvVQVAE, record: dict[str, Any]) -> Path:
    """Writes the `.distill` file.

    Args:
        path: of the file.
        model: the averaged one; it becomes half precision.
        record: material, plan and losses, for the header.

    Raises:
        ValueError: it is too large to be shipped, or a weight does not fit half precision.
    """
    half = model.half()
    if not all(bool(torch.isfinite(t).all()) for t in half.state_dict().values()):
        raise ValueError("a weight does not fit half precision: train with a lower learning rate")
    curve = record["curve"]
    save_model_v2(
        path,
        half,
        metadata={
            "name": "base",
            "description": "A base to start from: it learned from sound in general",
            "licence": "MIT",
            "digest": digest(half.state_dict()),
            "provenance": {key: value for key, value in record.items() if key != "curve"},
        },
        loss_curves={name: [point[name] for point in curve] for name in ("loss", "held_out")},
    )
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path}: {size} bytes; at most {LARGEST_BYTES} can be shipped")
    return path


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, kinds and bytes of all weights."""
    running = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous().cpu()
        running.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        running.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return running.hexdigest()
