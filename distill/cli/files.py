"""encode, decode and reconstruct, for one file or a folder of them."""

from __future__ import annotations

import contextlib
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
from distill.models.use.side_by_side import MOST, side_by_side
from distill.names import printable

_NAMED = 10
_LARGE = 64 << 20
"""Bytes of a file; where one is larger they are worked on one by one, for the memory they take."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for and allowed."""

    levels: int | None = None
    """As many of the first levels of codes alone; None for all."""
    quick: bool = False
    """Encode by the encoder alone, without looking for codes that the decoder makes more of."""
    overwrite: bool = False
    """Replace what lies where results go; never what is read."""
    force: bool = False
    """Decode what another model encoded."""


_NOTHING_MORE = Options()


def convert(
    kind: str,
    model_path: Path,
    source: Path,
    out: Path | None,
    device: str,
    options: Options = _NOTHING_MORE,
) -> int:
    """Converts every file of `source`; a bad one is named and the next is done.

    Args:
        kind: encode, decode or reconstruct.
        model_path: the `.distill` file.
        source: a file or a folder.
        out: a file for a file, a folder for a folder; default beside the source.
        device: where the model runs.
        options: what else was asked for.

    Returns:
        How many files could not be converted.

    Raises:
        ConfigError: nothing to convert, a folder's result asked into a file, or levels that the
            model does not have.
        ModelFileError: the model cannot be used.
        DistillError: the only file could not be converted.
    """
    work = _KINDS[kind]
    plan = make_plan(kind, source, out)
    model = load_model(model_path, device=device)
    _report_levels(model, options.levels)
    if options.quick:
        model.refinements = 0
    outputs = Outputs([model_path, *(path for path, _ in plan.pairs)], overwrite=options.overwrite)

    def made_of(pair: tuple[Path, Path]) -> Path | Exception:
        path, target = pair
        try:
            outputs.claim(target, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            written = work(model, path, target, options)
            outputs.made(written, path)
        except Exception as error:  # whatever is wrong with one file, the next one is done
            if not plan.is_folder or _is_unexpected(error):
                raise
            return error
        return written

    # Names that one disk takes for one and another for two are told apart once a file is there.
    at_a_time = MOST if plan.names_differ and plan.largest_bytes <= _LARGE else 1
    results = side_by_side(made_of, plan.pairs, device=model.device, most=at_a_time)
    failed = 0
    with contextlib.closing(results):
        for (path, _), made in zip(plan.pairs, results, strict=True):
            if isinstance(made, Exception):
                failed += 1
                echo(f"distill: {_words(made, path)}", err=True)
            else:
                echo(printable(made))
    if failed == len(plan.pairs):
        raise ConfigError(f"{printable(source)}: none of {failed} files could be used")
    return failed + _report_unused(plan.refusals)


def _report_levels(model: LoadedModel[Any], levels: int | None) -> None:
    """Says what the levels cost that are used, where not all were asked for."""
    count = model.check_levels(levels)
    if count is not None:
        rate = model.config.bits_per_second_of(count)
        echo(f"distill: {count} of {model.config.levels} levels, {rate:.0f} bit/s", err=True)


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
    encoded = model.encode_file(path, levels=options.levels)
    written: Path = encoded.save(target, overwrite=options.overwrite)
    return written


def _decode(model: LoadedModel[Any], path: Path, target: Path, options: Options) -> Path:
    return model.decode_file(
        path,
        target,
        levels=options.levels,
        overwrite=options.overwrite,
        force=options.force,
    )


def _reconstruct(model: LoadedModel[Any], path: Path, target: Path, options: Options) -> Path:
    return model.reconstruct_file(path, target, levels=options.levels, overwrite=options.overwrite)


_KINDS: dict[str, Callable[[LoadedModel[Any], Path, Path, Options], Path]] = {
    "encode": _encode,
    "decode": _decode,
    "reconstruct": _reconstruct,
}
