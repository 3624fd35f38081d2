"""ModelInfo: what a `.distill` file of any family says of itself, read without its weights."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distill.checked import brief
from distill.codebook.health import LevelHealth
from distill.errors import (
    ConfigError,
    CorruptModelError,
    ModelTypeError,
    ModelVersionError,
    OutsideDataError,
)
from distill.family import CONFIG_ENDING, Family, family, known_families
from distill.models.file.container import Header, read_header
from distill.models.file.sections import PRIOR, read_sections, section_names
from distill.models.file.weights import section_of
from distill.names import printable

_DIGEST = re.compile("[0-9a-f]{64}")
_OF_EVERY_FILE = frozenset({"format", "version", "checksum", "model_type", "model_digest"})


@dataclass(frozen=True)
class ModelInfo:
    """What a `.distill` file says of itself, without its weights."""

    path: Path
    family: str
    """Of the model, as `vqvae`."""
    config: Any
    """Of its family, as `VQVAEConfig`."""
    metadata: dict[str, Any]
    """name, description, tags, created (UTC), corpus, versions, and level_labels where it has
    levels.
    """
    health: tuple[Any, ...]
    """How well its bottleneck is used; of its family, as `LevelHealth` for each level."""
    loss_curves: dict[str, list[float]]
    extra: dict[str, str]
    """Texts of sections beside the model's own, as that of a prior, and of those that this version
    does not know; kept on re-save."""
    parameters: int
    """Numbers in all tensors of the model."""
    file_bytes: int
    digest: str | None
    """What tells the model from every other, whatever its name; None in a file that was written
    before files said it: see `LoadedModel.digest`.
    """
    passed_over: tuple[str, ...]
    """Fields that this version does not know or cannot use, as `metadata.tags`; kept on re-save."""
    texts: Mapping[str, str] = field(repr=False)
    """All sections as they stand in the file."""

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.metadata.get("name", printable(self.path.stem)))

    @property
    def codebook_health(self) -> tuple[LevelHealth, ...]:
        """A row a level; () for a model without codebooks."""
        return tuple(row for row in self.health if isinstance(row, LevelHealth))

    @property
    def other_sections(self) -> tuple[str, ...]:
        """Names of sections that this version does not know, as `notes`; kept on re-save, with
        their tensors.
        """
        return tuple(sorted(set(self.extra) - {PRIOR}))

    @property
    def has_prior(self) -> bool:
        """Whether a prior lies beside the model, with which it makes new sounds."""
        return PRIOR in self.extra


def read_model_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Reads a model's header, of whatever family; its weights stay on the disk.

    Raises:
        ModelFileError: one of its children says why: no model, another version, an unknown family,
            cut off or altered.
    """
    return info_of(read_header(path))


def info_of(header: Header) -> ModelInfo:
    """What a header says; see `read_model_info`."""
    texts, name, of = header.texts, printable(header.path.name), family_in(header)
    _check_sections(header, of)
    digest = texts.get("model_digest")
    try:
        said = read_sections(texts, of)
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise OutsideDataError("model_digest: expected 64 hexadecimal digits")
    except (OutsideDataError, ConfigError) as error:
        raise CorruptModelError(f"{name}: its header is altered ({error})") from error
    known = _OF_EVERY_FILE.union(section_names(of))
    extra = {key: value for key, value in texts.items() if key not in known}
    own = (shape for key, shape in header.tensors.items() if section_of(key) not in extra)
    return ModelInfo(
        path=header.path,
        family=of.name,
        config=said.config,
        metadata=said.metadata,
        health=said.health,
        loss_curves=said.loss_curves,
        extra=extra,
        parameters=sum(map(math.prod, own)),
        file_bytes=header.file_bytes,
        digest=digest,
        passed_over=tuple(
            f"{section}.{brief(key, 60)}"
            for section, fields in said.passed_over.items()
            for key in fields
        ),
        texts=texts,
    )


def family_in(header: Header) -> Family:
    """The family of the model in a file.

    Raises:
        ModelTypeError: nobody knows it; names those that are known.
        ModelVersionError: of a version this distill does not read.
    """
    name, texts = printable(header.path.name), header.texts
    try:
        found = family(texts.get("model_type", "not given"))
    except ModelTypeError as error:
        raise ModelTypeError(
            f"{name}: holds {error}; update distill, or install the package that brings it"
        ) from error
    if texts.get("version") != str(found.file_version):
        raise ModelVersionError(
            f"{name}: version {brief(texts.get('version', 'not given'))!r} of the format; this "
            f"distill reads version {found.file_version} of {found.title} files: update distill, "
            "or save the model again"
        )
    return found


def _check_sections(header: Header, of: Family) -> None:
    name, texts = printable(header.path.name), header.texts
    foreign = _of_another(texts, of)
    for section in section_names(of):
        if section not in texts:
            raise CorruptModelError(
                f"{name}: its section {section!r} is missing{foreign and f'; {foreign}'}"
            )
    if foreign:
        raise CorruptModelError(
            f"{name}: {foreign}, beside its own: one of them was put in by another program; get "
            "it again from where it was made"
        )


def _of_another(texts: Mapping[str, str], of: Family) -> str:
    """What a file has of another family than it says, as a clause; empty where there is nothing."""
    own = section_names(of)
    if not any(name.endswith(CONFIG_ENDING) and name not in own for name in texts):
        return ""  # known families are looked up for few files: that takes a while
    for name in known_families():
        with contextlib.suppress(ModelTypeError):  # of a package that cannot be imported
            if name != of.name and (section := family(name).config_section) in texts:
                return f"it says {of.name!r} and has {section!r}, the settings of another family"
    return ""
