"""What a model file says of itself, for people and for scripts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from distill.audio.report import duration
from distill.codebook.health import LevelHealth
from distill.models.persistence import ModelInfo, read_model_info


def describe(path: Path, *, as_json: bool) -> str:
    """The header of a model as text or JSON; the weights are not read.

    Raises:
        ModelFileError: see `read_model_info`.
    """
    info = read_model_info(path)
    return (
        msgspec.json.format(msgspec.json.encode(_values(info))).decode() if as_json else _text(info)
    )


def health_lines(health: tuple[LevelHealth, ...]) -> list[str]:
    """A row a level."""
    return [
        f"  {level.level + 1} {level.label:<10} {level.corrected_utilization:>5.0%} used   "
        f"perplexity {level.perplexity:6.1f} of {level.entries}   {level.dead_codes:>3} dead   "
        f"{level.verdict}"
        for level in health
    ]


def _values(info: ModelInfo) -> dict[str, Any]:
    return {
        "path": str(info.path),
        "file_bytes": info.file_bytes,
        "parameters": info.parameters,
        "bits_per_second": info.config.bits_per_second,
        "config": info.config.to_dict(),
        "codebook_health": [dataclasses.asdict(level) for level in info.codebook_health],
        "loss_curves": info.loss_curves,
        "metadata": info.metadata,
    }


def _text(info: ModelInfo) -> str:
    config, meta = info.config, info.metadata
    corpus, training = meta.get("corpus", {}), meta.get("training", {})
    lines = [
        info.name,
        *([f"  {meta['description']}"] if meta.get("description") else []),
        f"  codes      {config.levels} levels × {config.codebook_size} entries, "
        f"{config.step_rate_hz:.1f} steps/s, {config.bits_per_second:.0f} bit/s",
        f"  sound      {config.spectrogram.sample_rate} Hz, {config.spectrogram.n_mels} mel bands",
        f"  size       {info.parameters / 1e6:.2f} M numbers, {info.file_bytes / 1e6:.1f} MB",
        f"  created    {meta.get('created', '?')}",
    ]
    if corpus:
        lines.append(f"  corpus     {corpus['files']} files, {duration(corpus['seconds'])}")
    if training:
        lines.append(
            f"  training   {training['epochs']} epochs, {training['steps']} steps, "
            f"{duration(training['seconds'])}; best epoch {training['best_epoch'] + 1}"
        )
    if meta.get("tags"):
        lines.append(f"  tags       {', '.join(meta['tags'])}")
    return "\n".join([*lines, *health_lines(info.codebook_health)])
