"""Family: a kind of model that can be trained here, as one registered value.

Everything that differs between kinds of models is reached through it: the engine, the run folder,
the model file, the command line and the pages ask the family of a run or a file, and never which
family it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from distill.checked import brief
from distill.config import TrainingConfig, VAEConfig
from distill.errors import ModelTypeError
from distill.health_rows import Health

ENTRY_POINTS = "distill.families"
"""The group under which an installed package names its families; see CONTRIBUTING."""

CONFIG_ENDING = "_config"
"""How the section of a model file ends that holds a family's own settings, after its name."""
VQVAE = "vqvae"
"""The first version's only family: meant where nothing names one."""
_BUILT_IN = {
    VQVAE: "distill.families.vqvae",
    "vae": "distill.families.vae",
    "prior": "distill.families.prior",
}
_registered: dict[str, Family] = {}


@dataclass(frozen=True)
class WarmStart:
    """What a model can take over from a trained one of its family before it learns."""

    parts: tuple[str, ...]
    """Parts of its module, as `encoder`; the rest begins as it would alone."""
    settings: tuple[str, ...]
    """Settings that both must share for it, beside all of the spectrogram."""


@dataclass(frozen=True)
class OfCodec:
    """How a family works whose models are about the codes of another model, as priors are.

    A run of it has a copy of that model, its codec, in its folder. What it leaves behind is that
    model, with a section more.
    """

    family: str
    """Of the codec."""
    material: Callable[..., Any]
    """(codec in use, corpus, split of it, config) -> what its task learns from."""
    save: Callable[..., Any]
    """(path, model, material, **what `save_model` takes beside) writes the codec with it; `moment`
    is what its metadata are to say where it is a model of one moment of a training.
    """
    instead: str
    """What trains such a model, as a sentence: `train` takes no codec."""


@dataclass(frozen=True)
class Family:
    """A kind of model: how to describe, build, train, save and open it."""

    name: str
    """In run.json, in model files and on the command line, as `vqvae`."""
    title: str
    """What people read, as `RVQ-VAE`."""
    file_version: int
    """Version of its `.distill` files."""
    config: type[TrainingConfig]
    """All settings of a model and its training; `from_dict` checks them."""
    loss_parts: tuple[str, ...]
    """Names of what the loss consists of, each with a curve, as `reconstruction`."""
    build: Callable[[Any], Any]
    """(config) -> the untrained model, an `nn.Module`."""
    open: Callable[..., Any]
    """(model, **what its file says) -> the model in use; what `load_model` returns."""
    task: Callable[..., Any]
    """(config) or (config, model) -> the `Task` that trains a new model, or a given one."""
    adaptive_config: Callable[..., TrainingConfig]
    """(number of files, **settings) -> settings that suit such a corpus."""
    health: Callable[[Mapping[str, Any], Mapping[str, Any], int], tuple[Health, ...]]
    """(sums of what was observed, the same of training, steps of that) -> how well its bottleneck
    is used. The first is of an epoch the validation, of a stretch of steps the second itself. The
    training is a whole epoch's at least, once there is one. The result is rows, of which `advice`
    says in a sentence what is wrong, and nothing where nothing is.
    """
    health_type: type[Health]
    """Of these rows: a frozen dataclass of numbers and texts."""
    history: Callable[[], Any] | None = None
    """() -> an empty history; None: a `MetricsHistory` of the loss parts."""
    health_warning: str = "collapse"
    """`kind` of the warning that gives a row's advice."""
    step_event: Callable[..., Any] | None = None
    """(fields of `StepMetrics`) -> the event of a step; None: that itself."""
    epoch_event: Callable[..., Any] | None = None
    """(fields of `EpochMetrics`) -> the event of an epoch; None: that itself."""
    decides: tuple[str, ...] = ()
    """Settings that decide how a model sounds: its file must name them, and they are part of its
    digest. () stands for all settings that are not of every training.
    """
    health_section: str = "health"
    """Under what name a model file holds the health."""
    read_health: Callable[[str, Any], tuple[Any, ...]] | None = None
    """(JSON of that section, config) -> the health, or `OutsideDataError`; where there is none,
    each row is read as a `health_type`, which should give its fields a range.
    """
    warm_start: WarmStart | None = None
    """How its models start from another one; None: they always start from nothing."""
    of_codec: OfCodec | None = None
    """For a family about the codes of another model; None: it is about sound."""
    facts: Callable[[Any], tuple[tuple[str, str], ...]] = lambda _config: ()
    """(config) -> names and values that people read of such a model, its bottleneck first."""
    labels: Callable[[Any], tuple[str, ...]] = lambda _config: ()
    """(config) -> the usual names of its levels, for a family that has them."""

    @property
    def config_section(self) -> str:
        """Under what name a model file holds the family's own settings."""
        return self.name + CONFIG_ENDING

    @property
    def own_settings(self) -> tuple[str, ...]:
        """Names of the settings that neither every training nor every spectrogram has."""
        common = {item.name for item in dataclasses.fields(TrainingConfig)} | {"spectrogram"}
        names = (item.name for item in dataclasses.fields(self.config))
        return tuple(name for name in names if name not in common)

    @property
    def deciding_settings(self) -> tuple[str, ...]:
        """Names of the settings that decide what a model makes of a sound; see `decides`."""
        return self.decides or self.own_settings


