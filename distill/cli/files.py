"""encode, decode and reconstruct, for one file or a folder of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from distill.audio.corpus import find_files
from distill.audio.io import read_audio, write_audio
from distill.codebook.codes import Codes
from distill.errors import AudioFileError, CodesError, ConfigError, ShapeError
from distill.models.loaded import LoadedVQModel
from distill.models.persistence import load_model_v2


def convert(kind: str, model_path: Path, source: Path, out: Path | None, device: str) -> int:
    """Converts every file of `source`; a bad one is named and skipped.

    Args:
        kind: encode, decode or reconstruct.
        model_path: the `.distill` file.
        source: a file or a folder.
        out: a file for a file, a folder for a folder; default beside the source.
        device: where the model runs.

    Returns:
        How many files could not be converted.

    Raises:
        ConfigError: nothing to convert, or a folder's result asked into a file.
        ModelFileError: the model cannot be used.
    """
    work, suffix = _KINDS[kind]
    model = load_model_v2(model_path, device=device)
    pairs = _pairs(kind, source, out, suffix)
    failed = 0
    for path, target in pairs:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            written = work(model, path, target)
        except (AudioFileError, CodesError, ShapeError, OSError) as error:
            failed += 1
            typer.echo(f"distill: {error}", err=True)
        else:
            typer.echo(str(written))
    if failed == len(pairs):
        raise ConfigError(f"{source}: none of {len(pairs)} files could be used")
    return failed


def _encode(model: LoadedVQModel, path: Path, target: Path) -> Path:
    return model.encode(*read_audio(path)).save(target)


def _decode(model: LoadedVQModel, path: Path, target: Path) -> Path:
    return write_audio(target, *model.decode(Codes.load(path)))


def _reconstruct(model: LoadedVQModel, path: Path, target: Path) -> Path:
    return write_audio(target, *model.reconstruct(*read_audio(path)))


_KINDS: dict[str, tuple[Callable[[LoadedVQModel, Path, Path], Path], str]] = {
    "encode": (_encode, ".npz"),
    "decode": (_decode, ".wav"),
    "reconstruct": (_reconstruct, "-reconstruction.wav"),
}


def _pairs(kind: str, source: Path, out: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    if kind == "decode":
        is_folder = source.is_dir()
        found = sorted(source.rglob("*.npz")) if is_folder else [source]
    else:
        found, _ = find_files(source)
        is_folder = source.is_dir()
        found = found or ([] if is_folder else [source])
    if not found:
        raise ConfigError(f"{source}: nothing to {kind} there")
    if not is_folder:
        target = out or source.with_name(source.stem + suffix)
        if target.is_dir():
            target = target / (source.stem + suffix)
        return [(source, target)]
    if out is not None and out.is_file():
        raise ConfigError(f"{out}: a file; the results of a folder need a folder")
    done = kind + ("d" if kind.endswith("e") else "ed")
    home = out or source.with_name(f"{source.name}-{done}")
    # The ending stays in the name: kick.wav and kick.flac are two sounds.
    return [(path, home / path.relative_to(source).with_name(path.name + suffix)) for path in found]
