"""What came of a forged file: refused by us, right all the same, or one of the faults."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from distill import CodebookAtlas, ModelLibrary, load_model_v2, read_model_info
from distill.config import VQVAEConfig
from distill.errors import DistillError
from distill.models.file.info import ModelInfo
from distill.models.use.report import model_facts

OURS, RIGHT, FOREIGN, SILENT, EXECUTED, HIDDEN = (
    "refused", "right", "foreign", "silent", "executed", "hidden",
)  # fmt: skip
_TAG = re.compile(r"<(img|script)\b")
_RANGES = {
    "levels": (int, 1, 16),
    "codebook_size": (int, 2, 65_536),
    "width": (int, 8, 2048),
    "encoder_depth": (int, 1, 32),
    "decoder_depth": (int, 1, 32),
    "kernel_size": (int, 1, 63),
    "latent_dim": (int, 1, 1024),
    "stride": (int, 1, 16),
    "learning_rate": (float, 1e-7, 1.0),
    "fine_tuning_share": (float, 1e-3, 1.0),
    "codebook_tuning_share": (float, 0.0, 1.0),
    "tunes_codes": (bool, False, True),
    "batch_size": (int, 1, 4096),
}


def judged(work: Callable[[], str]) -> str:
    """The verdict, whatever the work raises."""
    try:
        return work()
    except DistillError:
        return OURS
    except Exception as error:  # every other one is a fault, and its kind is what is counted
        return f"{FOREIGN}: {type(error).__name__}: {error}"[:300]


def of_model(path: Path) -> str:
    """Opens a model in every way, and looks whether what it says can be."""

    def work() -> str:
        info = read_model_info(path)
        for wrong in _wrong(info):
            return f"{SILENT}: {wrong}"
        list(model_facts(info.config, info.metadata, info.parameters, info.file_bytes))
        model = load_model_v2(path)
        if not all(bool(tensor.isfinite().all()) for tensor in model.model.state_dict().values()):
            return f"{SILENT}: weights"
        shown = str(model._repr_html_())
        (repr(model) + model.digest).encode()
        return EXECUTED if _TAG.search(shown) else RIGHT

    return judged(work)


def of_library(folder: Path, odd: Path) -> str:
    """Lists a folder that holds `good.distill` and the odd one."""

    def work() -> str:
        library = ModelLibrary(folder)
        names = {model.path.name for model in library} | {r.path.name for r in library.refused}
        if names != {"good.distill", odd.name} or len(library) + len(library.refused) != 2:
            return f"{HIDDEN}: {sorted(names)}"
        shown = str(library._repr_html_())
        repr(library).encode()
        list(library.search(text="a", tag="b", minimum_health=0.5))
        return EXECUTED if _TAG.search(shown) else RIGHT

    verdict = judged(work)
    return f"{HIDDEN}: {verdict}" if verdict == OURS else verdict


def of_atlas(path: Path) -> str:
    """Opens an atlas and asks it for everything."""

    def work() -> str:
        atlas = CodebookAtlas.load(path)
        for wrong in _wrong_atlas(atlas):
            return f"{SILENT}: {wrong}"
        shown = str(atlas._repr_html_())
        repr(atlas).encode()
        for level in range(atlas.levels):
            for entry in range(atlas.entries):
                atlas.sound(level, entry)
                atlas.moments(level, entry)
            atlas.transitions(level)
        atlas.file_similarity()
        list(atlas.health)
        return EXECUTED if _TAG.search(shown) else RIGHT

    return judged(work)


def _wrong(info: ModelInfo) -> Iterator[str]:
    config, meta = info.config, info.metadata
    for name, (kind, low, high) in _RANGES.items():
        value = getattr(config, name)
        if type(value) is not kind or not low <= value <= high:
            yield name
    if type(config.spectrogram.sample_rate) is not int or config != VQVAEConfig.from_dict(
        config.to_dict()
    ):
        yield "spectrogram"
    for level in info.codebook_health:
        for item in dataclasses.fields(level):
            value = getattr(level, item.name)
            if item.name in ("label", "over"):
                right = isinstance(value, str) and len(value) <= 40
            else:
                right = type(value) in (int, float) and 0 <= value <= 2**53
            if not right:
                yield f"health {item.name}"
        if not level.utilization <= 1 or not level.corrected_utilization <= 1:
            yield "health"
    if len(info.codebook_health) not in (0, config.levels):
        yield "health"
    for curve in info.loss_curves.values():
        if not all(type(value) is float and not math.isinf(value) for value in curve):
            yield "curves"
    if not isinstance(info.name, str) or not isinstance(meta.get("description", ""), str):
        yield "name"
    if not all(isinstance(tag, str) and len(tag) <= 200 for tag in meta.get("tags", [])):
        yield "tags"
    if any(len(label) > 40 for label in meta.get("level_labels", [])):
        yield "level_labels"


def _wrong_atlas(atlas: CodebookAtlas) -> Iterator[str]:
    for item in dataclasses.fields(CodebookAtlas):
        value: Any = getattr(atlas, item.name)
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "iuf" or np.isnan(value).any():
                yield item.name
            if item.name in {"sounds", "mels", "embeddings"} and not np.isfinite(value).all():
                yield item.name
    if not all(isinstance(text, str) for text in (*atlas.labels, *atlas.files, *atlas.paths)):
        yield "texts"
    if any(len(label) > 40 for label in atlas.labels):
        yield "labels"
    if int(atlas.nearest.max(initial=0)) >= atlas.entries or int(atlas.nearest.min(initial=0)) < 0:
        yield "nearest"
    if (atlas.counts.sum(axis=1) != atlas.steps).any() or (atlas.counts < 0).any():
        yield "counts"
    if (atlas.main_file >= len(atlas.files)).any() or (atlas.moment_starts < 0).any():
        yield "moments"
