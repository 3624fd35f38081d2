"""Material, corpora, training, file, report: each after the other, resumed where it was left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distill.config import PriorConfig, VQVAEConfig
from distill.models.prior.start import StartingPrior, write_starting_prior
from distill.models.start import StartingModel, base_paths
from tools.base.learning import train
from tools.base.make import check_sources, watch
from tools.base.material import describe, make_material, plan
from tools.base_prior.corpora import Shape, corpus_path, make_corpora, read_corpus
from tools.base_prior.learning import PriorLearner, PriorPlan

_DROPOUT = 0.1
"""Less than where a few recordings are learned: here is more of everything."""


def make_base_prior(
    folder: Path,
    material: Path,
    shape: Shape,
    *,
    seconds: float,
    corpora: int,
    seed: int,
    training: PriorPlan,
) -> Path:
    """Makes everything that is not there yet.

    Args:
        folder: below it, one for each shape, with the codes, the checkpoint, the report and
            `base-prior-STEPS.distill`.
        material: of the clips; that of the base may be used again.
        shape: what the codes are like.
        seconds: of material.
        corpora: how many are drawn from it.
        seed: of what is drawn.
        training: how it learns.

    Returns:
        The file.

    Raises:
        ValueError: a source or a base is missing, or the folder was begun with other options.
    """
    clips = plan(seconds, training.seed)
    check_sources(clips)
    codec = VQVAEConfig(stride=shape.stride, levels=shape.levels)
    made_of: dict[str, Any] = {
        "base": base_digest(codec), "seconds": seconds, "corpora": corpora, "seed": seed,
        "plan": asdict(training),
    }  # fmt: skip
    work = folder / shape.name
    _refuse_others(work, made_of)
    watch(make_material(material, clips), "material", total=len(clips))
    codes = work / "codes"
    made = make_corpora(codes, material, clips, shape, count=corpora, seed=seed)
    watch(made, "corpora", total=corpora)
    found = [read_corpus(corpus_path(codes, number)) for number in range(corpora)]
    learner = PriorLearner(PriorConfig.for_codec(codec, dropout=_DROPOUT), training, found)
    watch(train(learner, work), "training", total=training.steps)
    record = {
        "made_by": f"python -m tools.base_prior --shape {shape.name} --corpora {corpora}",
        "corpora": corpora,
        "seed": seed,
        "plan": asdict(training),
        "material": describe(clips),
    }
    return _finish(work, learner, record, made_of["base"])


def _refuse_others(folder: Path, made_of: Mapping[str, Any]) -> None:
    """Notes what everything in a folder is made of; refuses one that was begun with anything else.

    Raises:
        ValueError: it was.
    """
    path = folder / "made_of.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if other := [name for name, value in made_of.items() if found.get(name) != value]:
            raise ValueError(
                f"{folder}: was begun with another {', '.join(other)}: give the same options, or "
                "another --work folder"
            )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made_of, indent=1), encoding="utf-8")


def base_digest(codec: VQVAEConfig) -> str:
    """Of the base from which a codec with these settings starts.

    Raises:
        ValueError: there is none.
    """
    for model in map(StartingModel.described, base_paths()):
        if not model.misfit(codec):
            return model.digest
    raise ValueError(f"no base of this distill fits stride {codec.stride}: make that first")


def _finish(folder: Path, learner: PriorLearner, record: dict[str, Any], codec: str) -> Path:
    path = folder / f"base-prior-{learner.step}.distill"
    metadata = {"name": "base prior", "licence": "MIT", "provenance": record}
    write_starting_prior(path, learner.module, codec, {"metadata": json.dumps(metadata)})
    record |= {"digest": StartingPrior.described(path).digest, "curve": learner.curve}
    (folder / "report.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    (folder / "report.md").write_text(_page(record, path.stat().st_size), encoding="utf-8")
    return path


def _page(record: dict[str, Any], size: int) -> str:
    curve: Sequence[dict[str, float]] = record["curve"]
    minutes = record["material"]["seconds"] / 60
    lines = [
        f"| {point['step']:.0f} | {point['loss']:.3f} | {point['held_out']:.3f} |"
        for point in curve
    ]
    return "\n".join(
        [
            f"# A prior to start from\n\n`{record['made_by']}`: {record['corpora']} corpora "
            f"drawn from {minutes:.0f} minutes of sound; {size} bytes, digest "
            f"`{record['digest']}`.\n\nBits of a step, since the line above, and of corpora that "
            "it does not learn from:\n",
            "| step | learned | held out |", "| --- | --- | --- |", *lines, "",
        ]
    )  # fmt: skip
