"""A prior that another one starts from: it has learned how codes follow one another in sound in
general, and shares what entries sound like with every codec that started from the same base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from distill.checked import parse_json
from distill.config import PriorConfig
from distill.config.start import BASE
from distill.config.vqvae import MOST_LEVELS
from distill.errors import CorruptModelError, ModelFileError, OutsideDataError
from distill.models.file.container import Header, read_container, read_header, write_container
from distill.models.file.weights import check_numbers
from distill.models.prior.model import CodePrior
from distill.names import printable

if TYPE_CHECKING:
    from distill.models.use.loaded import LoadedVQModel

_SECTION, _VERSION, _LIMIT = "prior_start", "1", 1 << 16
_SAME = ("width", "layers", "code_dim", "stride")
"""Settings that a prior must share with the one that it starts from."""


class _Said(msgspec.Struct):
    codec: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    levels: Annotated[int, Meta(ge=1, le=MOST_LEVELS)]
    width: Annotated[int, Meta(ge=1, le=4096)]
    layers: Annotated[int, Meta(ge=1, le=8)]
    code_dim: Annotated[int, Meta(ge=1, le=4096)]
    stride: Annotated[int, Meta(ge=1, le=16)]


def base_prior_paths() -> tuple[Path, ...]:
    """Where those lie that were installed with distill, one for each base of a codec."""
    folder = Path(str(resources.files("distill"))) / "data"
    return folder / "base-prior.distill", folder / "base-fine-prior.distill"


def base_prior_of(codec: LoadedVQModel) -> StartingPrior | None:
    """The one for codes of a model; None where it did not start from a base that there is one for.

    Raises:
        ModelFileError: a file of ours cannot be read.
    """
    start = codec.metadata.get("start")
    if not isinstance(start, Mapping) or start.get("model") != BASE:
        return None
    broken: ModelFileError | None = None
    for path in filter(Path.is_file, base_prior_paths()):
        try:
            found = StartingPrior.described(path)
        except ModelFileError as error:  # it may be the other one that is asked for
            broken = broken or error
            continue
        if found.codec == start.get("digest"):
            return found
    if broken:
        raise broken
    return None


@dataclass(frozen=True)
class StartingPrior:
    """A prior whose weights another one starts with; they are read when they are given."""

    path: Path
    digest: str
    """Of the file."""
    said: Any

    @classmethod
    def described(cls, path: Path) -> StartingPrior:
        """Reads what a file says of itself; `give` checks the weights.

        Raises:
            ModelFileError: it is none, or what it says is altered.
        """
        return cls._of(read_header(path))

    @classmethod
    def _of(cls, header: Header) -> StartingPrior:
        name = printable(header.path.name)
        try:
            text = header.texts[_SECTION]
            said: _Said = parse_json(text, _Said, name=f"{name}: {_SECTION}", limit=_LIMIT)
        except (KeyError, OutsideDataError) as error:
            raise CorruptModelError(f"{name}: no prior to start from: {error}") from error
        return cls(header.path, header.texts.get("checksum", ""), said)

    @property
    def codec(self) -> str:
        """Digest of the base whose codecs it is for."""
        return str(self.said.codec)

    def misfit(self, config: PriorConfig) -> str:
        """The settings that keep a prior from starting here; empty where none does.

        Args:
            config: of a new prior. Levels and entries may be others.
        """
        return "; ".join(
            f"{name} {getattr(self.said, name)}, here {getattr(config, name)}"
            for name in _SAME
            if getattr(self.said, name) != getattr(config, name)
        )

    @torch.no_grad()
    def give(self, module: CodePrior) -> None:
        """Copies to a new prior what both have: weights of the levels that only one of them has,
        of entries, and of conditions stay as they are.

        Raises:
            ModelFileError: the file cannot be read, or is another by now.
        """
        header, weights = read_container(self.path)
        found = self._of(header)
        name = printable(self.path.name)
        if found.digest != self.digest:
            raise ModelFileError(f"{name}: was replaced by another one just now")
        check_numbers(weights, name)
        parts = list(_parts(module, found.said.levels))
        for key, _, columns in parts:
            weight = weights.get(key)
            if weight is None or weight.ndim != len(columns):
                raise CorruptModelError(f"{name}: the weights {key!r} are missing")
            if weight[columns].shape != module.state_dict()[key][columns].shape:
                raise CorruptModelError(f"{name}: the weights {key!r} are of another shape")
        for key, own, columns in parts:
            own[columns] = weights[key][columns]


def _parts(module: CodePrior, levels: int) -> Iterator[tuple[str, Tensor, tuple[slice, ...]]]:
    """Weights of a prior that one of so many levels has too: their names, they themselves, and the
    part of each that both have.
    """
    both = min(levels, module.config.levels)
    for key, own in module.state_dict().items():
        part, *names = key.split(".")
        is_higher = part == "heads" and int(names[0]) >= both
        if part == "told" or is_higher or _is_of_entries(key):
            continue
        whole = [slice(None)] * own.ndim
        if key == "take.weight":  # of each level one block of columns
            whole[1] = slice(both * module.config.code_dim)
        yield key, own, tuple(whole)


def write_starting_prior(
    path: Path, module: CodePrior, codec: str, texts: Mapping[str, str]
) -> Path:
    """Writes a file that `StartingPrior` reads, in half precision.

    Args:
        path: of the file.
        module: a prior; what belongs to the entries of its codebooks is left out.
        codec: digest of the base whose codecs it is for.
        texts: what else the file says, JSON by key.

    Raises:
        ModelFileError: it cannot be written.
    """
    config = module.config
    said = _Said(codec, config.levels, *(getattr(config, name) for name in _SAME))
    kept = {key: x.half() for key, x in module.state_dict().items() if not _is_of_entries(key)}
    about = {"version": _VERSION, _SECTION: msgspec.json.encode(said).decode(), **texts}
    return write_container(path, kept, about)


def _is_of_entries(key: str) -> bool:
    words = key.split(".")
    return words[0] == "heads" and words[2] in ("bias", "free")
