"""What is known about a model, as facts for a terminal and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from distill.config import AutoencoderConfig, TrainingConfig
from distill.drawings import svg_bars, svg_curves
from distill.family import family_of
from distill.health_rows import Health, columns, rows
from distill.markup import Markup, joined, tag
from distill.tables import html_facts, html_page, html_table
from distill.words import duration

_MOST = 1e12  # files, steps or seconds: beyond it is no number of theirs


def model_facts(
    config: TrainingConfig, metadata: dict[str, Any], parameters: int, file_bytes: int | None = None
) -> Iterator[tuple[str, str]]:
    """Names and values; what the metadata does not say, or says in another form, is left out.

    Args:
        config: of the model.
        metadata: of its file.
        parameters: numbers it holds.
        file_bytes: of its file, where there is one.
    """
    yield from family_of(config).facts(config)
    if isinstance(config, AutoencoderConfig):
        spectrogram = config.spectrogram
        yield "sound", f"{spectrogram.sample_rate} Hz, {spectrogram.n_mels} mel bands"
    size = "" if file_bytes is None else f", {file_bytes / 1e6:.1f} MB"
    yield "size", f"{parameters / 1e6:.2f} M numbers{size}"
    yield "created", str(metadata.get("created", "?"))
    yield from _history(metadata)


def health_table(health: Sequence[Health]) -> Markup:
    """How the bottleneck is used, as HTML; "" where nothing is known."""
    if not health:
        return Markup("")
    return joined([html_table(columns(health), rows(health)), *profiles(health)])


def profiles(health: Sequence[Health]) -> Iterator[Markup]:
    """What single units of the bottleneck do, as bars; nothing for parts that have none."""
    for part in health:
        if part.profile is not None:
            drawn = svg_bars(part.profile.values, part.profile.title)
            yield tag("p", drawn, tag("br"), part.profile.title)


def model_as_html(
    config: TrainingConfig,
    meta: dict[str, Any],
    parameters: int,
    health: Sequence[Health],
    loss_curves: dict[str, list[float]],
) -> Markup:
    """Facts, health and the curve of its training.

    Args:
        config: of the model.
        meta: what its file says of it.
        parameters: numbers it holds.
        health: of its bottleneck.
        loss_curves: of each epoch.
    """
    facts = html_facts(model_facts(config, meta, parameters))
    description = str(meta.get("description") or "")
    curves = [loss_curves.get(name, []) for name in ("val", "train")]
    curve = svg_curves(curves, "validation and, fainter, training loss of each epoch")
    under = tag("br"), "validation loss; training fainter"
    return html_page(
        "",
        tag("p", tag("b", str(meta.get("name", "unnamed")))),
        tag("p", description) if description else Markup(""),
        facts,
        health_table(health),
        tag("p", curve, *under) if curve else Markup(""),
    )


def _history(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    tags = metadata.get("tags")
    if corpus := _numbers(metadata.get("corpus"), "files", "seconds"):
        yield "corpus", f"{corpus['files']:.0f} files, {duration(corpus['seconds'])}"
    names = "epochs", "steps", "seconds", "best_epoch"
    if training := _numbers(metadata.get("training"), *names):
        yield (
            "training",
            f"{training['epochs']:.0f} epochs, {training['steps']:.0f} steps, "
            f"{duration(training['seconds'])}; best epoch {training['best_epoch'] + 1:.0f}",
        )
    start = metadata.get("start")
    if isinstance(start, dict) and isinstance(start.get("model"), str):
        yield "start", f"learned on from {start['model']}"
    if isinstance(tags, list) and tags:
        yield "tags", ", ".join(map(str, tags))


def _numbers(said: Any, *names: str) -> dict[str, float]:
    """What metadata says in numbers; nothing where one of them is none."""
    if not isinstance(said, dict):
        return {}
    found: list[Any] = [said.get(name) for name in names]
    if not all(type(value) in (int, float) and 0 <= value < _MOST for value in found):
        return {}
    return {name: float(value) for name, value in zip(names, found, strict=True)}