def register(family: Family) -> Family:
    """Makes a family known to this process; returns it.

    A training runs in a process of its own, which knows families of other packages by their entry
    points: see CONTRIBUTING.

    Raises:
        ModelTypeError: another family has that name.
    """
    known = _registered.setdefault(family.name, family)
    if known is not family:
        raise ModelTypeError(f"family {family.name!r}: is registered already; choose another name")
    return family


def family(name: str) -> Family:
    """The family of a name.

    Raises:
        ModelTypeError: nobody has registered it; names those that are.
    """
    if name not in _registered:
        for found in _named(name):
            register(found)
    if name not in _registered:
        raise ModelTypeError(
            f"a model of type {brief(str(name))!r}: expected {' or '.join(known_families())}"
        )
    return _registered[name]


def family_of(config: TrainingConfig) -> Family:
    """The family whose settings these are.

    Raises:
        ModelTypeError: no family has such settings.
    """
    for found in _registered.values():  # first: those of others take seconds to be imported
        if found.config is type(config):
            return found
    for name in known_families():
        if family(name).config is type(config):
            return family(name)
    raise ModelTypeError(
        f"settings of type {type(config).__name__}: expected those of "
        f"{' or '.join(known_families())}"
    )


def other_family_with(settings: Collection[str], than: Family) -> Family | None:
    """The family whose settings somebody has taken for those of another.

    Args:
        settings: their names.
        than: the family that they are said to be of.

    Returns:
        The one that has all of them; None where `than` has, or none has.
    """
    if _has_settings(than, settings):
        return None
    for name in known_families():
        with contextlib.suppress(ModelTypeError):  # of a package that cannot be imported
            if _has_settings(family(name), settings):
                return family(name)
    return None


def model_config(config: TrainingConfig) -> TrainingConfig:
    """Settings of a model: plain `TrainingConfig`, which says of none, becomes a `VAEConfig`, as
    in the first version; others are returned as they are.
    """
    return VAEConfig.of(config) if type(config) is TrainingConfig else config


def known_families() -> tuple[str, ...]:
    """Names of all families that are registered, or that an installed package brings."""
    others = {point.name for point in entry_points(group=ENTRY_POINTS)}
    return (*_BUILT_IN, *sorted((others | set(_registered)) - set(_BUILT_IN)))


def _has_settings(of: Family, names: Collection[str]) -> bool:
    return {item.name for item in dataclasses.fields(of.config)}.issuperset(names)


def _named(name: str) -> list[Family]:
    if name in _BUILT_IN:
        return [importlib.import_module(_BUILT_IN[name]).FAMILY]
    try:
        return [point.load() for point in entry_points(group=ENTRY_POINTS) if point.name == name]
    except Exception as error:  # code of another package: whatever it raises
        raise ModelTypeError(
            f"family {brief(name)!r}: the package that brings it cannot be imported "
            f"({type(error).__name__}: {error})"
        ) from error
