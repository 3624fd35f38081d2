"""The prior as a family: how the codes of an RVQ-VAE follow one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from torch import Tensor

from distill.audio.corpus import AudioCorpus
from distill.audio.split import Split
from distill.codebook.labels import level_labels
from distill.config import PriorConfig
from distill.errors import ConfigError, ModelTypeError
from distill.family import VQVAE, Family, OfCodec
from distill.models.prior.conditions import with_conditions
from distill.models.prior.corpus import coded, learned_files
from distill.models.prior.health import PriorHealth, prior_health
from distill.models.prior.model import CodePrior
from distill.models.prior.room import check_recordings, check_tensors_size
from distill.models.prior.trained import TrainedPrior, for_codec
from distill.models.use.loaded import LoadedVQModel
from distill.training.tasks.prior import CodeMaterial, PriorTask

_INSTEAD = (
    "learns the codes of a model: distill train-prior MODEL FOLDER, in Python "
    "train_prior(model, sounds, run_folder)"
)


def _health(
    observed: Mapping[str, Tensor], _trained: Mapping[str, Tensor], _steps: int
) -> tuple[PriorHealth, ...]:
    return prior_health(observed)


def _adaptive(_file_count: int, *_length: float, **_settings: Any) -> NoReturn:
    raise ConfigError(f"a prior {_INSTEAD}")


def _open(_model: CodePrior, **_said: Any) -> NoReturn:
    raise ModelTypeError("a prior lies in the file of its model: load that one")


def _material(
    codec: LoadedVQModel, corpus: AudioCorpus, split: Split, config: PriorConfig
) -> CodeMaterial:
    """The codes of a run's sounds, from the disk where they were encoded before."""
    learned = learned_files(corpus, split)
    names = [file.path.name for file in learned]
    check_recordings(names, config.copies)
    training = coded(codec, split.training, names, config.copies)
    check_tensors_size(training, config)
    judged = [corpus.files[index].path.name for index in split.validation_files]
    return CodeMaterial(
        codec,
        with_conditions(config, training, split.training, [file.group for file in learned]),
        coded(codec, split.validation, judged, 0),
    )


def _save(
    path: Path,
    model: CodePrior,
    *,
    material: CodeMaterial,
    metadata: Mapping[str, Any] | None = None,  # noqa: ARG001 - the file says what the codec did
    health: Sequence[PriorHealth] = (),
    loss_curves: Mapping[str, list[float]] | None = None,
    moment: Mapping[str, Any] | None = None,
    overwrite: bool = True,
) -> Path:
    """Writes the codec with the prior beside it."""
    codec = material.codec
    codec.use_prior(
        TrainedPrior(
            module=for_codec(model, codec.codebooks),
            codec_digest=codec.digest,
            codec_name=codec.name,
            sounds=material.training,
            usual=material.usual,
            health=tuple(health),
            loss_curves=loss_curves or {},
        )
    )
    return codec.save(path, metadata=moment, overwrite=overwrite)


def _facts(config: PriorConfig) -> tuple[tuple[str, str], ...]:
    codes = (
        f"{config.levels} levels × {config.codebook_size} entries, {config.step_rate_hz:.1f} "
        f"steps/s, {config.bits_per_step:.1f} bits a step unknown"
    )
    return (("codes", codes),)


def _labels(config: PriorConfig) -> tuple[str, ...]:
    return level_labels(config.levels)


FAMILY = Family(
    name="prior",
    title="prior",
    file_version=1,
    config=PriorConfig,
    loss_parts=PriorTask.loss_parts,
    build=CodePrior,
    open=_open,
    task=PriorTask,
    adaptive_config=_adaptive,
    health=_health,
    health_type=PriorHealth,
    health_section="prior_health",
    of_codec=OfCodec(family=VQVAE, material=_material, save=_save, instead=_INSTEAD),
    facts=_facts,
    labels=_labels,
)
