"""The background of a base: what its encoder makes of the material, a sample of it, as codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import soundfile
import torch
from torch import Tensor

from distill.audio.spectrogram import LogMel
from distill.models.use.loading import load_model_v2
from distill.models.vqvae.background import write_background
from distill.models.vqvae.model import ConvVQVAE
from distill.models.vqvae.quantizer import QuantizerWrapper
from distill.models.vqvae.search import search
from tools.base.make import watch
from tools.base.material import Clip, describe

KEPT = 8192
"""Latents; of twice as many codebooks gained nothing."""
LEVELS, ENTRIES = 6, 128
"""In which they are said: finer ones gained nothing either."""
_SOFTEST_DB = -12.0
"""Clips sound at levels between this and 0 dB, as training segments do."""


def make_background(base: Path, sounds_in: Path, clips: Sequence[Clip], seed: int) -> Path:
    """Writes the background of a base beside it; the same base and clips make the same file.

    Args:
        base: its `.distill` file.
        sounds_in: folder of the clips, which are there.
        clips: of the material.
        seed: of levels, of codebooks and of which latents are kept.

    Returns:
        The file, `NAME-background.distill`.
    """
    loaded = load_model_v2(base)
    draws = torch.Generator().manual_seed(seed)
    paths = [sounds_in / clip.file_name for clip in clips]
    found: list[Tensor] = []

    def encode() -> Iterator[int]:
        for path in paths:
            found.append(_latents(loaded.model, path, draws))
            yield len(found)

    watch(encode(), "background", total=len(paths))
    latents = torch.cat(found)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        quantizer = QuantizerWrapper(dim=latents.shape[1], levels=LEVELS, codebook_size=ENTRIES)
        quantizer.initialise(latents.T[None])
    kept = latents[torch.randperm(len(latents), generator=draws)[:KEPT]]
    about = {
        "made_by": "python -m tools.base --background",
        "licence": "MIT",
        "seed": seed,
        "material": describe(list(clips)),
    }
    return write_background(
        base.with_name(f"{base.stem}-background.distill"),
        quantizer.codebooks,
        search(quantizer.codebooks, kept),
        loaded.digest,
        {"provenance": msgspec.json.encode(about).decode()},
    )


@torch.no_grad()
def _latents(model: ConvVQVAE, path: Path, draws: torch.Generator) -> Tensor:
    """(step, dim) of a clip at a level of its own."""
    sound = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    level_db = _SOFTEST_DB * torch.rand(1, generator=draws)
    mel = LogMel(model.config.spectrogram)(sound * 10 ** (level_db / 20))
    return model.encode(mel[None])[0].T
