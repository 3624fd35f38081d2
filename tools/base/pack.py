"""The base as a file: averaged weights in half precision, with where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from distill.models.file.persistence import edit_metadata, save_model_v2
from distill.models.use.loading import load_model_v2
from distill.models.vqvae.model import ConvVQVAE

LARGEST_BYTES = 8_000_000


def pack(path: Path, model: ConvVQVAE, record: dict[str, Any]) -> str:
    """Writes the `.distill` file.

    Args:
        path: of the file.
        model: the averaged one; it becomes half precision.
        record: material, plan and losses, for the header.

    Returns:
        The digest of the model as it is when loaded, which its header names too.

    Raises:
        ValueError: it is too large to be shipped, or a weight does not fit half precision.
    """
    half = model.half()
    if not all(bool(torch.isfinite(tensor).all()) for tensor in half.state_dict().values()):
        raise ValueError("a weight does not fit half precision: train with a lower learning rate")
    curve = record["curve"]
    save_model_v2(
        path,
        half,
        metadata={
            "name": "base",
            "description": "A base to start from: it learned from sound in general",
            "licence": "MIT",
            "provenance": {key: value for key, value in record.items() if key != "curve"},
        },
        loss_curves={name: [point[name] for point in curve] for name in ("loss", "held_out")},
    )
    digest = load_model_v2(path).digest
    size = edit_metadata(path, digest=digest).file_bytes
    if size > LARGEST_BYTES:
        raise ValueError(f"{path}: {size} bytes; at most {LARGEST_BYTES} can be shipped")
    return digest
