"""encode, decode and reconstruct, for one file or a folder of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.audio.corpus import Refusal
from distill.cli.boundary import echo, judge
from distill.cli.outputs import Outputs
from distill.cli.plan import make_plan
from distill.errors import ConfigError, DistillError
from distill.models.use.base import LoadedModel
from distill.models.use.loading import load_model
from distill.names import printable

_NAMED = 10


@dataclass(frozen=True)
class Options:
    """What was allowed."""

    overwrite: bool = False
    force: bool = False


def convert(
    kind: str,
    model_path: Path,
    source: Path,
    out: Path | None,
    device: str,
    *,
    overwrite: bool = False,
    force: bool = False,
) -> int:
    """Converts every file of `source`; a bad one is named and the next is done.

    Args:
        kind: encode, decode or reconstruct.
        model_path: the `.distill` file.
        source: a file or a folder.
        out: a file for a file, a folder for a folder; default beside the source.
        device: where the model runs.
        overwrite: replace what lies where results go; never what is read.
        force: decode what another model encoded.

    Returns:
        How many files could not be converted.

    Raises:
        ConfigError: nothing to convert, or a folder's result asked into a file.
        ModelFileError: the model cannot be used.
        DistillError: the only file could not be converted.
    """
    work, options = _KINDS[kind], Options(overwrite, force)
    plan = make_plan(kind, source, out)
    model = load_model(model_path, device=device)
    outputs = Outputs([model_path, *(path for path, _ in plan.pairs)], overwrite=overwrite)
    failed = 0
    for path, target in plan.pairs:
        try:
            outputs.claim(target, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            written = work(model, path, target, options)
            outputs.made(written, path)
        except Exception as error:  # whatever is wrong with one file, the next one is done
            if not plan.is_folder or _is_unexpected(error):
                raise
            failed += 1
            echo(f"distill: {_words(error, path)}", err=True)
        else:
            echo(printable(written))
    if failed == len(plan.pairs):
        raise ConfigError(f"{printable(source)}: none of {failed} files could be used")
    return failed + _report_unused(plan.refusals)


def _words(error: Exception, path: Path) -> str:
    words, _ = judge(error)
    name = printable(path.name)
    return words if name in words else f"{name}: {words}"


def _is_unexpected(error: Exception) -> bool:
    return bool(os.environ.get("DISTILL_DEBUG")) and not isinstance(error, DistillError)


def _report_unused(refusals: Sequence[Refusal]) -> int:
    """Names what lies among the sounds and was not used; returns how much of it is sound."""
    if not refusals:
        return 0
    named = [refusal.reason for refusal in refusals[:_NAMED]]
    more = [f"and {len(refusals) - _NAMED} more"] if len(refusals) > _NAMED else []
    echo("\n  ".join([f"distill: {len(refusals)} not used:", *named, *more]), err=True)
    return sum("not sound (" not in refusal.reason for refusal in refusals)


def _encode(model: LoadedModel[Any], path: Path, target: Path, options: Options) -> Path:
    written: Path = model.encode_file(path).save(target, overwrite=options.overwrite)
    return written


def _decode(model: LoadedModel[Any], path: Path, target: Path, options: Options) -> Path:
    return model.decode_file(path, target, overwrite=options.overwrite, force=options.force)


def _reconstruct(model: LoadedModel[Any], path: Path, target: Path, options: Options) -> Path:
    return model.reconstruct_file(path, target, overwrite=options.overwrite)


_KINDS: dict[str, Callable[[LoadedModel[Any], Path, Path, Options], Path]] = {
    "encode": _encode,
    "decode": _decode,
    "reconstruct": _reconstruct,
}
